"""Heads: a term with the unit of its numbers, as an axis or the head of a table needs it.

Who asks: every figure and every table, so that both say the same. The sign of a share stands
beside each number and not in the head.
"""

from crmlab.atlas.terms import load_terms

__all__ = ["head", "name_unit", "repeats_unit"]

COUNTED = "位笔个张次件"  # stands before what is counted: 笔订单


def head(entry, language, currency=None):
    """Return a term in one language, with its unit in brackets where the name does not say it.

    Parameters
    ----------
    entry : crmlab.atlas.Term
    language : {"en", "zh"}
    currency : str or None
        ISO 4217 code of the money meant; None leaves the word for money.

    Returns
    -------
    str
        Shares and numbers without dimension bear no unit.

    Examples
    --------
    >>> terms = load_terms()
    >>> head(terms["last_order_age_weeks"], "en"), head(terms["recency_days"], "en")
    ('First to last order (weeks)', 'Days since last order')
    >>> head(terms["total_value"], "zh", "CNY")
    '累计购买金额（元）'
    """
    name = entry.text(language)
    if entry.unit in ("", "1", "share"):
        return name
    unit = name_unit(entry.unit, language, currency)
    if repeats_unit(name, unit, language):
        return name
    return f"{name}（{unit}）" if language == "zh" else f"{name} ({unit})"


def name_unit(key, language, currency=None):
    """Return what a unit is called, with the money's own name in place of the word for money.

    Examples
    --------
    >>> name_unit("currency_per_order", "en", "CNY"), name_unit("currency_per_order", "zh", "CNY")
    ('CNY per order', '元/单')
    """
    text = _name(key, language)
    if currency and key.startswith("currency"):
        return text.replace(_name("currency", language), _name(currency, language))
    return text


def repeats_unit(name, unit, language):
    """Return whether a name already says what it counts.

    Examples
    --------
    >>> repeats_unit("Active customers", "customers", "en"), repeats_unit("客户数", "位客户", "zh")
    (True, True)
    >>> repeats_unit("Total value", "CNY", "en")
    False
    """
    noun = unit.lstrip(COUNTED) or unit if language == "zh" else unit.removesuffix("s")
    return bool(noun) and noun.casefold() in name.casefold()


def _name(key, language):
    entry = load_terms().get(key)
    return entry.text(language) if entry else key
