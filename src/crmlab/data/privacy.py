r"""How well customers are hidden in a table, and what hiding them better costs.

Who asks: whoever wants to hand customer data to anybody else. Vocabulary: an *identifier* names a
customer (number, telephone); *quasi-identifiers* are columns that many people know (year of birth,
gender, region) and that together may single somebody out; a *sensitive* column is what nobody
should learn. Customers with the same quasi-identifiers form a *class*. A table is *k-anonymous* if
no class has fewer than k rows, and *l-diverse* if every class holds at least l different sensitive
values: a class of ten who all have one illness hides nobody's illness.

*Pseudonyms* replace an identifier so that tables can still be joined. Whoever has the key can undo
them, so the data stay personal: GDPR article 4(5) and recital 26; PIPL article 4 leaves only
anonymised information out of its scope.

Sources: Sweeney, L. (2002). k-anonymity: a model for protecting privacy. International Journal of
Uncertainty, Fuzziness and Knowledge-Based Systems 10(5), 557-570. doi:10.1142/S0218488502001648;
Machanavajjhala, A., Kifer, D., Gehrke, J. & Venkitasubramaniam, M. (2007). l-diversity: privacy
beyond k-anonymity. ACM Transactions on Knowledge Discovery from Data 1(1), article 3.
doi:10.1145/1217299.1217302.
"""

import hashlib
import hmac

import numpy as np
import pandas as pd

__all__ = ["assess_anonymity", "pseudonymise", "reidentification_risk", "reverse_plain_hash"]

_SHORTEST_KEY = 16


def pseudonymise(identifiers, key):
    """Return a pseudonym for each identifier: a keyed hash, HMAC-SHA-256.

    Parameters
    ----------
    identifiers : array_like of str
        Missing stays missing.
    key : bytes
        The secret, 16 bytes or more, such as ``secrets.token_bytes(32)``. Keep it apart from the
        data and never in a study, a notebook or a report: with it, pseudonyms are undone.

    Returns
    -------
    pandas.Series of str
        32 hexadecimal digits (128 bits), the same for the same identifier and key; index of
        `identifiers`.

    Raises
    ------
    ValueError
        If the key is no bytes or shorter than 16.

    Examples
    --------
    >>> names = pseudonymise(["c000001", "c000002", "c000001"], b"an example key, not a secret")
    >>> bool(names[0] == names[2] != names[1]), len(names[0])
    (True, 32)
    """
    if not isinstance(key, bytes) or len(key) < _SHORTEST_KEY:
        raise ValueError(
            f"key must be bytes, {_SHORTEST_KEY} or more; make one by secrets.token_bytes(32) and "
            "keep it apart from the data"
        )
    values = pd.Series(identifiers).astype("str")
    codes, distinct = pd.factorize(values)
    hashed = [hmac.digest(key, text.encode(), "sha256").hex()[:32] for text in distinct]
    found = pd.array([*hashed, None], dtype="str").take(codes)
    return pd.Series(found, index=values.index, name=values.name)


def reverse_plain_hash(hashes, candidates):
    """Return the identifiers behind plain SHA-256 hashes, by hashing every candidate.

    Parameters
    ----------
    hashes : array_like of str
        Hexadecimal SHA-256 of identifiers, whole or cut short, without a key.
    candidates : iterable of str
        Every identifier there could be: all customer numbers, all telephone numbers.

    Returns
    -------
    pandas.Series of str
        Missing where no candidate has the hash. This is why a hash without a key protects nobody.

    Examples
    --------
    >>> hashed = [hashlib.sha256(b"c000002").hexdigest()]
    >>> reverse_plain_hash(hashed, ["c000001", "c000002"]).tolist()
    ['c000002']
    """
    hashes = pd.Series(hashes).astype("str")
    length = int(hashes.str.len().max()) if hashes.notna().any() else 0
    known = {hashlib.sha256(text.encode()).hexdigest()[:length]: text for text in candidates}
    return hashes.map(known).astype("str")


def assess_anonymity(frame, quasi, sensitive=None):
    """Return how well the rows of a table hide among each other.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per customer; left unchanged. A missing value is a value of its own.
    quasi : sequence of str
        The quasi-identifiers.
    sensitive : str, optional
        Column that nobody should learn of a customer.

    Returns
    -------
    pandas.Series
        `n_rows`, `n_classes`, `k_anonymity` (the smallest class), `share_unique` (rows alone in
        their class), `risk_highest` (1/k) and `risk_mean` (classes/rows): the chance to find a
        customer known to be in the table, of the worst placed and on average. With `sensitive`:
        `l_diversity` (fewest different values in a class), `l_entropy` (least e^entropy of a
        class) and `share_disclosed` (rows whose class holds one value: known without finding
        the row).

    Raises
    ------
    ValueError
        If the table is empty or a column is missing.

    Examples
    --------
    >>> frame = pd.DataFrame({"year": [1965, 1965, 1964, 1964], "zip": ["0214*"] * 4,
    ...                       "problem": ["cold", "flu", "flu", "flu"]})
    >>> found = assess_anonymity(frame, ["year", "zip"], "problem")
    >>> found[["k_anonymity", "l_diversity", "share_disclosed"]].tolist()
    [2.0, 1.0, 0.5]
    """
    size = _class_sizes(frame, quasi)
    n_classes = float((1 / size).sum())
    found = {
        "n_rows": len(frame),
        "n_classes": round(n_classes),
        "k_anonymity": int(size.min()),
        "share_unique": float((size == 1).mean()),
        "risk_highest": 1 / int(size.min()),
        "risk_mean": round(n_classes) / len(frame),
    }
    if sensitive is not None:
        found |= _diversity(frame, quasi, sensitive)
    return pd.Series(found)


def reidentification_risk(released, population, quasi):
    """Return the chance of finding a released customer by the quasi-identifiers.

    Parameters
    ----------
    released : pandas.DataFrame
        The table handed out.
    population : pandas.DataFrame
        Everybody it may have been drawn from, as a register of them would show.
    quasi : sequence of str
        Columns of both.

    Returns
    -------
    pandas.DataFrame, one row per attacker
        `attacker`: the *prosecutor* knows that the customer is in the released table, the
        *journalist* only that the customer is in the population; `risk_highest`, `risk_mean`
        (expected share of rows found, if all are tried), `share_unique` (rows found for certain).

    Raises
    ------
    ValueError
        If a table is empty, a column is missing, or a released customer's class is not in the
        population.

    Notes
    -----
    The chance is 1 over the size of the class, in the released table for the prosecutor and in
    the population for the journalist; the names are those of El Emam, K. & Dankar, F. K. (2008).
    Protecting privacy using k-anonymity. Journal of the American Medical Informatics Association
    15(5), 627-637. doi:10.1197/jamia.M2716.

    Examples
    --------
    >>> population = pd.DataFrame({"region": ["east"] * 4 + ["west"] * 2})
    >>> reidentification_risk(population.iloc[[0, 1, 4]], population, ["region"])
         attacker  risk_highest  risk_mean  share_unique
    0  prosecutor           1.0   0.666667      0.333333
    1  journalist           0.5   0.333333      0.000000
    """
    quasi = list(quasi)
    own = _class_sizes(released, quasi)
    _class_sizes(population, quasi)
    counted = population.groupby(quasi, dropna=False).size().rename("n_alike").reset_index()
    size = released[quasi].merge(counted, on=quasi, how="left")["n_alike"]
    if size.isna().any():
        row = int(np.flatnonzero(size.isna())[0])
        raise ValueError(
            f"released, row {row + 1}: {released[quasi].iloc[row].to_dict()} is nobody of the "
            "population; expected the population to hold everybody who was released"
        )
    chance = {"prosecutor": 1 / own.to_numpy(), "journalist": 1 / size.to_numpy()}
    return pd.DataFrame(
        {
            "attacker": list(chance),
            "risk_highest": [values.max() for values in chance.values()],
            "risk_mean": [values.mean() for values in chance.values()],
            "share_unique": [(values == 1).mean() for values in chance.values()],
        }
    )


def _class_sizes(frame, quasi):
    """Return the size of each row's class."""
    quasi = list(quasi)
    missing = [name for name in quasi if name not in frame]
    if missing or not quasi:
        raise ValueError(
            f"the table has no column {missing[0]!r}; it has {', '.join(map(str, frame.columns))}"
            if missing
            else "no quasi-identifier was named; expected one column or more"
        )
    if not len(frame):
        raise ValueError("the table has no rows; nobody can hide in it, and nobody needs to")
    return frame.groupby(quasi, dropna=False)[quasi[0]].transform("size")


def _diversity(frame, quasi, sensitive):
    if sensitive not in frame:
        raise ValueError(f"the table has no sensitive column {sensitive!r}")
    values = frame.assign(sensitive_value=pd.factorize(frame[sensitive])[0])
    counted = values.groupby([*quasi, "sensitive_value"], dropna=False).size().rename("n")
    by_class = counted.reset_index().groupby(list(quasi), dropna=False)["n"]
    n_different, size = by_class.size(), by_class.sum()
    share = counted.reset_index()["n"] / by_class.transform("sum").to_numpy()
    information = (-share * np.log(share)).to_numpy()
    entropy = counted.reset_index().assign(n=information).groupby(list(quasi), dropna=False)["n"]
    return {
        "l_diversity": int(n_different.min()),
        "l_entropy": float(np.exp(entropy.sum().min())),
        "share_disclosed": float(size[n_different == 1].sum() / size.sum()),
    }
