"""How many customers two firms share, counted without either showing the other its list.

Who asks: two firms that think of a joint offer and may not, or will not, hand over identities.
Each raises every identity, hashed to a point of an elliptic curve, to a secret power of its own;
the powers commute, so that a customer of both ends at the same point whichever firm went first,
and nobody can go back without the secrets:

    ours    x  →  a·H(x)  →  b·a·H(x)
    theirs  y  →  b·H(y)  →  a·b·H(y)      equal exactly where x = y

Before points go back they are put in an order that says nothing, so that *how many* meet is
learnt and not *who*. What each party learns: the number of the other's identities, and the number
shared. What it does not protect against: a party that enters invented identities to ask about
single people, and repeated counts whose difference is one person. Against these stands the
agreement: permitted columns, a purpose, an end, and no cell smaller than agreed.

Sources: Meadows, C. (1986). A more efficient cryptographic matchmaking protocol for use in the
absence of a continuously available third party. IEEE Symposium on Security and Privacy; Huberman,
B. A., Franklin, M. and Hogg, T. (1999). Enhancing privacy and trust in electronic communities.
ACM Conference on Electronic Commerce (both for the commuting powers); De Cristofaro, E., Gasti, P.
and Tsudik, G. (2012). Fast and private computation of cardinality of set intersection and union.
CANS 2012 (counting without naming). The arithmetic of the group is libsodium's, through PyNaCl.
"""

import hashlib
import secrets
import unicodedata
from dataclasses import dataclass

import pandas as pd

__all__ = ["Agreement", "Party", "count_overlap"]


@dataclass(frozen=True)
class Agreement:
    """What two firms agreed on before they count.

    Attributes
    ----------
    partner : str
        The other firm.
    purpose : str
        What the counts may be used for.
    permitted_columns : tuple of str
        Columns by which shared customers may be counted.
    expires_on : datetime-like or None
        Last day on which counting is allowed; None without an end.
    smallest_cell : int
        Counts below this are not shown, nor those that leave fewer than this not shared; 2 or
        more.

    Examples
    --------
    >>> Agreement("Partner", "joint offer", permitted_columns=("region",)).smallest_cell
    10
    """

    partner: str
    purpose: str
    permitted_columns: tuple = ()
    expires_on: object = None
    smallest_cell: int = 10

    def __post_init__(self):
        if not isinstance(self.smallest_cell, int) or self.smallest_cell < 2:
            raise ValueError(
                f"smallest_cell is {self.smallest_cell!r}; expected a whole number, 2 or more: a "
                "count of 1 is a person"
            )


class Party:
    """One firm with its customers' identities and a secret that never leaves it.

    Parameters
    ----------
    identities : iterable
        Customers' identities; written alike (case and outer blanks do not matter), counted once,
        missing ones left out.

    Attributes
    ----------
    n_identities : int
        Different identities.

    Examples
    --------
    >>> ours, theirs = Party(["Ann", "Bob", None]), Party([" bob ", "Cem"])
    >>> mine, yours = theirs.mask_again(ours.mask()), ours.mask_again(theirs.mask())
    >>> len(set(mine) & set(yours))
    1
    """

    def __init__(self, identities):
        from nacl import bindings

        known = pd.Series(list(identities), dtype="object").dropna().astype("str")
        self._identities = sorted({_normalise(identity) for identity in known})
        self._secret = bindings.crypto_core_ed25519_scalar_reduce(secrets.token_bytes(64))
        self.n_identities = len(self._identities)

    def mask(self):
        """Return every own identity as a point under the own secret, in an order that says nothing.

        Returns
        -------
        list of bytes, 32 each
        """
        from nacl import bindings

        points = (
            bindings.crypto_core_ed25519_from_uniform(_digest(identity))
            for identity in self._identities
        )
        return self.mask_again(points)

    def mask_again(self, points):
        """Return the points under the own secret, in an order that says nothing.

        Parameters
        ----------
        points : iterable of bytes
            From the other party's `mask`.

        Raises
        ------
        ValueError
            If a point is none of the group: the other party does not follow the protocol.
        """
        from nacl import bindings
        from nacl.exceptions import RuntimeError as SodiumError

        try:
            # Sorted by their bytes, which the secret has made random.
            return sorted(
                bindings.crypto_scalarmult_ed25519_noclamp(self._secret, point) for point in points
            )
        except (SodiumError, ValueError, TypeError) as error:
            raise ValueError(
                "a point of the other party is none of the group; expected 32 bytes as its mask() "
                "returns them. Do not go on with this party."
            ) from error


def count_overlap(ours, theirs, agreement, *, by=None, on=None):
    """Return how many of our customers are theirs too, as far as the agreement lets it be known.

    Both parties are played here; between firms each runs its own `Party` and sends points.

    Parameters
    ----------
    ours : pandas.DataFrame
        `customer_id` (an identity both firms write alike, such as a telephone number) and the
        column `by`.
    theirs : iterable
        The partner's identities.
    agreement : Agreement
    by : str or None
        A permitted column of ours by which to count; None for the total alone. Customers without
        a value are a group of their own, with a missing name.
    on : datetime-like or None
        Day of the count, held against the agreement's end.

    Returns
    -------
    pandas.DataFrame, the total first (`group` "all"), then a row per group
        `group`, `n_ours`, `n_shared` (Int64; missing where suppressed), `share_shared` (0..1) and
        `is_suppressed`. A group is suppressed where fewer than `smallest_cell` are shared, or
        fewer than that are not; where that alone would let a suppressed count be had by
        subtraction from the total, the next smallest group is suppressed as well.

    Raises
    ------
    ValueError
        If the agreement has ended, does not permit the column, or one of our customers is in two
        groups.

    Examples
    --------
    >>> ours = pd.DataFrame({"customer_id": range(100), "region": ["n"] * 50 + ["s"] * 50})
    >>> agreement = Agreement("Partner", "joint offer", permitted_columns=("region",))
    >>> count_overlap(ours, range(30, 80), agreement, by="region")
      group  n_ours  n_shared  share_shared  is_suppressed
    0   all     100        50           0.5          False
    1     n      50        20           0.4          False
    2     s      50        30           0.6          False
    """
    _refuse_unagreed(ours, agreement, by, on)
    me, partner = Party(ours["customer_id"]), Party(theirs)
    their_points = set(me.mask_again(partner.mask()))
    rows = [("all", me.n_identities, _meet(me, partner, their_points))]
    if by is not None:
        for group, rest in ours.groupby(by, dropna=False, observed=True, sort=True):
            # The same secret for every group: their points are masked once.
            part = Party(rest["customer_id"])
            part._secret = me._secret
            rows.append((group, part.n_identities, _meet(part, partner, their_points)))
    table = pd.DataFrame(rows, columns=["group", "n_ours", "n_shared"])
    hidden = _suppress(table, agreement.smallest_cell)
    shared = table["n_shared"].astype("Int64").mask(hidden)
    share = shared.astype("Float64").astype("float64") / table["n_ours"]
    return table.assign(n_shared=shared, share_shared=share, is_suppressed=hidden)


def _meet(me, partner, their_points):
    return len(their_points.intersection(partner.mask_again(me.mask())))


def _suppress(table, smallest):
    """Return which rows stay hidden: small ones, and whatever subtraction would give away."""
    apart = table["n_ours"] - table["n_shared"]
    hidden = (table["n_shared"] < smallest) | (apart < smallest)
    groups = table.index[1:]
    if hidden[0] or not hidden[groups].any():
        return hidden
    while True:
        open_ones = [row for row in groups if not hidden[row]]
        inside = [row for row in groups if hidden[row]]
        is_safe = len(inside) > 1 and table.loc[inside, "n_shared"].sum() >= smallest
        if is_safe or not open_ones:
            return hidden
        hidden[table.loc[open_ones, "n_shared"].idxmin()] = True


def _refuse_unagreed(ours, agreement, by, on):
    ends = agreement.expires_on
    if ends is not None and on is None:
        raise ValueError(
            f"the agreement with {agreement.partner} ends on {pd.Timestamp(ends):%Y-%m-%d}; say on "
            "which day you count (on=...)"
        )
    if ends is not None and pd.Timestamp(on) > pd.Timestamp(ends):
        raise ValueError(
            f"the agreement with {agreement.partner} ended on {pd.Timestamp(ends):%Y-%m-%d}; "
            "expected a count on or before that day. Renew it first."
        )
    if by is None:
        return
    if by not in agreement.permitted_columns:
        permitted = ", ".join(agreement.permitted_columns) or "none"
        raise ValueError(
            f"the agreement with {agreement.partner} does not permit counting by {by!r}; permitted "
            f"columns: {permitted}"
        )
    groups = ours.groupby("customer_id")[by].nunique(dropna=False)
    if (groups > 1).any():
        raise ValueError(
            f"{by}: customer {groups.idxmax()!r} is in {groups.max()} groups; expected one, or the "
            "groups would add up to more than the total"
        )


def _normalise(identity):
    return unicodedata.normalize("NFKC", identity).strip().casefold()


def _digest(identity):
    return hashlib.sha256(b"crmlab overlap 1\x00" + identity.encode("utf-8")).digest()
