"""The Complete Journey: a year of a grocer's households, their baskets, and coupons sent to them.

Two editions are read alike: CSV files with a sample of the lines of all baskets, in the shops'
local time, and Parquet files with every line, in universal time. Money is summed in cents, as
whole numbers, so that the sum of a basket is exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

__all__ = ["read"]

Rows = list[tuple[str, str, str, int]]

_LOCAL = "America/New_York"
_COUPONS_OF_TYPE_A = 16  # chosen for each household out of the campaign's, says the user guide
_AGES = ("19-24", "25-34", "35-44", "45-54", "55-64", "65+")
_INCOMES = {
    "Under 15K": "low",
    "15-24K": "low",
    "25-34K": "low",
    "35-49K": "middle",
    "50-74K": "middle",
    "75-99K": "high",
    "100-124K": "high",
    "125-149K": "high",
    "150-174K": "high",
    "175-199K": "high",
    "200-249K": "high",
    "250K+": "high",
}
_SIZES = ("1", "2", "3", "4", "5+")
_CHILDREN = ("0", "1", "2", "3+")
_HOUSEHOLDS = {
    "1 Adult No Kids": "one_adult",
    "2 Adults No Kids": "two_adults",
    "1 Adult Kids": "one_adult_with_children",
    "2 Adults Kids": "two_adults_with_children",
}


def read(paths: Mapping[str, Path]) -> tuple[dict[str, pd.DataFrame], Rows]:
    """Return the tables customers, contacts and orders of the households, and what was left out.

    Parameters
    ----------
    paths : mapping of str to pathlib.Path
        The files campaigns, campaign_descriptions, coupons, coupon_redemptions, demographics,
        products and transactions (or transactions_sample), all ``.csv.gz`` or all ``.parquet``.

    Returns
    -------
    tables : dict of str to pandas.DataFrame
        `customers` (a household; its bands are ordered categories), `contacts` (a household that
        a campaign sent coupons to; has_responded: it redeemed one; all are treated, for nobody
        was held out) and `orders` (a basket; amount is what the shop received, in US dollars).
    left_out : list of (table, reason, reason_zh, n_rows)
        Baskets that come to 0.
    """
    files = {name.split(".")[0].removesuffix("_sample"): path for name, path in paths.items()}
    lines = _lines(files["transactions"])
    orders, n_empty = _orders(lines, _table(files["products"]))
    contacts = _contacts({name: _table(path) for name, path in files.items() if name in _SENT})
    buyers = lines["customer_id"].unique().to_pandas()
    customers = _customers(_table(files["demographics"]), contacts["customer_id"], buyers)
    left_out = [
        (
            "orders",
            "baskets whose lines on record come to 0",
            "所录明细合计为 0 的购物篮",
            n_empty,
        )
    ]
    return {"customers": customers, "contacts": contacts, "orders": orders}, left_out


_SENT = ("campaigns", "campaign_descriptions", "coupons", "coupon_redemptions")


def _table(path: Path) -> pl.DataFrame:
    """Return a small file with every column as text, days as YYYY-MM-DD."""
    import polars as pl
    import polars.selectors as cs

    if path.suffix == ".parquet":
        return (
            pl.read_parquet(path)
            .select(cs.temporal().cast(pl.Date), ~cs.temporal())
            .cast(pl.String)
        )
    return pl.read_csv(path, infer_schema_length=0)


def _lines(path: Path) -> pl.DataFrame:
    """Return the lines of baskets with the day in local time and money in whole cents."""
    import polars as pl

    stamp = pl.col("transaction_timestamp")
    if path.suffix == ".parquet":
        lines = pl.scan_parquet(path)
        day = stamp.dt.replace_time_zone("UTC").dt.convert_time_zone(_LOCAL).dt.date()
    else:
        keys = dict.fromkeys(("household_id", "store_id", "basket_id", "product_id"), pl.String)
        lines = pl.read_csv(path, schema_overrides=keys).lazy()
        day = stamp.str.slice(0, 10).str.to_date("%Y-%m-%d")

    def cents(column: str) -> pl.Expr:
        return (pl.col(column) * 100).round().cast(pl.Int64)

    return lines.select(
        order_id=pl.col("basket_id").cast(pl.String),
        customer_id=pl.col("household_id").cast(pl.String),
        store_id=pl.col("store_id").cast(pl.String),
        product_id=pl.col("product_id").cast(pl.String),
        ordered_on=day,
        quantity="quantity",
        amount=cents("sales_value"),
        discount=cents("retail_disc") + cents("coupon_match_disc"),
        coupon_discount=cents("coupon_disc"),
    ).collect()


def _orders(lines: pl.DataFrame, products: pl.DataFrame) -> tuple[pd.DataFrame, int]:
    import polars as pl

    # Petrol is sold in thousandths of a gallon: a filling counts as one item.
    petrol = products.filter(pl.col("product_type").str.starts_with("GASOLINE"))["product_id"]
    is_petrol = pl.col("product_id").is_in(petrol.implode())
    money = ("amount", "discount", "coupon_discount")
    baskets = (
        lines.with_columns(
            n_items=pl.when(is_petrol).then(pl.min_horizontal("quantity", 1)).otherwise("quantity")
        )
        .group_by("order_id", "customer_id", "ordered_on", "store_id")
        .agg(pl.col("n_items", *money).sum())
        .sort("ordered_on", "order_id")
    )
    orders = baskets.filter(pl.col("amount") != 0)
    order = ["order_id", "customer_id", "ordered_on", "amount", "n_items", "store_id"]
    frame = orders.select(*order, "discount", "coupon_discount").to_pandas()
    for column in money:
        frame[column] = frame[column] / 100
    return frame, baskets.height - orders.height


def _contacts(tables: Mapping[str, pl.DataFrame]) -> pd.DataFrame:
    import polars as pl

    coupons = tables["coupons"].group_by("campaign_id").agg(pl.col("coupon_upc").n_unique())
    redeemed = (
        tables["coupon_redemptions"]
        .group_by("campaign_id", "household_id")
        .agg(n_redemptions=pl.len(), responded_on=pl.col("redemption_date").min())
    )
    is_chosen = pl.col("campaign_type") == "Type A"
    contacts = (
        tables["campaigns"]
        .join(tables["campaign_descriptions"], on="campaign_id", how="left")
        .join(coupons, on="campaign_id", how="left")
        .join(redeemed, on=["campaign_id", "household_id"], how="left")
        .with_columns(pl.col("campaign_id").str.zfill(2))
        .sort("start_date", "campaign_id", pl.col("household_id").cast(pl.Int64))
        .select(
            contact_id=pl.format("{}-{}", "campaign_id", "household_id"),
            customer_id="household_id",
            campaign=pl.format("campaign_{}", "campaign_id"),
            channel=pl.lit("coupons"),
            contacted_on=_day("start_date"),
            cost=pl.lit(None, dtype=pl.Float64),
            is_treated=pl.lit(value=True),
            has_responded=pl.col("n_redemptions").is_not_null(),
            campaign_type=pl.col("campaign_type").str.replace("Type ", ""),
            ended_on=_day("end_date"),
            n_coupons=pl.when(is_chosen)
            .then(_COUPONS_OF_TYPE_A)
            .otherwise("coupon_upc")
            .cast(pl.Int64),
            n_redemptions=pl.col("n_redemptions").fill_null(0).cast(pl.Int64),
            responded_on=_day("responded_on"),
        )
    )
    return contacts.to_pandas()


def _day(column: str) -> pl.Expr:
    import polars as pl

    return pl.col(column).str.to_datetime("%Y-%m-%d", time_unit="us")


def _customers(demographics: pl.DataFrame, reached: pd.Series, buyers: pd.Series) -> pd.DataFrame:
    import pandas as pd

    known = demographics.to_pandas().set_index("household_id")
    named = pd.concat([known.index.to_series(), reached, buyers])
    households = named.drop_duplicates().sort_values(key=lambda ids: ids.astype("int64"))
    known = known.reindex(households)

    def band(column: str, order: tuple[str, ...]) -> pd.Series:
        kind = pd.CategoricalDtype(order, ordered=True)
        return known[column].astype(kind)

    customers = pd.DataFrame(
        {
            "income_band": known["income"].map(_INCOMES),
            "marital_status": known["marital_status"].str.lower(),
            "age_band": band("age", _AGES),
            "income_bracket": band("income", tuple(_INCOMES)),
            "household_size": band("household_size", _SIZES),
            "children_band": band("kids_count", _CHILDREN),
            "household_type": known["household_comp"].map(_HOUSEHOLDS),
            "home_ownership": known["home_ownership"].str.lower().str.replace(" ", "_"),
        }
    )
    return customers.rename_axis("customer_id").reset_index()
