"""Wording: how a report says a number, a sum of money, a day or a duration in each language.

Who asks: the report, whose every number comes from a results file as a value and a unit, and the
tables that notebooks show. The words of its own (headings, states, labels) stand in
`words.csv` beside this module.
"""

import csv
import math
from datetime import date, datetime
from functools import cache
from pathlib import Path

from crmlab.atlas import load_terms

__all__ = [
    "count_decimals",
    "is_p_value",
    "load_words",
    "name_table",
    "name_term",
    "say_day",
    "say_digits",
    "say_duration",
    "say_moment",
    "say_number",
    "say_p_value",
    "say_short_day",
    "text_in",
]

WORDS = Path(__file__).with_name("words.csv")
NO_BREAK = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
LEAST_P_VALUE = 0.001  # the field names no smaller one
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@cache
def load_words(language):
    """Return the report's own words in one language, by key.

    Examples
    --------
    >>> load_words("zh")["data"]
    '数据'
    """
    with WORDS.open(encoding="utf-8", newline="") as lines:
        return {row["key"]: row[language] for row in csv.DictReader(lines)}


def text_in(text, language):
    """Return a text that is given either in both languages or as one string; None stays None.

    Examples
    --------
    >>> text_in({"en": "orders", "zh": "订单"}, "zh")
    '订单'
    """
    return text[language] if isinstance(text, dict) else text


def name_term(key, language):
    """Return what the atlas calls `key`, or the key itself where the atlas has no such term.

    Examples
    --------
    >>> name_term("n_customers", "en"), name_term("no_such_key", "en")
    ('Customers', 'no_such_key')
    """
    entry = load_terms().get(key)
    return (entry.text(language) if entry else "") or key


def name_table(name, language):
    """Return what the atlas calls a table, or its name where the atlas has no word for it.

    Examples
    --------
    >>> name_table("contacts", "zh"), name_table("loans", "zh")
    ('营销接触', 'loans')
    """
    key = f"table_{name}"
    return name_term(key, language) if key in load_terms() else name


def say_number(value, unit, *, language, currency=None, name=""):
    r"""Return a number with its unit, in digits enough to read it by.

    Parameters
    ----------
    value : int, float or None
        None and NaN are said as a dash.
    unit : str
        Key of a unit of the terms table; "" or "1" for none. A share is said in per cent, a
        unit that begins with `currency` as money.
    language : {"en", "zh"}
    currency : str or None
        ISO 4217 code of the study's money.
    name : str
        Key of the number in a results file, by which a p value is known.

    Returns
    -------
    str
        Shares to 0.1 per cent (0.01 below 1 per cent; none and all whole); money to two
        decimals, whole from 1,000; other fractions to three significant digits or more;
        counts whole; p values to three decimals. The value in the results file is not touched.

    Examples
    --------
    >>> say_number(0.7123, "share", language="en")
    '71.2%'
    >>> say_number(1234567.8, "currency", language="zh", currency="CNY")
    '1,234,568\xa0元'
    >>> say_number(2.5e-9, "1", language="en", name="uplift_p_value")
    '<0.001'
    """
    if value is None or math.isnan(value):
        return "–"
    if is_p_value(name):
        return say_p_value(value)
    if unit == "share":
        decimals = 0 if value in (0, 1) else 1 if abs(value) >= 0.01 else 2
        return say_digits(value * 100, decimals) + "%"
    words = name_term(unit, language) if unit not in ("", "1", None) else ""
    if unit and unit.startswith("currency"):
        return _say_money(value, words, language, currency)
    if language == "en" and value == 1 and words.endswith("s"):
        words = words.removesuffix("s")
    return say_digits(value) + (NO_BREAK + words if words else "")


def is_p_value(name):
    """Return whether a column or a result is a p value, by its key.

    Examples
    --------
    >>> is_p_value("uplift_heterogeneity_p"), is_p_value("p_value_holm"), is_p_value("n_groups")
    (True, True, False)
    """
    return isinstance(name, str) and ("p_value" in name or name.endswith("_p"))


def say_p_value(value):
    """Return a p value to three decimals, or that it is below the least the field names.

    Examples
    --------
    >>> say_p_value(0.02), say_p_value(2.5e-9), say_p_value(math.nan)
    ('0.020', '<0.001', '–')
    """
    if math.isnan(value):
        return "–"
    return f"<{LEAST_P_VALUE}" if value < LEAST_P_VALUE else f"{value:.3f}"


def say_day(day, language):
    """Return a day written out; `day` is an ISO text.

    Examples
    --------
    >>> say_day("1997-01-31", "en"), say_day("1997-01-31", "zh")
    ('31 January 1997', '1997年1月31日')
    """
    day = date.fromisoformat(day[:10])
    if language == "zh":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def say_short_day(day, language):
    """Return a day as tables and axes say it, where room is short.

    Examples
    --------
    >>> from datetime import date
    >>> say_short_day(date(1997, 1, 31), "en"), say_short_day(date(1997, 1, 31), "zh")
    ('31 Jan 1997', '1997-01-31')
    """
    if language == "zh":
        return f"{day:%Y-%m-%d}"
    return f"{day.day} {MONTHS[day.month - 1][:3]} {day.year}"


def say_moment(moment, language):
    """Return an ISO instant as day, hour and minute, in the time zone it was written in.

    Examples
    --------
    >>> say_moment("2026-03-04T05:06:07+00:00", "en")
    '4 March 2026, 05:06 UTC'
    """
    instant = datetime.fromisoformat(moment)
    zone = instant.strftime(" %Z").rstrip()
    between = " " if language == "zh" else ", "
    return f"{say_day(moment, language)}{between}{instant:%H:%M}{zone}"


def say_duration(seconds, language):
    r"""Return a duration in seconds, or in minutes and seconds from two minutes on.

    Examples
    --------
    >>> say_duration(3.21, "en"), say_duration(150, "zh")
    ('3.2\xa0s', '2\xa0分\xa030\xa0秒')
    """
    words = load_words(language)
    if seconds < 120:
        text = words["seconds"].format(n=f"{seconds:.1f}")
    else:
        minutes, rest = divmod(round(seconds), 60)
        text = words["minutes"].format(n=minutes, s=rest)
    return text.replace(" ", NO_BREAK)


def _say_money(value, words, language, currency):
    """Return money: the code before the sum in English, its Chinese name after it in Chinese."""
    rest = words.removeprefix(name_term("currency", language))
    sum_ = say_digits(value, 0 if abs(value) >= 1000 else 2)
    if currency is None:
        return sum_ + rest
    money = name_term(currency, language)
    return (
        f"{sum_}{NO_BREAK}{money}{rest}" if language == "zh" else f"{money}{NO_BREAK}{sum_}{rest}"
    )


def say_digits(value, decimals=None):
    """Return digits with thousands separated, as both languages' handbooks do, and a true minus.

    Without `decimals`, as many as three significant digits take; a very small number is said by a
    power of ten.

    Examples
    --------
    >>> say_digits(-1234.5, 1), say_digits(0.04567)
    ('−1,234.5', '0.0457')
    """
    if decimals is None:
        decimals = _decimals(value)
    if decimals is None:
        mantissa, power = f"{value:.2e}".split("e")
        raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        text = f"{mantissa} × 10{raised}"
    else:
        text = f"{value:z,.{decimals}f}"
    return text.replace("-", MINUS)


def _decimals(value):
    """Return how many decimals a number alone takes; None where a power says it better."""
    return 0 if float(value).is_integer() else count_decimals(abs(value))


def count_decimals(size):
    """Return how many decimals three significant digits take; None where a power says it better.

    Examples
    --------
    >>> count_decimals(12.5), count_decimals(1234.5), count_decimals(0.00001)
    (2, 0, None)
    """
    if size < 0.0001:
        return None
    return 0 if size >= 1000 else 1 if size >= 100 else max(2, 2 - math.floor(math.log10(size)))
