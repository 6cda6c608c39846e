"""The presets are populations of their own, and every parameter is described and refused alike."""

import math
from dataclasses import fields, replace

import pandas as pd
import pytest

from crmlab.cli import app
from crmlab.data import load_dataset
from crmlab.data.simulate import (
    PRESETS,
    SimulationParameters,
    describe_parameters,
    preset,
    simulate_population,
    write_sample,
)
from crmlab.data.simulate.presets import read_value
from crmlab.data.tables import check_tables


@pytest.mark.parametrize("name", PRESETS)
def test_preset_makes_a_valid_population_that_earns_money(name):
    tables = simulate_population(500, seed=3, parameters=preset(name))
    checked = check_tables(tables)
    for table, frame in tables.items():
        pd.testing.assert_frame_equal(checked[table], frame)
    profit = tables["orders"]["margin"].sum() - tables["customers"]["cost_to_serve"].sum()
    assert profit > 0
    assert 0.3 < tables["truth"]["is_alive"].mean() < 0.8
    responded = tables["contacts"].groupby("is_treated")["has_responded"].mean()
    assert ((responded > 0.05) & (responded < 0.6)).all()


def test_presets_are_as_unlike_as_their_trades():
    bank, telecom, b2b = (preset(name) for name in PRESETS[1:])
    retail = preset("retail")
    assert retail == SimulationParameters()
    leaving = [p.dropout_a / (p.dropout_a + p.dropout_b) for p in (bank, retail)]
    assert leaving[0] < leaving[1]
    assert telecom.links_per_customer > retail.links_per_customer
    assert telecom.contagion_odds > retail.contagion_odds
    tables = simulate_population(200, seed=3, parameters=b2b)
    assert len(tables["accounts"]) == 200
    assert tables["customers"]["is_business"].all()


def test_preset_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="no preset 'shop'; expected one of retail, bank, telecom"):
        preset("shop")


# --- parameters


def test_every_parameter_is_described_in_two_languages_and_in_order():
    table = describe_parameters()
    assert table["parameter"].tolist() == [field.name for field in fields(SimulationParameters)]
    assert table["meaning_en"].str.len().min() > 10
    assert table["meaning_zh"].str.contains("[\u4e00-\u9fff]").all()
    assert table["meaning_en"].is_unique


def outside(limits):
    """Return a value just outside of a range as it is written."""
    if limits == "> 0":
        return 0
    return -1 if limits == ">= 0" else math.nextafter(float(limits.split("..")[1]), math.inf)


NUMBERS = describe_parameters().query("range != ''").set_index("parameter")["range"]


@pytest.mark.parametrize("name", NUMBERS.index)
def test_value_outside_of_its_range_is_refused_by_name(name):
    for value in (outside(NUMBERS[name]), math.nan, None, True, "1"):
        with pytest.raises(
            ValueError, match=rf"^{name} is .*; expected a|^{name} is .*; expected money"
        ):
            replace(SimulationParameters(), **{name: value})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"decline_share": 1.0}, r"decline_share is 1\.0; expected a share between 0 and 1"),
        ({"decline_share": 0}, "decline_share is 0; expected a share between 0 and 1"),
        ({"commitment_trust": 0.9, "commitment_loyalty": 0.6}, "explain all of commitment"),
        ({"order_channels": ("web", "app")}, r"order_channels is \('web', 'app'\); expected three"),
        ({"order_channels": "web"}, "order_channels is 'web'; expected three words"),
        ({"contagion_odds": 0.5}, r"contagion_odds is 0\.5; expected a number from 1 to 100"),
        ({"community_size": 1}, "community_size is 1; expected a whole number, 2 to 100000"),
    ],
)
def test_relations_that_cannot_be_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        SimulationParameters(**change)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("contat_share", "0.1", "is called 'contat_share'; did you mean 'contact_share'"),
        ("path_coefficients", "1", "no parameter that can be written is called"),
        ("n_campaigns", "2.5", "n_campaigns is '2.5'; expected a whole number"),
        ("rate_shape", "much", "rate_shape is 'much'; expected a number"),
    ],
)
def test_parameter_that_cannot_be_read_is_refused(name, text, message):
    with pytest.raises(ValueError, match=message):
        read_value(name, text)


# --- written in pieces


def test_size_of_the_pieces_changes_no_value(tmp_path):
    chosen = SimulationParameters(business_share=0.3)
    whole = simulate_population(60, seed=8, parameters=chosen)
    for n_rows in (90, 1000):
        folder = tmp_path / str(n_rows)
        paths = write_sample(folder, 60, seed=8, parameters=chosen, n_rows_a_piece=n_rows)
        for name, frame in whole.items():
            pd.testing.assert_frame_equal(pd.read_parquet(paths[name]), frame)


def test_table_without_rows_has_no_file_and_takes_an_old_one_away(tmp_path):
    some = write_sample(tmp_path, 200, seed=8)
    assert "accounts" in some
    paths = write_sample(
        tmp_path, 200, seed=8, parameters=SimulationParameters(business_share=0, contact_share=0)
    )
    assert {"accounts", "contacts"}.isdisjoint(paths)
    assert sorted(tmp_path.iterdir()) == sorted(paths.values())
    tables = load_dataset(str(tmp_path)).tables
    assert set(tables) == set(paths) - {"card"}


# --- the command


@pytest.fixture
def command():
    from typer.testing import CliRunner

    return lambda *arguments: CliRunner().invoke(app, ["data", "simulate", *map(str, arguments)])


def test_command_writes_a_preset_with_a_change(command, tmp_path):
    folder = tmp_path / "bank"
    outcome = command(
        folder,
        "--preset",
        "bank",
        "--customers",
        "120",
        "--seed",
        "4",
        "-p",
        "n_campaigns=2",
        "-p",
        "order_channels=app | desk | phone",
    )
    assert outcome.exit_code == 0, outcome.output
    assert "120 rows" in outcome.output
    chosen = replace(preset("bank"), n_campaigns=2, order_channels=("app", "desk", "phone"))
    expected = simulate_population(120, seed=4, parameters=chosen)
    for name, frame in expected.items():
        pd.testing.assert_frame_equal(pd.read_parquet(folder / f"{name}.parquet"), frame)


def test_command_explains_the_parameters_in_both_languages(command):
    for language, word in (("en", "Odds ratio of a link"), ("zh", "优势比")):
        outcome = command("--explain", "--lang", language)
        assert outcome.exit_code == 0
        assert word in outcome.output
        assert "contagion_odds  1..100\n" in outcome.output
        assert "retail 4  bank 4  telecom 6  b2b 2\n" in outcome.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name a new folder"),
        (("new", "--preset", "shop"), "there is no preset 'shop'"),
        (("new", "-p", "contact_share"), "expected NAME=VALUE"),
        (("new", "-p", "contact_share=2"), "contact_share is 2.0; expected a share from 0 to 1"),
        (("new", "--customers", "0"), "n_customers is 0; expected a whole number"),
        ((".",), "is there already; expected a new or an empty folder"),
    ],
)
def test_command_refuses_what_it_cannot_do(command, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.txt").write_text("keep")
    outcome = command(*arguments)
    assert outcome.exit_code == 2
    assert message in outcome.output
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
