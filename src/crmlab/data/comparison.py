"""How alike two records are: one form for all, pairs worth comparing, levels of agreement.

Who asks: `crmlab.data.linkage`. Two systems write one customer down in two ways; what can be
known to mean the same is made the same first, and only what then differs is compared. Of the
millions of pairs only those are compared that share a *block*.

Region is not compared: it follows from the postcode, and the model would count twice what the two
say together. String comparators are those of RapidFuzz; Jaro-Winkler for names: Winkler, W. E.
(1990). String comparator metrics and enhanced decision rules in the Fellegi-Sunter model of record
linkage. Proceedings of the Section on Survey Research Methods, American Statistical Association,
354-359.
"""

import numpy as np
import pandas as pd

__all__ = ["BLOCKS", "COMPARED", "compare_pairs", "find_candidates", "standardise_records"]

COMPARED = ("name", "phone", "email", "postcode", "birth_year")
"""The fields compared, in the order of the levels."""

BLOCKS = (("phone",), ("email",), ("name",), ("postcode", "birth_year"))
"""A pair is a candidate if it agrees on every field of any one block."""

_CLOSE = {"name": 0.80, "phone": 0.90, "email": 0.92, "postcode": 0.83}
_SLIPS_OF_YEAR = (1, 10)
_LARGEST_BLOCK = 100


def standardise_records(records):
    """Return the compared fields in one form: no spaces, signs, country code or word order.

    Parameters
    ----------
    records : pandas.DataFrame
        With the columns `COMPARED`; left unchanged.

    Returns
    -------
    pandas.DataFrame, one row per record, same order
        Names in NFKC, small letters, words in alphabetical order (a partner writes the family name
        first); telephones as digits without 86 in front of eleven; e-mails in small letters;
        postcodes as digits; missing stays missing, and what is empty after that is missing too.

    Raises
    ------
    ValueError
        If a column is missing.

    Examples
    --------
    >>> raw = pd.DataFrame({"name": ["Balo  Derin", "derin balo"], "birth_year": [1980, 1980],
    ...                     "phone": ["+86 129 0000 1111", "12900001111"],
    ...                     "email": ["A@mail.example", None], "postcode": ["200 000", "200000"]})
    >>> standardise_records(raw)[["name", "phone", "postcode"]].nunique().tolist()
    [1, 1, 1]
    """
    missing = [name for name in COMPARED if name not in records]
    if missing:
        raise ValueError(
            f"records has no column {missing[0]!r}; expected {', '.join(COMPARED)} (empty where "
            "a system does not hold one)"
        )
    records = records.reset_index(drop=True)
    name = records["name"].astype("str").str.normalize("NFKC").str.casefold()
    is_many = name.str.contains(r"\s", regex=True).fillna(False).astype(bool)
    ordered = name[is_many].map(lambda text: " ".join(sorted(text.split())))
    phone = records["phone"].astype("str").str.replace(r"\D", "", regex=True)
    standard = pd.DataFrame(
        {
            "name": name.where(~is_many, ordered).str.strip(),
            "phone": phone.str.replace(r"^86(?=\d{11}$)", "", regex=True),
            "email": records["email"].astype("str").str.strip().str.casefold(),
            "postcode": records["postcode"].astype("str").str.replace(r"\D", "", regex=True),
            "birth_year": pd.to_numeric(records["birth_year"]).astype("Int64"),
        }
    )
    for field in COMPARED[:-1]:
        standard[field] = standard[field].mask(standard[field] == "")
    return standard


def find_candidates(standard, blocks=BLOCKS):
    """Return the pairs of records that share a block.

    Parameters
    ----------
    standard : pandas.DataFrame
        From `standardise_records`.
    blocks : sequence of tuple of str
        Fields on all of which a pair must agree; a missing field agrees with nothing.

    Returns
    -------
    pairs : numpy.ndarray of int, shape (n_pairs, 2)
        Positions of the records, the smaller first, each pair once, in order.
    left_out : pandas.DataFrame
        `block` and `n_records` of blocks of more than 100 records, which are not compared.

    Examples
    --------
    >>> standard = pd.DataFrame({"phone": ["1", "2", "1"], "email": ["a", "b", None]})
    >>> find_candidates(standard, [("phone",), ("email",)])[0].tolist()
    [[0, 2]]
    """
    found, left_out = [np.empty((0, 2), dtype=np.int64)], []
    for block in blocks:
        keys = standard[list(block)].dropna()
        code = keys.groupby(list(block), sort=False).ngroup().to_numpy()
        size = np.bincount(code, minlength=1)
        for large in np.flatnonzero(size > _LARGEST_BLOCK):
            value = " ".join(map(str, keys.iloc[np.argmax(code == large)]))
            left_out.append((f"{'+'.join(block)}: {value}", int(size[large])))
        is_small = size[code] <= _LARGEST_BLOCK if len(code) else np.array([], dtype=bool)
        order = np.argsort(code[is_small], kind="stable")
        row, code = keys.index.to_numpy()[is_small][order], code[is_small][order]
        # Within a block of sorted rows, partners stand 1, 2, 3 ... places further on.
        for step in range(1, int(min(size.max(), _LARGEST_BLOCK)) if len(code) else 0):
            is_same = code[step:] == code[:-step]
            found.append(np.column_stack([row[:-step][is_same], row[step:][is_same]]))
    pairs = np.sort(np.concatenate(found), axis=1)
    pairs = np.unique(pairs, axis=0)
    return pairs, pd.DataFrame(left_out, columns=["block", "n_records"])


def compare_pairs(standard, pairs):
    """Return the level at which each field of each pair agrees.

    Parameters
    ----------
    standard : pandas.DataFrame
        From `standardise_records`.
    pairs : numpy.ndarray of int, shape (n_pairs, 2)
        Positions of records.

    Returns
    -------
    numpy.ndarray of int8, shape (n_pairs, 5)
        -1 missing in either record, 0 differs, 1 close, 2 equal. Close means: names with a
        Jaro-Winkler similarity of 0.80 or more; telephones and postcodes that differ by one digit
        put in, left out, changed or exchanged with its neighbour; e-mails alike to 0.92 (an edit
        or two); years off by 1 or 10.

    Examples
    --------
    >>> standard = pd.DataFrame({
    ...     "name": ["balo derin", "balo derim"], "phone": ["12900001111", "12900001111"],
    ...     "email": ["a@b.example", None], "postcode": ["200000", "510000"],
    ...     "birth_year": pd.array([1980, 1981], dtype="Int64")})
    >>> compare_pairs(standard, np.array([[0, 1]])).tolist()
    [[1, 2, -1, 0, 1]]
    """
    from rapidfuzz.distance import OSA, JaroWinkler
    from rapidfuzz.process import cpdist

    left, right = np.asarray(pairs).reshape(-1, 2).T
    levels = np.full((len(left), len(COMPARED)), -1, dtype=np.int8)
    for place, field in enumerate(COMPARED):
        values = standard[field]
        there = values.notna().to_numpy()
        both = np.flatnonzero(there[left] & there[right])
        code = pd.factorize(values)[0]
        is_equal = code[left[both]] == code[right[both]]
        differing = both[~is_equal]
        if field == "birth_year":
            year = values.fillna(0).to_numpy(dtype=np.int64)
            is_close = np.isin(
                np.abs(year[left[differing]] - year[right[differing]]), _SLIPS_OF_YEAR
            )
        else:
            scorer = JaroWinkler if field == "name" else OSA
            texts = values.to_numpy(dtype=object)
            alike = cpdist(
                texts[left[differing]],
                texts[right[differing]],
                scorer=scorer.normalized_similarity,
                dtype=np.float64,
            )
            is_close = alike >= _CLOSE[field]
        levels[both, place] = np.where(is_equal, 2, 0)
        levels[differing[is_close], place] = 1
    return levels
