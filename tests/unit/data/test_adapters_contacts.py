"""From files to tables, data sets of campaigns: Hillstrom, the bank, The Complete Journey.

Real data is read where CRMLAB_MIRROR points; without it those tests are skipped.
"""

import csv
import gzip
from collections import Counter, defaultdict
from decimal import Decimal

import duckdb
import pandas as pd
import polars as pl
import pytest

from crmlab.data import is_at_hand, load_dataset
from crmlab.data.adapters import bank_marketing, complete_journey, hillstrom


def write_gzip(path, text):
    with gzip.open(path, "wt", encoding="ascii", newline="") as stream:
        stream.write(text)
    return {path.name: path}


# Hillstrom

HILLSTROM = (
    "recency,history_segment,history,mens,womens,zip_code,newbie,channel,segment,visit,"
    'conversion,spend\n10,2) $100 - $200,142.44,1,0,Surburban,0,Phone,"Womens E-Mail",0,0,0\n'
    "6,3) $200 - $350,329.08,1,1,Rural,1,Web,No E-Mail,1,1,29.99\n"
)


def test_hillstrom_row_becomes_a_customer_and_a_contact(tmp_path):
    tables, left_out = hillstrom.read(write_gzip(tmp_path / "hillstrom.csv.gz", HILLSTROM))
    customers, contacts = tables["customers"], tables["contacts"]
    assert customers["area"].tolist() == ["suburban", "rural"]
    assert customers["past_year_value"].tolist() == [142.44, 329.08]
    assert contacts["arm"].tolist() == ["womens_email", "control"]
    assert contacts["is_treated"].tolist() == [True, False]
    assert contacts["has_responded"].tolist() == [False, True]
    assert contacts["response_value"].tolist() == [0.0, 29.99]
    assert contacts["cost"].isna().all()
    assert left_out == []


@pytest.mark.usefixtures("mirror")
def test_hillstrom_has_the_published_arms_and_their_visits_purchases_and_dollars(mirror):
    # 64,000 customers, a third in each arm: Hillstrom (2008). Counted here by hand, row by row.
    counted = defaultdict(lambda: [0, 0, 0, Decimal(0)])
    with gzip.open(mirror / "hillstrom/hillstrom.csv.gz", "rt", newline="") as lines:
        for row in csv.DictReader(lines):
            arm = counted[row["segment"]]
            for place, value in enumerate((1, int(row["visit"]), int(row["conversion"]))):
                arm[place] += value
            arm[3] += Decimal(row["spend"])
    contacts = load_dataset("hillstrom").tables["contacts"]
    summed = contacts.groupby("arm").agg(
        n=("contact_id", "size"),
        visits=("has_responded", "sum"),
        purchases=("has_bought", "sum"),
        dollars=("response_value", "sum"),
    )
    assert len(contacts) == 64000
    names = {"mens_email": "Mens E-Mail", "womens_email": "Womens E-Mail", "control": "No E-Mail"}
    for arm, theirs in names.items():
        *counts, dollars = counted[theirs]
        assert summed.loc[arm, ["n", "visits", "purchases"]].tolist() == counts
        assert summed.loc[arm, "dollars"] == pytest.approx(float(dollars), abs=0.005)
    assert summed["n"].to_dict() == {"control": 21306, "mens_email": 21307, "womens_email": 21387}
    # The same counts as rates, for the reader: each message brought visits, the first more.
    rates = (100 * summed["visits"] / summed["n"]).round(1)
    assert rates.to_dict() == {"control": 10.6, "mens_email": 18.3, "womens_email": 15.1}
    assert contacts["is_treated"].equals(contacts["arm"] != "control")


@pytest.mark.usefixtures("mirror")
def test_hillstrom_arms_are_alike_before_the_test():
    # Drawn at random: the mean of the year before differs by chance, |z| below 4 in each pair.
    tables = load_dataset("hillstrom").tables
    both = tables["contacts"].merge(tables["customers"], on="customer_id", validate="1:1")
    groups = both.groupby("arm")["past_year_value"].agg(["mean", "var", "size"])
    control = groups.loc["control"]
    for arm in ("mens_email", "womens_email"):
        other = groups.loc[arm]
        error = (control["var"] / control["size"] + other["var"] / other["size"]) ** 0.5
        assert abs(control["mean"] - other["mean"]) < 4 * error


# Bank marketing

BANK = (
    '"age";"job";"marital";"education";"default";"balance";"housing";"loan";"contact";"day";'
    '"month";"duration";"campaign";"pdays";"previous";"poutcome";"y"\n'
    '58;"admin.";"married";"tertiary";"no";-20;"yes";"no";"unknown";5;"may";261;1;-1;0;"unknown";"no"\n'
    '44;"unknown";"single";"secondary";"no";29;"yes";"no";"telephone";31;"dec";151;2;92;1;"other";"yes"\n'
    '33;"student";"single";"unknown";"no";2;"no";"yes";"cellular";2;"jan";76;1;-1;0;"unknown";"no"\n'
    '33;"student";"single";"primary";"no";2;"no";"yes";"cellular";28;"feb";76;1;-1;0;"unknown";"no"\n'
)


def test_bank_year_is_told_by_the_order_of_the_rows(tmp_path):
    tables, _ = bank_marketing.read(write_gzip(tmp_path / "bank.csv.gz", BANK))
    days = tables["contacts"]["contacted_on"].dt.strftime("%Y-%m-%d").tolist()
    assert days == ["2008-05-05", "2008-12-31", "2009-01-02", "2009-02-28"]


def test_bank_unknown_is_missing_and_minus_one_day_too(tmp_path):
    tables, left_out = bank_marketing.read(write_gzip(tmp_path / "bank.csv.gz", BANK))
    customers, contacts = tables["customers"], tables["contacts"]
    assert customers["occupation"].fillna("?").tolist() == ["admin", "?", "student", "student"]
    assert customers["education"].isna().tolist() == [False, False, True, False]
    assert customers["account_balance"].tolist() == [-20, 29, 2, 2]
    assert contacts["phone_line"].fillna("?").tolist() == ["?", "fixed", "cellular", "cellular"]
    assert contacts["days_since_earlier_call"].fillna(0).tolist() == [0, 92, 0, 0]
    assert contacts["has_responded"].tolist() == [False, True, False, False]
    assert contacts["is_treated"].all()
    assert left_out == []


@pytest.mark.usefixtures("mirror")
def test_bank_has_the_published_clients_and_subscriptions():
    # 45,211 clients, May 2008 to November 2010, 5,289 subscriptions: the repository's own notes.
    tables = load_dataset("bank_marketing").tables
    contacts = tables["contacts"]
    assert len(tables["customers"]) == len(contacts) == 45211
    assert contacts["has_responded"].sum() == 5289
    assert contacts["is_treated"].all()
    assert contacts["cost"].isna().all()


@pytest.mark.usefixtures("mirror")
def test_bank_days_run_forward_and_fall_on_weekdays():
    # Nothing but the right year brings the calls to weekdays: a year off, 27 in 100 would not be.
    dataset = load_dataset("bank_marketing")
    days = dataset.tables["contacts"]["contacted_on"]
    assert days.is_monotonic_increasing
    assert (days.min(), days.max()) == (dataset.observed_from, dataset.observed_to)
    assert (days.dt.day_of_week >= 5).sum() == 50
    off = days + pd.DateOffset(years=1)
    assert (off.dt.day_of_week >= 5).sum() > 5000


@pytest.mark.usefixtures("mirror")
def test_bank_balances_add_up_by_another_program(mirror):
    theirs = duckdb.execute(
        "select job, sum(balance), sum(duration), count(*) filter (y) "
        "from read_csv(?, delim=';') where job <> 'unknown' group by job",
        [str(mirror / "bank_marketing/bank-full.csv.gz")],
    ).fetchall()
    tables = load_dataset("bank_marketing").tables
    both = tables["customers"].merge(tables["contacts"], on="customer_id")
    ours = both.groupby("occupation")[
        ["account_balance", "duration_seconds", "has_responded"]
    ].sum()
    assert {row[0].removesuffix("."): row[1:] for row in theirs} == {
        row.Index: (row.account_balance, row.duration_seconds, row.has_responded)
        for row in ours.itertuples()
    }


# The Complete Journey

LINES = (
    "household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,"
    "coupon_match_disc,week,transaction_timestamp\n"
)
SMALL = {
    "transactions": LINES + "7,1,900,11,1,0.1,0.05,0.5,0.02,1,2017-01-01 23:30:00\n"
    "7,1,900,12,3,0.2,0,0,0,1,2017-01-01 23:30:00\n"
    "7,1,900,99,10500,25.01,0,0,0,1,2017-01-01 23:30:00\n"  # petrol
    "10,2,901,11,1,0,0,1,0,1,2017-07-03 10:00:00\n",  # comes to 0
    "products": "product_id,product_type\n11,BREAD\n12,\n99,GASOLINE-REG UNLEADED\n",
    "demographics": "household_id,age,income,home_ownership,marital_status,household_size,"
    "household_comp,kids_count\n7,65+,35-49K,Probable Renter,,2,2 Adults No Kids,0\n",
    "campaigns": "campaign_id,household_id\n1,7\n1,30\n2,7\n",
    "campaign_descriptions": "campaign_id,campaign_type,start_date,end_date\n"
    "1,Type B,2017-02-01,2017-03-01\n2,Type A,2017-01-15,2017-02-15\n",
    "coupons": "coupon_upc,product_id,campaign_id\n51,11,1\n51,12,1\n52,11,1\n52,11,1\n53,11,2\n",
    "coupon_redemptions": "household_id,coupon_upc,campaign_id,redemption_date\n"
    "7,52,1,2017-02-20\n7,51,1,2017-02-03\n",
}


@pytest.fixture
def journey(tmp_path):
    paths = {}
    for name, text in SMALL.items():
        file = "transactions_sample" if name == "transactions" else name
        paths |= write_gzip(tmp_path / f"{file}.csv.gz", text)
    return paths


def test_journey_lines_become_baskets_and_empty_ones_are_counted(journey):
    tables, left_out = complete_journey.read(journey)
    (order,) = tables["orders"].to_dict("records")
    assert order == {
        "order_id": "900",
        "customer_id": "7",
        "ordered_on": pd.Timestamp("2017-01-01"),
        "amount": 25.31,  # exact: 0.1 + 0.2 + 25.01 in floats is 25.310000000000002
        "n_items": 5,
        "store_id": "1",
        "discount": 0.07,
        "coupon_discount": 0.5,
    }
    assert [row[3] for row in left_out] == [1]


def test_journey_customers_are_the_households_that_any_table_names(journey):
    customers = complete_journey.read(journey)[0]["customers"].set_index("customer_id")
    assert customers.index.tolist() == ["7", "10", "30"]
    known = customers.loc["7"]
    assert known["income_band"] == "middle"
    assert known["home_ownership"] == "probable_renter"
    assert known["household_type"] == "two_adults"
    assert customers["age_band"].cat.ordered
    assert customers["age_band"].max() == "65+"
    assert customers["marital_status"].isna().all()
    assert customers.loc[["10", "30"]].isna().to_numpy().all()


def test_journey_contact_is_a_household_in_a_campaign_and_answers_by_redeeming(journey):
    contacts = complete_journey.read(journey)[0]["contacts"].set_index("contact_id")
    assert contacts.index.tolist() == ["02-7", "01-7", "01-30"]  # by the day of the campaign
    assert contacts["n_coupons"].tolist() == [16, 2, 2]
    assert contacts["n_redemptions"].tolist() == [0, 2, 0]
    assert contacts["has_responded"].tolist() == [False, True, False]
    assert contacts.loc["01-7", "responded_on"] == pd.Timestamp("2017-02-03")
    assert contacts["is_treated"].all()


def test_journey_edition_in_parquet_and_universal_time_gives_the_same_tables(journey, tmp_path):
    paths = {}
    for name, path in journey.items():
        frame = pl.read_csv(path, try_parse_dates=True)
        if "transaction_timestamp" in frame.columns:
            local = pl.col("transaction_timestamp").dt.replace_time_zone("America/New_York")
            universal = local.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
            frame = frame.with_columns(universal.dt.cast_time_unit("ns"))
            assert frame["transaction_timestamp"].dt.day().to_list()[0] == 2  # past midnight
        file = tmp_path / f"{name.split('.')[0].removesuffix('_sample')}.parquet"
        frame.write_parquet(file)
        paths[file.name] = file
    ours, theirs = complete_journey.read(paths)[0], complete_journey.read(journey)[0]
    for name, frame in theirs.items():
        pd.testing.assert_frame_equal(ours[name], frame)


@pytest.mark.usefixtures("mirror")
def test_journey_has_the_published_counts():
    # 27 campaigns, 1,559 households reached, 2,102 redemptions: the user guide's tables.
    dataset = load_dataset("complete_journey")
    customers, contacts = dataset.tables["customers"], dataset.tables["contacts"]
    orders = dataset.tables["orders"]
    assert (len(customers), len(contacts), len(orders)) == (2379, 6589, 46988)
    assert dataset.left_out["n_rows"].tolist() == [255]
    assert contacts["campaign"].nunique() == 27
    assert contacts["customer_id"].nunique() == 1559
    assert contacts["n_redemptions"].sum() == 2102  # every redemption is of a coupon sent
    assert contacts["has_responded"].sum() == 792
    assert contacts.loc[contacts["campaign"] == "campaign_18", "n_coupons"].unique() == [16]
    inside = contacts["responded_on"].between(contacts["contacted_on"], contacts["ended_on"])
    assert inside.equals(contacts["has_responded"])
    assert customers["age_band"].notna().sum() == 801
    assert Counter(customers["income_band"].dropna()) == {"middle": 364, "high": 225, "low": 212}
    assert orders["n_items"].max() < 100  # no petrol by the thousandth of a gallon


@pytest.mark.usefixtures("mirror")
def test_journey_amounts_equal_a_sum_by_another_program(mirror):
    theirs = duckdb.execute(
        "select household_id, sum(cast(sales_value as decimal(9, 2))), count(distinct basket_id), "
        "min(cast(transaction_timestamp as date)) from read_csv(?, all_varchar=true) "
        "where cast(sales_value as double) >= 0.005 group by household_id",
        [str(mirror / "complete_journey/transactions_sample.csv.gz")],
    ).fetchall()
    orders = load_dataset("complete_journey").tables["orders"]
    ours = orders.groupby("customer_id").agg(
        amount=("amount", "sum"), n=("order_id", "size"), first=("ordered_on", "min")
    )
    assert len(theirs) == len(ours)
    for household, amount, n, first in theirs:
        row = ours.loc[household]
        assert row["amount"] == pytest.approx(float(amount), abs=1e-6)
        assert (row["n"], row["first"].date()) == (n, first)


@pytest.mark.usefixtures("mirror")
def test_journey_in_full_holds_the_sample_and_the_published_households():
    # 2,469 households, 155,848 baskets: the package's own description of its data.
    if not is_at_hand("complete_journey_full"):
        pytest.skip("complete_journey_full is not fetched: crmlab data get complete_journey_full")
    full, sample = load_dataset("complete_journey_full"), load_dataset("complete_journey")
    orders = full.tables["orders"]
    assert len(full.tables["customers"]) == 2469
    assert len(orders) + full.left_out["n_rows"].sum() == 155848
    pd.testing.assert_frame_equal(full.tables["contacts"], sample.tables["contacts"])
    both = sample.tables["orders"].merge(orders, on=["order_id", "customer_id"], how="left")
    assert both["ordered_on_x"].equals(both["ordered_on_y"])  # local time and universal time
    assert (both["amount_x"] <= both["amount_y"]).all()
