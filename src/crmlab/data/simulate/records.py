"""Raw customer records as the systems of a firm hold them, and the truth behind each.

Who asks: whoever wants to see whether record linkage finds the customer behind several records, or
whether the rules of data quality find what is false. Each customer is on file in up to four systems
(`SYSTEMS`), each with gaps, slips of the pen and habits of its own; some moved and left old numbers
behind; families share a telephone; a few records are of nobody at all.

Nobody real is meant. Names are put together from syllables and from characters that are no usual
surnames, telephone numbers start with 12, which is no mobile prefix, and e-mail domains end in
``.example`` (RFC 2606).
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from crmlab.data.simulate.layout import number_rows

__all__ = ["SYSTEMS", "simulate_records"]

SYSTEMS = ("shop", "call_centre", "email_list", "partner")
"""The systems in which customers are on file."""

# Shares by system, in the order of SYSTEMS: customers on file; of these, on file twice; fields
# left empty; fields written down wrongly; records that consent to each purpose.
_ON_FILE = (0.80, 0.45, 0.55, 0.25)
_TWICE = (0.04, 0.08, 0.06, 0.03)
_EMPTY = {
    "name": (0.00, 0.01, 0.12, 0.00),
    "phone": (0.03, 0.00, 0.55, 0.10),
    "email": (0.25, 0.60, 0.00, 0.35),
    "postcode": (0.05, 0.25, 0.50, 0.05),
    "birth_year": (0.20, 0.35, 0.60, 0.10),
    "region": (0.02, 0.10, 0.40, 0.05),
}
_WRONG = (0.02, 0.07, 0.04, 0.05)
_CONSENT = {
    "service": (0.99, 0.98, 0.95, 0.60),
    "marketing": (0.55, 0.30, 0.92, 0.45),
    "research": (0.45, 0.35, 0.50, 0.20),
    "sharing": (0.20, 0.10, 0.25, 0.90),
}
_PARTNER_DAYS = 365  # a partner's permission lasts a year
_MOVED = 0.10  # customers who changed telephone and postcode within the window
_FAMILY = 0.05  # customers who share telephone and postcode with the one before
_LATIN = 0.35  # names in Latin letters
_FAKES = 0.04  # records of nobody, per genuine record
_FAKE_KINDS = (0.40, 0.40, 0.20)  # typed at random, made in a batch, made with care
_REGION_DIGITS = {"east": "2", "south": "5", "north": "1", "west": "6"}
_DOMAINS = ("mail.example", "post.example", "letters.example", "inbox.example")
_SURNAMES = "澄霁岚溯翎霏汐璟曦榕沅茗笙筠翊琰珩漪澜霖"
_GIVEN = "云禾舟棠星野雨松溪月晨帆石桐竹泉风荷林川朗宁安和清远知初以言"
_ONSETS, _VOWELS = "bdfgklmnprstvz", "aeiou"
_MADE_UP_NAMES = ("测试", "无名氏", "asdf", "qwerty", "aaa", "test test", "xxx")
_MADE_UP_PHONES = ("11111111111", "12345678901", "00000000000", "12222222222")


def simulate_records(
    customers: pd.DataFrame, first: pd.Timestamp, last_day: int, rng: np.random.Generator
) -> dict[str, pd.DataFrame]:
    """Return the records of several systems about the same customers, and whose each is.

    Parameters
    ----------
    customers : pandas.DataFrame
        The table `customers`, with `joined_on`, `birth_year` and `region`; left unchanged.
    first : pandas.Timestamp
        First day observed.
    last_day : int
        Position of the last day observed, counted from `first`.
    rng : numpy.random.Generator
        Drawn from.

    Returns
    -------
    dict of str to pandas.DataFrame
        `records`, in random order, and `record_truth`, which has its rows in the same order:
        the customer of each record (missing where it is of nobody) and `is_fake`.

    Examples
    --------
    >>> from crmlab.data.simulate import simulate_population
    >>> made = simulate_population(200, seed=1)
    >>> records, truth = made["records"], made["record_truth"]
    >>> len(records) == len(truth), bool(truth.loc[~truth["is_fake"], "customer_id"].notna().all())
    (True, True)
    """
    people = _make_people(customers, rng)
    genuine = _file_people(people, first, last_day, rng)
    frame = genuine
    if len(genuine):
        fakes = _make_fakes(max(3, round(_FAKES * len(genuine))), genuine, first, last_day, rng)
        frame = pd.concat([genuine, fakes], ignore_index=True)
    frame = frame.take(rng.permutation(len(frame))).reset_index(drop=True)
    frame[_TEXTS] = frame[_TEXTS].astype("str")
    frame.insert(0, "record_id", number_rows("d", len(frame), 6))
    owner = frame["customer"].to_numpy()
    customer_id = pd.Series(customers["customer_id"].array.take(np.maximum(owner, 0)))
    truth = pd.DataFrame(
        {
            "record_id": frame["record_id"],
            "customer_id": customer_id.mask(owner < 0),
            "is_fake": owner < 0,
        }
    )
    return {"records": frame.drop(columns="customer"), "record_truth": truth}


def _make_people(customers: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return what is true of each customer: name, numbers, address, before and after a move."""
    n = len(customers)
    is_latin = rng.random(n) < _LATIN
    latin = _latin_names(n, rng)
    surname = _choose(list(_SURNAMES), n, rng)
    chinese = _join(surname, _choose(list(_GIVEN), n, rng), _choose(list(_GIVEN), n, rng))
    email = _addresses(latin, rng)
    name = pc.if_else(pa.array(is_latin), pc.utf8_title(_join(*latin, by=" ")), chinese)
    region = customers["region"].fillna("east").to_numpy(dtype=object)
    first_digit = pd.Series(region).map(_REGION_DIGITS).to_numpy(dtype=object)
    year = customers["birth_year"].fillna(1980).to_numpy(dtype=np.int64)
    people = pd.DataFrame(
        {
            "name": _texts(name),
            "email": _texts(email),
            "birth_year": year,
            "region": region,
            "joined": customers["joined_on"].to_numpy(),
            "is_latin": is_latin,
        }
    )
    # About a hundred postcodes a region, some much fuller than others.
    area = np.minimum((100 * rng.random((2, n)) ** 2).astype(int), 99)
    for i, when in enumerate(("old", "new")):
        place = [
            f"{digit}{number:02d}000" for digit, number in zip(first_digit, area[i], strict=True)
        ]
        people[f"postcode_{when}"] = np.array(place, dtype=object)
        people[f"phone_{when}"] = _texts(_join("12", _digits(n, 9, rng)))
    has_moved = rng.random(n) < _MOVED
    for name in ("postcode", "phone"):
        people[f"{name}_new"] = people[f"{name}_new"].where(has_moved, people[f"{name}_old"])
    # A family lives together: the same telephone, postcode and family name.
    family = np.flatnonzero(rng.random(n) < _FAMILY)
    family = family[family > 0]
    for name in ("postcode_old", "postcode_new", "phone_old", "phone_new"):
        values = people[name].to_numpy(dtype=object, copy=True)
        values[family] = values[family - 1]
        people[name] = values
    people["moved_at"] = rng.random(n)
    return people


def _file_people(
    people: pd.DataFrame, first: pd.Timestamp, last_day: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the records of every system, with gaps and slips."""
    parts = []
    for place, system in enumerate(SYSTEMS):
        is_on_file = rng.random(len(people)) < _ON_FILE[place]
        once = np.flatnonzero(is_on_file)
        again = once[rng.random(len(once)) < _TWICE[place]]
        parts.append(
            _file_system(place, system, people, np.concatenate([once, again]), first, last_day, rng)
        )
    return pd.concat(parts, ignore_index=True)


def _file_system(place, system, people, customer, first, last_day, rng):
    n = len(customer)
    person = people.take(customer).reset_index(drop=True)
    # Filed from joining on, or from the window's first day; touched again at some later day.
    joined = np.maximum((person["joined"] - first).dt.days.to_numpy(), -700)
    created = np.minimum(joined + rng.exponential(60, n).astype(int), last_day)
    later = (rng.random(n) * (last_day - created + 1)).astype(int)
    updated = created + np.where(rng.random(n) < 0.6, later, 0)
    moved_on = (person["moved_at"].to_numpy() * last_day).astype(int)
    is_after = updated >= moved_on
    frame = pd.DataFrame({"system": np.full(n, system, dtype=object)})
    frame["name"] = person["name"]
    for name in ("phone", "postcode"):
        frame[name] = person[f"{name}_new"].where(is_after, person[f"{name}_old"])
    frame["email"] = person["email"]
    frame["birth_year"] = person["birth_year"].astype("Int64")
    frame["region"] = person["region"]
    _write_wrongly(frame, _WRONG[place], person["is_latin"].to_numpy(), rng)
    if system == "partner":
        # A partner's habits: the family name first, telephone numbers with country code.
        is_turned = person["is_latin"].to_numpy() & (rng.random(n) < 0.5)
        _edit(frame, "name", is_turned, lambda text: " ".join(reversed(text.split())))
        _edit(
            frame,
            "phone",
            rng.random(n) < 0.7,
            lambda text: f"+86 {text[:3]} {text[3:7]} {text[7:]}",
        )
    for name, shares in _EMPTY.items():
        frame[name] = frame[name].mask(rng.random(n) < shares[place])
    _add_consent(frame, place, created, first, rng)
    frame["created_on"] = _to_days(first, created)
    frame["updated_on"] = _to_days(first, updated)
    frame["customer"] = customer
    return frame[_ORDER]


_TEXTS = ["system", "name", "phone", "email", "postcode", "region", "purposes"]
_ORDER = [
    "system", "name", "phone", "email", "postcode", "birth_year", "region",
    "purposes", "consent_expires_on", "created_on", "updated_on", "customer",
]  # fmt: skip


def _add_consent(frame, place, created, first, rng):
    n = len(frame)
    said = {purpose: rng.random(n) < shares[place] for purpose, shares in _CONSENT.items()}
    words = [
        " ".join(purpose for purpose, is_given in zip(said, row, strict=True) if is_given)
        for row in product((False, True), repeat=len(said))
    ]
    code = sum(given.astype(int) << (len(said) - 1 - i) for i, given in enumerate(said.values()))
    purposes = pd.Series(np.array(words, dtype=object)[code])
    frame["purposes"] = purposes.mask(purposes == "")
    until = pd.Series(_to_days(first, created + _PARTNER_DAYS))
    frame["consent_expires_on"] = (
        until if SYSTEMS[place] == "partner" else until.mask(until.notna())
    )


def _write_wrongly(frame, share, is_latin, rng):
    """Write a share of each field down wrongly, in the ways people do."""
    n = len(frame)

    def hit(part=1.0):
        return rng.random(n) < share * part

    letters = "abcdefghijklmnopqrstuvwxyz"
    spots = rng.random((4, n))

    def replace(alphabet, spot, start=1, end=None):
        def edit(text, i):
            last = len(text) if end is None else text.index(end)
            at = start + int(spots[spot, i] * (last - start))
            new = alphabet[int(spots[spot, i] * 1e6) % len(alphabet)]
            return f"{text[:at]}{new}{text[at + 1 :]}"

        return edit

    def exchange(text, i):
        at = 3 + int(spots[1, i] * (len(text) - 4))
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]

    _edit_at(frame, "name", hit() & is_latin, replace(letters, 0))
    _edit_at(frame, "name", hit() & ~is_latin, replace(_GIVEN, 0))
    # The first digits stay, or a slip would make a number that somebody has.
    _edit_at(frame, "phone", hit(), replace("0123456789", 1, start=3))
    _edit_at(frame, "phone", hit(0.5), exchange)
    _edit(frame, "phone", hit(0.2), lambda text: text[:-1])
    _edit_at(frame, "email", hit(), replace(letters, 2, end="@"))
    _edit(frame, "email", hit(0.3), lambda text: text.replace("@", ""))
    _edit_at(frame, "postcode", hit(0.5), replace("0123456789", 3))
    _edit(frame, "postcode", hit(0.3), lambda text: text[:5])
    off = np.where(spots[3] < 0.5, -1, 10)
    frame["birth_year"] = frame["birth_year"].where(~hit(), frame["birth_year"] + off)
    other = np.array(list(_REGION_DIGITS), dtype=object)[
        (spots[2] * len(_REGION_DIGITS)).astype(int)
    ]
    frame["region"] = frame["region"].where(~hit(0.3), other)


def _make_fakes(n, genuine, first, last_day, rng):
    """Return records of nobody: typed at random, made in a batch, or made with care."""
    kind = rng.choice(3, size=n, p=_FAKE_KINDS)
    source = genuine.take(rng.integers(0, len(genuine), n)).reset_index(drop=True)
    frame = source.copy()
    # With care: every field is plausible and nothing of it is anybody's.
    names = genuine["name"].dropna()
    frame["name"] = names.to_numpy()[rng.integers(0, len(names), n)]
    frame["phone"] = _texts(_join("12", _digits(n, 9, rng)))
    frame["email"] = _texts(_addresses(_latin_names(n, rng), rng))
    frame["birth_year"] = pd.array(rng.integers(1950, 2005, n), dtype="Int64")
    created = rng.integers(0, last_day + 1, n)
    # Typed at random: what stands on a keyboard.
    typed = kind == 0
    frame["name"] = frame["name"].where(~typed, _pick(_MADE_UP_NAMES, n, rng))
    frame["phone"] = frame["phone"].where(~typed, _pick(_MADE_UP_PHONES, n, rng))
    frame["email"] = frame["email"].where(~typed, _pick(("a@a", "test@test.example", "no"), n, rng))
    frame["birth_year"] = frame["birth_year"].where(~typed | (rng.random(n) < 0.4), 1900)
    # In a batch: numbered addresses, a handful of telephones, three days, one list.
    batch = kind == 1
    number = np.cumsum(batch)
    address = [f"offer{i:04d}@quick.example" for i in number]
    frame["email"] = frame["email"].where(~batch, np.array(address, dtype=object))
    phones = _texts(_join("12", _digits(3, 9, rng)))
    frame["phone"] = frame["phone"].where(~batch, np.array(phones, dtype=object)[number % 3])
    frame["system"] = frame["system"].where(~batch, "email_list")
    created = np.where(batch, last_day // 2 + number % 3, created)
    frame["created_on"] = _to_days(first, created)
    frame["updated_on"] = _to_days(first, created)
    frame["consent_expires_on"] = pd.Series(_to_days(first, created + _PARTNER_DAYS)).mask(
        (frame["system"] != "partner").to_numpy()
    )
    return frame.assign(customer=-1)


def _latin_names(n, rng):
    """Return given and family names put together from syllables."""
    syllables = [a + b for a, b in product(_ONSETS, _VOWELS)]
    closed = [*syllables, *(a + b + c for a, b, c in product(_ONSETS, _VOWELS, "nrs"))]
    return [_join(_choose(syllables, n, rng), _choose(closed, n, rng)) for _ in range(2)]


def _addresses(latin, rng):
    """Return an e-mail address for each pair of names, with a number of three digits."""
    n = len(latin[0])
    domain = _choose(_DOMAINS, n, rng)
    return _join(latin[0], ".", latin[1], _digits(n, 3, rng), "@", domain)


def _edit(frame, name, mask, edit):
    _edit_at(frame, name, mask, lambda text, _: edit(text))


def _edit_at(frame, name, mask, edit):
    """Change the texts of the rows marked; the few are changed one by one."""
    values = frame[name].to_numpy(dtype=object, copy=True)
    for i in np.flatnonzero(mask):
        values[i] = edit(values[i], i)
    frame[name] = values


def _choose(words, n, rng):
    return pa.array(list(words)).take(pa.array(rng.integers(0, len(words), n)))


def _pick(words, n, rng):
    return np.array(words, dtype=object)[rng.integers(0, len(words), n)]


def _digits(n, n_digits, rng):
    numbers = pc.cast(pa.array(rng.integers(0, 10**n_digits, n)), pa.string())
    return pc.utf8_lpad(numbers, n_digits, "0")


def _join(*parts, by=""):
    return pc.binary_join_element_wise(
        *(pa.scalar(p) if isinstance(p, str) else p for p in parts), by
    )


def _texts(array):
    return np.array(array.to_pylist(), dtype=object)


def _to_days(first, day):
    numbers = np.asarray(day).astype("timedelta64[D]")
    return (np.datetime64(first, "D") + numbers).astype("datetime64[us]")
