"""The simulated table `sources`: where each table would come from at a firm like this one.

Who asks: whoever studies provenance, licences and consent.
"""

from __future__ import annotations

import pandas as pd

__all__ = ["Spans", "store_sources"]

_TIMES = {
    "customers": ("joined_on",),
    "orders": ("ordered_on",),
    "contacts": ("contacted_on",),
    "survey": ("answered_on",),
    "tickets": ("opened_at",),
    "requests": ("asked_on",),
    "links": ("first_on",),
    "activity": ("month_on",),
    "staff": ("answered_on",),
}


class Spans:
    """The number of rows of each table and its first and last day, gathered piece by piece."""

    def __init__(self):
        self.n_rows: dict[str, int] = {}
        self._days: dict[str, list[pd.Timestamp]] = {}

    def add(self, name: str, piece: pd.DataFrame) -> None:
        """Count a piece of a table."""
        self.n_rows[name] = self.n_rows.get(name, 0) + len(piece)
        for column in _TIMES.get(name, ()):
            self._days.setdefault(name, []).extend((piece[column].min(), piece[column].max()))

    def days(self, name: str) -> tuple[pd.Timestamp, pd.Timestamp]:
        """Return the first and the last day of a table; nothing where it has none."""
        days = pd.Series(self._days.get(name, []), dtype="datetime64[us]")
        return days.min(), days.max()


def store_sources(
    customers: pd.DataFrame, spans: Spans, n_partner_campaigns: int, last: pd.Timestamp
) -> pd.DataFrame:
    """Return the table `sources`: where the tables would come from at a firm like this one.

    What a third party supplied has a licence that ends two years after the last day observed and
    a price by the row; each campaign to the partner's customers is a use of the partner's list.
    """
    is_partner = customers["acquisition_channel"] == "partner"
    of_partner = Spans()
    of_partner.add("customers", customers[is_partner])
    of_others = Spans()
    of_others.add("customers", customers[~is_partner])
    parts = [
        ("customers", of_others, _OWN, "sales records"),
        ("customers", of_partner, _PARTNER, "promotion"),
        ("orders", spans, _OWN, "sales records"),
        ("contacts", spans, _MARKETING, "promotion"),
        ("survey", spans, _BOUGHT, "survey"),
        ("items", spans, _BOUGHT | {"price_per_row": 0.0}, "survey"),
        ("tickets", spans, _OWN, "service records"),
        ("requests", spans, _OWN, "service records"),
        ("links", spans, _OWN, "call records"),
        ("activity", spans, _OWN, "site and shop records"),
        ("accounts", spans, _OWN, "sales records"),
        ("staff", spans, _STAFF, "survey"),
    ]
    rows = [
        {
            "table": name,
            "origin": terms["origin"],
            "method": method,
            "collected_from": found.days(name)[0],
            "collected_to": found.days(name)[1],
            "licence": terms["licence"],
            "consent": terms["consent"],
            "n_rows": found.n_rows[name],
            "purpose": terms["purpose"],
            "price": terms["price_per_row"] * found.n_rows[name],
            "licence_expires_on": last + pd.DateOffset(years=2) if terms["is_bought"] else pd.NaT,
            "uses_allowed": terms["uses_allowed"],
        }
        for name, found, terms, method in parts
    ]
    frame = pd.DataFrame(rows)
    for name in ("collected_from", "collected_to", "licence_expires_on"):
        frame[name] = frame[name].astype("datetime64[us]").dt.normalize()
    frame["uses_allowed"] = frame["uses_allowed"].astype("Int64")
    is_limited = frame["uses_allowed"].notna()
    frame["uses_made"] = frame["uses_allowed"].mask(is_limited, n_partner_campaigns)
    return frame


_OWN = {
    "origin": "own operation",
    "licence": "customer and privacy terms",
    "consent": "customer contract",
    "purpose": "service",
    "price_per_row": 0.0,
    "is_bought": False,
    "uses_allowed": None,
}
_MARKETING = _OWN | {"consent": "consent to marketing", "purpose": "marketing"}
_PARTNER = {
    "origin": "partner",
    "licence": "data-sharing agreement",
    "consent": "consent to sharing",
    "purpose": "marketing",
    "price_per_row": 6.0,
    "is_bought": True,
    "uses_allowed": 12,
}
_BOUGHT = {
    "origin": "purchased",
    "licence": "agency contract",
    "consent": "consent to research",
    "purpose": "research",
    "price_per_row": 30.0,
    "is_bought": True,
    "uses_allowed": None,
}
_STAFF = _OWN | {
    "licence": "terms of employment",
    "consent": "consent to research",
    "purpose": "research",
}
