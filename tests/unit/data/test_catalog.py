"""The catalog: its cards, and what is refused."""

import dataclasses
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

import crmlab.data
from crmlab.atlas import load_terms
from crmlab.data import get_dataset, is_at_hand, list_datasets, load_card, load_dataset
from crmlab.data.tables import TABLES

ORDERS = "order_id,customer_id,ordered_on,amount\n01,a,2024-01-05,12.5\n02,b,2024-03-01,-2\n"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "orders.csv").write_text(ORDERS)
    return folder


@pytest.fixture
def project(tmp_path):
    sample = tmp_path / "project" / "data" / "sample"
    sample.mkdir(parents=True)
    (sample / "orders.csv").write_text(ORDERS)
    return tmp_path / "project"


def test_catalog_lists_the_bundled_sample_first():
    names = list_datasets()
    assert names[0] == "sample"
    assert names[1:] == sorted(names[1:])
    real = {"bank_marketing", "cdnow", "cdnow_full", "comcast_complaints", "complete_journey"}
    real |= {"ecsi", "hillstrom", "kano_transfers", "online_retail", "telco_churn"}
    assert real <= set(names)


def test_listing_the_catalog_loads_no_heavy_library():
    heavy = "{'numpy', 'pandas', 'polars', 'pyarrow', 'pandera', 'pooch', 'urllib.request'}"
    code = (
        "import sys, crmlab.data as d; [d.load_card(n) for n in d.list_datasets()]; "
        f"sys.exit(', '.join({heavy} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


@pytest.mark.parametrize("name", list_datasets())
def test_card_speaks_both_languages(name):
    card = load_card(name)
    assert card.name == name
    texts = [card.title, card.summary, card.origin, card.licence, *card.one_row_is.values()]
    texts += [about for columns in card.columns.values() for about in columns.values()]
    for text in texts + ([card.prepared] if card.prepared else []):
        assert set(text) - {"unit"} == {"en", "zh"}
        assert text["en"]
        assert re.search("[\u4e00-\u9fff]", text["zh"])
        assert not re.search("[\u4e00-\u9fff，。；] [\u4e00-\u9fff]", text["zh"])  # a line's end
        assert not re.search("[\u4e00-\u9fff]", text["en"])
    assert card.citation
    assert set(card.one_row_is) <= set(TABLES)


@pytest.mark.parametrize("name", [name for name in list_datasets() if name != "sample"])
def test_card_of_real_data_names_files_with_a_sha256_and_a_place_in_the_mirror(name):
    card = load_card(name)
    assert not card.is_simulated
    assert card.files
    assert card.adapter
    assert card.prepared
    for file in card.files:
        assert re.fullmatch("[0-9a-f]{64}", file.sha256)
        assert file.mirror.endswith(f"/{file.name}")


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize("name", list_datasets())
def test_card_describes_the_columns_that_are_the_data_sets_own(name):
    # Schema and card together leave no column without a meaning, and the card promises none else.
    if not is_at_hand(name):
        pytest.skip(f"{name} is neither in the mirror nor in the cache")
    dataset = load_dataset(name)
    items = set(dataset.tables["items"]["item"]) if "items" in dataset.tables else set()
    own = {}
    for table, frame in dataset.tables.items():
        known = {column.name for column in TABLES[table].columns}
        extra = set(frame.columns) - known - (items if table == "survey" else set())
        if extra:
            own[table] = extra
    described = {table: set(columns) for table, columns in dataset.card.columns.items()}
    assert own == described
    assert set(dataset.tables) == set(dataset.card.one_row_is)


@pytest.mark.parametrize("name", list_datasets())
def test_own_columns_have_a_term_and_their_unit_is_one(name):
    terms = load_terms()
    for columns in load_card(name).columns.values():
        for column, about in columns.items():
            if column != "sample_id":  # a name, told nowhere but on the card
                assert terms[column].kind == "column"
                assert terms[column].unit == about.get("unit", "") or column == "age_band"
            assert terms[about.get("unit", "1")].kind == "unit"


def test_cards_state_window_and_currency():
    window = {
        name: (str(card.observed_from), str(card.observed_to), card.currency)
        for name in list_datasets()[1:]
        for card in [load_card(name)]
    }
    assert window == {
        "bank_marketing": ("2008-05-05", "2010-11-17", "EUR"),
        "cdnow": ("1997-01-01", "1998-06-30", "USD"),
        "cdnow_full": ("1997-01-01", "1998-06-30", "USD"),
        "comcast_complaints": ("2015-04-01", "2015-06-30", None),
        "complete_journey": ("2017-01-01", "2017-12-31", "USD"),
        "complete_journey_full": ("2017-01-01", "2017-12-31", "USD"),
        "ecsi": ("None", "None", None),
        "hillstrom": ("None", "None", "USD"),
        "kano_transfers": ("None", "None", None),
        "online_retail": ("2010-12-01", "2011-12-09", "GBP"),
        "telco_churn": ("None", "None", "USD"),
    }


def test_no_card_names_a_host():
    for path in Path(crmlab.data.__file__).parent.glob("cards/*"):
        assert "://" not in path.read_text(encoding="utf-8")


def test_unknown_card_is_refused_with_the_nearest_name_and_the_list():
    with pytest.raises(
        ValueError, match=r"'ecci'; did you mean 'ecsi'\? .*sample, .*cdnow, cdnow_f"
    ):
        load_card("ecci")


def test_unknown_source_is_refused_with_the_nearest_name_and_the_list():
    with pytest.raises(ValueError, match=r"'cdnwo' is neither .*online_retail.*\).*mean 'cdnow'\?"):
        load_dataset("cdnwo")


def test_folder_is_loaded_with_its_window_from_the_orders(folder):
    dataset = load_dataset(folder)
    assert (dataset.name, dataset.title) == ("shop", {"en": "shop", "zh": "shop"})
    assert (dataset.observed_from, dataset.observed_to) == (
        pd.Timestamp("2024-01-05"),
        pd.Timestamp("2024-03-01"),
    )
    assert dataset.currency is None
    assert list(dataset.tables) == ["orders"]
    assert list(dataset.files) == ["orders.csv"]
    assert dataset.left_out.empty
    assert list(dataset.left_out.columns) == ["table", "reason", "reason_zh", "n_rows"]


def test_folder_may_be_named_by_text_or_path(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    assert load_dataset("shop").files == load_dataset(folder).files == load_dataset("./shop").files


def test_folder_called_like_a_data_set_is_reached_by_its_path(tmp_path, folder, monkeypatch):
    folder.rename(tmp_path / "cdnow")
    monkeypatch.chdir(tmp_path)
    assert len(load_dataset("./cdnow").tables["orders"]) == 2
    assert len(load_dataset(Path("cdnow")).tables["orders"]) == 2


def test_card_beside_the_tables_is_used_and_hashed(folder):
    (folder / "card.yaml").write_text(
        "title: {en: My shop, zh: 我的店}\nlicence: private\ncurrency: CNY\n"
        "observed_to: 2024-06-30\n",
        encoding="utf-8",
    )
    dataset = load_dataset(folder)
    assert dataset.title == {"en": "My shop", "zh": "我的店"}
    assert dataset.card.licence == {"en": "private", "zh": "private"}
    assert dataset.currency == "CNY"
    assert (dataset.observed_from, dataset.observed_to) == (
        pd.Timestamp("2024-01-05"),
        pd.Timestamp("2024-06-30"),
    )
    assert list(dataset.files) == ["orders.csv", "card.yaml"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("titel: x\n", r"no key is called 'titel'; did you mean 'title'\?"),
        ("title: {en: x}\n", "title must be one text, or one text for each of en and zh"),
        ("observed_to: 30.6.2024\n", "observed_to must be a day, YYYY-MM-DD; got '30.6.2024'"),
        ("currency: yuan\n", "currency must be the three capital letters .* got 'yuan'"),
        ("just a text\n", "expected lines of “key: value”"),
        ("title: [\n", "not a YAML file that can be read"),
        ("observed_to: 2024-02-01\n", r"orders\.ordered_on, row 2: 2024-03-01 is outside the wind"),
    ],
)
def test_wrong_card_beside_the_tables_is_refused(folder, text, message):
    (folder / "card.yaml").write_text(text)
    with pytest.raises(ValueError, match=message):
        load_dataset(folder)


def test_card_says_nothing_where_a_key_stands_empty(folder):
    (folder / "card.yaml").write_text("title:\ndoi:\ncitation:\ncurrency: CNY\n")
    card = load_dataset(folder).card
    assert (card.title["en"], card.doi, card.citation, card.currency) == ("shop", None, "", "CNY")


def test_data_set_without_dates_has_no_window(tmp_path):
    (tmp_path / "customers.csv").write_text("customer_id\na\n")
    dataset = load_dataset(tmp_path)
    assert (dataset.observed_from, dataset.observed_to) == (None, None)


def test_sample_is_read_from_the_project_folder(project, monkeypatch):
    dataset = load_dataset("sample", root=project)
    assert dataset.card.is_simulated
    assert len(dataset.tables["orders"]) == 2
    assert list(get_dataset("sample", root=project)) == ["orders.csv"]
    (project / "notebooks").mkdir()
    monkeypatch.chdir(project / "notebooks")
    assert load_dataset("sample").files == dataset.files


def test_sample_takes_window_and_currency_from_the_card_beside_it(project):
    card = "currency: CNY\nobserved_from: 2024-01-01\nobserved_to: 2024-12-31\n"
    (project / "data" / "sample" / "card.yaml").write_text(card)
    dataset = load_dataset("sample", root=project)
    assert dataset.name == "sample"
    assert dataset.title == load_card("sample").title
    assert dataset.currency == "CNY"
    assert str(dataset.observed_to.date()) == "2024-12-31"


def test_folder_with_a_truth_is_simulated(folder):
    assert not load_dataset(folder).card.is_simulated
    (folder / "truth.csv").write_text("customer_id\na\nb\n")
    assert load_dataset(folder).card.is_simulated


def test_sample_outside_a_project_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected the project folder of crmlab, which holds data"):
        load_dataset("sample", root=tmp_path)


def test_sample_takes_no_file_from_elsewhere(folder):
    with pytest.raises(ValueError, match="sample is bundled with the project and takes no file"):
        get_dataset("sample", folder / "orders.csv")


def test_real_data_takes_a_file_from_elsewhere_only_with_its_hash(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("CRMLAB_CACHE", str(tmp_path / "cache"))
    with pytest.raises(ValueError, match=r"orders\.csv is not the file wanted: expected sha256 b0"):
        get_dataset("online_retail", folder / "orders.csv")


def test_data_set_is_at_hand_once_mirror_or_cache_holds_its_file(tmp_path, project, monkeypatch):
    monkeypatch.setenv("CRMLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CRMLAB_MIRROR", str(tmp_path / "mirror"))
    assert not is_at_hand("ecsi")
    for place in ("cache", "mirror"):
        path = tmp_path / place / "ecsi_mobi" / "mobi.csv"
        path.parent.mkdir(parents=True)
        path.touch()
        assert is_at_hand("ecsi")
        path.unlink()
    assert is_at_hand("sample", root=project)
    assert not is_at_hand("sample", root=tmp_path)


def test_data_set_is_frozen_and_prints_itself_briefly(folder):
    dataset = load_dataset(folder)
    assert repr(dataset) == "<Dataset shop: orders 2 rows; 2024-01-05 to 2024-03-01>"
    with pytest.raises(dataclasses.FrozenInstanceError):
        dataset.name = "other"
    with pytest.raises(dataclasses.FrozenInstanceError):
        dataset.card.observed_to = date(2030, 1, 1)
