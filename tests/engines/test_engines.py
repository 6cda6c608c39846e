"""Whatever engine holds the large tables, every reader returns the same, to the last bit.

The reference is pandas; each reader's own tests hold pandas to arithmetic done by hand.
"""

import functools
import math
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest

from crmlab.data import quality_checks
from crmlab.data.collection import check_keys, describe_columns, describe_sources, describe_tables
from crmlab.data.exact import join_money
from crmlab.data.lead_score import describe_leads
from crmlab.data.licensing import list_uses
from crmlab.data.market import sense_market
from crmlab.data.profile import customer_profile, join_coverage
from crmlab.data.quality import (
    check_rows,
    count_rules,
    load_rules,
    score_counts,
    summarise_rules,
)
from crmlab.data.unicity import measure_unicity
from crmlab.performance.quarters import quarter_book, quarter_contacts
from crmlab.satisfaction.repurchase import count_later_purchases
from crmlab.segments.effects import planted_uplift, uplift_by_segment
from crmlab.segments.network.links import open_links, summarize_links
from crmlab.segments.types.adoption import count_links, describe_adoption
from crmlab.segments.types.purchases import describe_purchases
from crmlab.segments.types.questions import judge_contacts, offer_response
from crmlab.value import aggregate
from crmlab.value.aggregate import aggregate_orders, count_daily_repeats, value_between
from crmlab.value.engagement import engagement_value
from crmlab.value.holdout import split_orders
from crmlab.value.lifetime import BgNbd, track_orders
from crmlab.value.orders import describe_orders, head_orders
from crmlab.value.trend import repeat_rate_by_cohort, summarize_months

END = pd.Timestamp("2024-12-31")


def make_orders(n=1500, seed=21):
    """Several orders a day, returns, orders of nothing, ties, and customers with Chinese ids."""
    rng = np.random.default_rng(seed)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D")
    amount = np.round(rng.gamma(1.5, 40, n), 2) * rng.choice([1, 1, 1, 1, -1], n)
    amount[rng.integers(0, n, 20)] = 0.0
    amount[:3] = 1_234_567_890.12, 0.1, -0.3
    ids = [*(f"客户{i:03d}" for i in range(90)), *(f"C{i:03d}" for i in range(80)), "é", "Z", "a b"]
    return pd.DataFrame(
        {
            "order_id": [f"o{i:05d}" for i in range(n)],
            "customer_id": pd.Series(rng.choice(ids, n), dtype="str"),
            "ordered_on": days.astype("datetime64[us]"),
            "amount": amount,
            "margin": np.round(amount * 0.37, 2),
            "discount_share": rng.choice([0.0, 0.1, np.nan], n),
        }
    ).sort_values(["ordered_on", "order_id"], ignore_index=True)


def make_contacts(n=400, seed=22):
    rng = np.random.default_rng(seed)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D")
    return pd.DataFrame(
        {
            "contact_id": [f"k{i % 390:03d}" for i in range(n)],
            "customer_id": pd.Series(
                rng.choice([f"客户{i:03d}" for i in range(60)], n), dtype="str"
            ),
            "campaign": pd.Series(rng.choice(["spring", "秋", "autumn"], n), dtype="str"),
            "contacted_on": days.astype("datetime64[us]"),
            "cost": np.round(rng.gamma(2, 1, n), 2),
            "is_treated": rng.random(n) < 0.8,
            "has_responded": rng.random(n) < 0.2,
            "channel": pd.Series(rng.choice(["mail", "短信"], n), dtype="str"),
        }
    )


def make_links(n=300, seed=23):
    """Calls both ways and referrals, some with oneself, without the other or without a number."""
    rng = np.random.default_rng(seed)
    ids = np.array(
        [*(f"客户{i:02d}" for i in range(20)), *(f"C{i:02d}" for i in range(20)), "é", "z"]
    )
    is_call = rng.random(n) < 0.8
    links = pd.DataFrame(
        {
            "customer_id": pd.Series(rng.choice(ids, n), dtype="str"),
            "other_id": pd.Series(rng.choice(ids, n), dtype="str"),
            "kind": pd.Series(np.where(is_call, "call", "referral"), dtype="str"),
            "n_calls": pd.array(rng.geometric(0.1, n), dtype="Int64"),
        }
    )
    links.loc[~is_call | (rng.random(n) < 0.1), "n_calls"] = pd.NA
    links.loc[rng.integers(0, n, 9), "other_id"] = None
    return links


MAKERS = {"orders": make_orders, "contacts": make_contacts, "links": make_links}


def aggregate_both_parts(tables):
    before, after = split_orders(tables["orders"], calibrated_to="2024-06-15")
    parts = [aggregate_orders(part, observed_to=END) for part in (before, after)]
    return pd.concat(parts, ignore_index=True)


def summarize_profile(tables):
    return customer_profile(tables).sort_values("customer_id", ignore_index=True)


def take_inventory(tables):
    """Return what the inventory of a data set counts, but for what an engine calls its types."""
    customers = pd.DataFrame({"customer_id": [f"客户{i:03d}" for i in range(80)]})
    tables = tables | {"customers": customers}
    found = [describe_tables(tables), describe_columns(tables).drop(columns="dtype")]
    found += [check_keys(tables), describe_sources(tables), join_coverage(tables)]
    return pd.concat([table.astype("str") for table in found], ignore_index=True)


def try_to_single_out(tables):
    rng = np.random.default_rng(3)
    return measure_unicity(tables["orders"], rng, n_known=(1, 2), n_tried=50)


#: Every check there is: check, column, argument; the contacts have the first six.
CHECKED = [
    ("filled", "campaign", ""),
    ("pattern", "campaign", r"[a-z]+"),
    ("not_like", "campaign", r"(.)\1|秋"),  # no engine's own patterns know what was found before
    ("not_among", "campaign", "spring | 秋"),
    ("shared_by", "contact_id", "customer_id 1"),
    ("prefix_of", "contact_id", "campaign: spring k1 | 秋 k2"),
    ("age", "amount", "1960..2010"),
    ("between", "amount", "0..90"),
    ("not_extreme", "amount", "1.5"),
    ("size_at_most", "amount", "margin"),
    ("stem_shared_by", "customer_id", "3"),
    ("not_before", "ordered_on", "ordered_on"),
    ("not_after", "ordered_on", ""),
    ("not_past", "ordered_on", ""),
    ("within_days", "ordered_on", "30.5"),
    ("row_once", "order_id", "customer_id ordered_on"),
]


def make_rules(checks):
    rules = pd.DataFrame(checks, columns=["check", "column", "argument"])
    rules = rules.assign(table="t", dimension="accuracy", en="", zh="")
    return rules.assign(rule=rules["check"])


def count_broken_rules(tables):
    of_contacts, of_orders = make_rules(CHECKED[:6]), make_rules(CHECKED[6:])
    day = pd.Timestamp("2024-07-01")
    contacts = count_rules(tables["contacts"], of_contacts, as_of=day)
    return pd.concat([contacts, count_rules(tables["orders"], of_orders, as_of=day)])


def count_usual_rules(tables):
    return count_rules(tables["orders"], load_rules("orders"), as_of=pd.Timestamp("2024-07-01"))


def find_leads(tables):
    leads = describe_leads(tables["contacts"], tables["orders"])
    return leads.sort_values(list(leads), ignore_index=True)


def track_weeks(tables):
    model, orders = BgNbd(0.243, 4.414, 0.793, 2.426), tables["orders"]
    return track_orders(model, orders, calibrated_to="2024-02-01", observed_to=END)


def count_repeats(tables):
    return count_daily_repeats(tables["orders"], won_to="2024-02-01", observed_to=END)


def follow_answers(tables):
    """Count what was bought after answers: twice of one customer, of strangers, of nobody."""
    survey = pd.DataFrame({"customer_id": ["客户001", "é", "客户001", "nobody", None, "Z"]})
    survey["answered_on"] = pd.Timestamp("2024-03-01") + pd.to_timedelta([0, 3, 50, 0, 1, 9], "D")
    return count_later_purchases(tables["orders"], survey, days=60).to_frame("n_later")


def find_engagement(tables):
    ids = [*(f"客户{i:02d}" for i in range(20)), *(f"C{i:02d}" for i in range(10)), "é"]
    worth = np.random.default_rng(6).gamma(2.0, 100.0, (2, len(ids)))
    value = {"customer_id": ids, "lifetime_value": worth[0], "past_value": worth[1]}
    return engagement_value(pd.DataFrame(value), tables["links"])


def find_uplift(tables):
    """Return the effect of the later contacts by segment, and what was planted."""
    ids, day = [f"客户{i:03d}" for i in range(50)], pd.Timestamp("2024-03-01")
    rng = np.random.default_rng(7)
    segment, after = pd.Series(rng.integers(1, 4, 50), index=ids), {"after": day}
    left = pd.Series(day + pd.to_timedelta(rng.integers(0, 300, 50), unit="D")).mask(
        rng.random(50) < 0.5
    )
    truth = pd.DataFrame({"customer_id": ids, "dropped_out_on": left})
    truth[["uplift_probability", "purchase_rate_per_week"]] = rng.random((50, 2)) / 4
    table = uplift_by_segment(tables["contacts"], segment, **after)
    return table.assign(
        planted=planted_uplift(tables["contacts"], truth, segment, **after).to_numpy(),
        n_left_out=table.attrs["n_left_out"],
    )


def look_at_neighbours(tables):
    """Return who is linked to whom, and who was first; one has taken it up of every three."""
    ids = pd.Index([*(f"客户{i:02d}" for i in range(20)), *(f"C{i:02d}" for i in range(20)), "é"])
    days = pd.Series(pd.date_range("2024-01-01", periods=len(ids), unit="us"), index=ids)
    adopted_on = days.where(np.arange(len(ids)) % 3 == 0)
    found = describe_adoption(adopted_on, days, tables["links"], observed_to=END)
    return found.join(count_links(tables["links"], ids))


READERS = {
    "customers": lambda t: aggregate_orders(t["orders"], observed_to=END),
    "facts": lambda t: pd.DataFrame([describe_orders(t["orders"], observed_to=END)]),
    "head": lambda t: head_orders(t["orders"]),
    "months": lambda t: summarize_months(t["orders"], observed_to=END),
    "cohorts": lambda t: repeat_rate_by_cohort(t["orders"], observed_to=END),
    "quarters": lambda t: quarter_book(t["orders"]),
    "contacts": lambda t: quarter_contacts(t["contacts"]),
    "profile": summarize_profile,
    "holdout": aggregate_both_parts,
    "split": lambda t: head_orders(split_orders(t["orders"], calibrated_to="2024-06-15")[1]),
    "pairs": lambda t: open_links(t["links"]).pairs,
    "neighbours": lambda t: summarize_links(open_links(t["links"]).pairs),
    "unicity": try_to_single_out,
    "weeks": lambda t: sense_market(t, "2024-01-01", "2024-12-29"),
    "uses": lambda t: list_uses(t["contacts"], source="list"),
    "inventory": take_inventory,
    "rules": count_broken_rules,
    "usual rules": count_usual_rules,
    "leads": find_leads,
    "span": lambda t: value_between(t["orders"], "2024-02-01", "2024-02-29").reset_index(),
    "repeats": count_repeats,
    "tracked": track_weeks,
    "answers": follow_answers,
    "engagement": find_engagement,
    "uplift": find_uplift,
    "purchases": lambda t: describe_purchases(t["orders"], observed_to=END),
    "adoption": look_at_neighbours,
    "offers": lambda t: offer_response(t["contacts"]).to_frame(),
    "questions": lambda t: judge_contacts(t["contacts"], t["orders"])[0],
}
#: Many questions, most of them asked by others as well: half as much again of Spark's time.
COMPOSED = ("holdout", "inventory", "rules", "tracked", "questions")
ENGINES = {
    "polars": pl.from_pandas,
    "polars lazy": lambda frame: pl.from_pandas(frame).lazy(),
    "pyarrow": lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
    "duckdb": lambda frame: pytest.importorskip("duckdb").from_arrow(pa.Table.from_pandas(frame)),
}


def with_dates(frame):
    """Return the table in Arrow with its days stored as dates."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    for i, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            table = table.set_column(i, field.name, table[i].cast(pa.date32()))
    return table


DATE_ENGINES = {
    "polars": pl.from_arrow,
    "polars lazy": lambda table: pl.from_arrow(table).lazy(),
    "pyarrow": lambda table: table,
    "duckdb": lambda table: pytest.importorskip("duckdb").from_arrow(table),
}


@pytest.fixture(scope="module")
def expected():
    tables = {name: make() for name, make in MAKERS.items()}
    return {name: read(tables) for name, read in READERS.items()}


@functools.cache
def open_tables(engine, *, are_dates):
    """Return the tables as one engine has them, once for all readers."""
    convert = DATE_ENGINES[engine] if are_dates else ENGINES[engine]
    made = {name: make() for name, make in MAKERS.items()}
    return {name: convert(with_dates(t) if are_dates else t) for name, t in made.items()}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("engine", ENGINES)
def test_every_reader_gives_the_table_of_pandas(engine, reader, expected):
    tables = open_tables(engine, are_dates=False)
    pd.testing.assert_frame_equal(READERS[reader](tables), expected[reader], check_exact=True)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("engine", DATE_ENGINES)
def test_dates_and_times_at_midnight_are_the_same_days(engine, reader, expected):
    tables = open_tables(engine, are_dates=True)
    pd.testing.assert_frame_equal(READERS[reader](tables), expected[reader], check_exact=True)


def test_rules_are_counted_as_row_by_row(monkeypatch):
    orders, rules = make_orders(), make_rules(CHECKED[6:])
    day = pd.Timestamp("2024-07-01")
    passed = check_rows(orders, rules, as_of=day)
    summary = count_rules(orders, rules, as_of=day)
    pd.testing.assert_frame_equal(summary, summarise_rules(passed, rules), check_exact=True)
    assert (summary["n_failed"] > 0).sum() >= 8
    assert score_counts(summary)["accuracy"] == passed.to_numpy().mean()
    # A table on disk is compared with itself in periods of time.
    monkeypatch.setattr(quality_checks, "_ROWS_AT_A_TIME", 400)
    for frame in (pl.from_pandas(orders), pl.from_arrow(with_dates(orders))):
        again = count_rules(frame.lazy(), rules, as_of=day)
        pd.testing.assert_frame_equal(again, summary, check_exact=True)


@pytest.mark.parametrize("convert", [lambda f: f, lambda f: pl.from_pandas(f).lazy()])
def test_a_rule_that_no_engine_can_use_is_named(convert):
    orders = convert(make_orders(30))
    with pytest.raises(
        ValueError, match=r"rule 'between': the check 'between' cannot use .* 'orde"
    ):
        count_rules(orders, make_rules([("between", "order_id", "1..2")]), as_of=None)


@pytest.mark.xdist_group("spark")
@pytest.mark.parametrize("are_dates", [False, True])
def test_every_reader_gives_the_table_of_pandas_on_a_spark_cluster(
    spark, are_dates, expected, tmp_path
):
    frames = {}
    for name, make in MAKERS.items():
        path, table = tmp_path / f"{name}.parquet", make()
        arrow = with_dates(table) if are_dates else pa.Table.from_pandas(table)
        pa.parquet.write_table(arrow, path)
        frame = spark.read.parquet(path.as_uri())
        frames[name] = frame if are_dates else frame.cache()  # two dozen readers, one reading
    # One kind of days is enough where two readers put the same question.
    names = ("customers", "quarters") if are_dates else [n for n in READERS if n not in COMPOSED]
    for name in names:
        found = READERS[name](frames)
        pd.testing.assert_frame_equal(found, expected[name], check_exact=True)


def test_the_time_of_an_order_changes_no_table_of_days():
    orders = make_orders()
    hours = pd.to_timedelta(np.random.default_rng(5).integers(0, 86_399, len(orders)), unit="s")
    timed = orders.assign(ordered_on=(orders["ordered_on"] + hours).astype("datetime64[us]"))
    expected = aggregate_orders(orders, observed_to=END)
    for convert in (lambda frame: frame, *ENGINES.values()):
        table = aggregate_orders(convert(timed), observed_to=END)
        pd.testing.assert_frame_equal(table, expected, check_exact=True)


def test_sums_are_exact():
    orders = make_orders()
    table = aggregate_orders(orders, observed_to=END).set_index("customer_id")
    for customer, rows in orders.groupby("customer_id"):
        # fsum rounds once, at the end; one step of the last bit is for the joining of the halves.
        for column, amounts in {
            "total_value": rows["amount"],
            "total_margin": rows["margin"],
        }.items():
            exact = math.fsum(amounts)
            assert abs(table.loc[customer, column] - exact) <= len(rows) * 5e-10 + math.ulp(exact)


@pytest.mark.parametrize(
    ("amounts", "total"),
    [([0.1, 0.2], 0.3), ([-0.1], -0.1), ([1e12, 0.01, -1e12], 0.01), ([-5.25, 5.25], 0.0)],
)
def test_sums_of_cents_are_the_number_one_would_write(amounts, total):
    orders = pd.DataFrame({"customer_id": "a", "ordered_on": END, "amount": amounts})
    assert aggregate_orders(orders, observed_to=END)["total_value"].tolist() == [total]


def test_join_money_carries_billionths_of_either_sign():
    assert join_money([2, -2, 0], [3_500_000_000, 500_000_000, 0]).tolist() == [5.5, -1.5, 0.0]


@pytest.mark.parametrize("engine", ["polars lazy", "duckdb"])
def test_the_order_of_rows_changes_no_bit(engine):
    orders = make_orders()
    shuffled = orders.sample(frac=1, random_state=2)
    tables = [aggregate_orders(ENGINES[engine](o), observed_to=END) for o in (orders, shuffled)]
    pd.testing.assert_frame_equal(*tables, check_exact=True)


@pytest.mark.parametrize(
    "convert", [lambda f: pl.from_pandas(f).lazy(), lambda f: pl.from_arrow(with_dates(f)).lazy()]
)
@pytest.mark.parametrize("n_rows", [100, 700])
def test_reading_in_periods_changes_nothing(monkeypatch, convert, n_rows):
    orders = make_orders()
    expected = aggregate_orders(orders, observed_to=END)
    repeats = count_repeats({"orders": orders})
    monkeypatch.setattr(aggregate, "_ROWS_AT_A_TIME", n_rows)
    table = aggregate_orders(convert(orders), observed_to=END)
    pd.testing.assert_frame_equal(table, expected, check_exact=True)
    again = count_repeats({"orders": convert(orders)})
    pd.testing.assert_frame_equal(again, repeats, check_exact=True)


SCRIPT = """
import hashlib, sys
import pandas as pd, polars as pl
from crmlab.value.aggregate import aggregate_orders
table = aggregate_orders(pl.scan_parquet(sys.argv[1]), observed_to=pd.Timestamp("2024-12-31"))
print(pl.thread_pool_size(), hashlib.sha256(table.to_csv().encode()).hexdigest())
"""


def test_the_number_of_threads_changes_no_bit(tmp_path):
    orders = pd.concat([make_orders(20_000, seed) for seed in range(3)])
    orders.to_parquet(tmp_path / "orders.parquet", row_group_size=5_000)
    said = []
    for n_threads in ("1", "4"):
        command = [sys.executable, "-c", SCRIPT, str(tmp_path / "orders.parquet")]
        environment = os.environ | {"POLARS_MAX_THREADS": n_threads}
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        said.append(run.stdout.split())
    assert [threads for threads, _ in said] == ["1", "4"]
    assert said[0][1] == said[1][1]


def test_an_empty_order_book_gives_an_empty_table():
    empty = make_orders().iloc[:0]
    for convert in (lambda frame: frame, *ENGINES.values()):
        assert len(aggregate_orders(convert(empty), observed_to=END)) == 0


@pytest.mark.parametrize("amount", [1e13, -2e15])
def test_amounts_too_large_to_add_up_exactly_are_refused(amount):
    orders = make_orders(n=30)
    orders.loc[7, "amount"] = amount
    with pytest.raises(ValueError, match=r"1e[+]13 or more in size"):
        aggregate_orders(orders, observed_to=END)
    with pytest.raises(
        ValueError, match="orders: 1 entries of sold, returned, margin are infinite"
    ):
        quarter_book(orders)


def test_late_orders_are_refused_alike_by_every_engine():
    orders = make_orders()
    for convert in (lambda frame: frame, *ENGINES.values()):
        with pytest.raises(ValueError, match=r"'C000' ordered on .* after the end .* customers in"):
            aggregate_orders(convert(orders), observed_to=pd.Timestamp("2024-01-31"))
