"""The constructs of a path model, each with its items and how they are weighed.

Who asks: whoever turns the boxes of a path diagram into values. A *construct* is what is meant
(satisfaction); an *item* is a column of the data that measures it. *Reflective*: the construct
causes the items. *Composite*: the items make up the construct, weighed by their correlations with
it (mode A) or by a regression on them (mode B).

Sources: J. Henseler & W. W. Chin (2010), A comparison of approaches for the analysis of interaction
effects between latent variables using partial least squares path modeling, Structural Equation
Modeling 17(1), 82-109, doi:10.1080/10705510903439003; M. Sarstedt, J. F. Hair, J.-H. Cheah,
J.-M. Becker & C. M. Ringle (2019), How to specify, estimate, and validate higher-order constructs
in PLS-SEM, Australasian Marketing Journal 27(3), 197-211, doi:10.1016/j.ausmj.2019.05.003.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "INTERACTION_METHODS",
    "Construct",
    "composite",
    "higher_order",
    "interaction",
    "reflective",
    "single_item",
]

#: Ways to build the product of two constructs: see `interaction`.
INTERACTION_METHODS = ("two_stage", "product_indicator", "orthogonalising")
_MODES = ("A", "B")


@dataclass(frozen=True)
class Construct:
    """One construct; build it with `reflective`, `composite`, `single_item` and their like.

    Parameters
    ----------
    name : str
        As it stands in the path diagram.
    kind : str
        `reflective`, `composite`, `single_item`, `higher_order` or `interaction`.
    items : tuple of str
        Columns of the data; empty for a higher-order construct and an interaction.
    mode : {"A", "B"}
        How items are weighed: by correlation (A) or by regression (B).
    parts : tuple of str
        Constructs it is made of; empty unless higher-order or interaction.
    method : str
        How an interaction is built, one of `INTERACTION_METHODS`; else empty.
    """

    name: str
    kind: str
    items: tuple[str, ...] = ()
    mode: str = "A"
    parts: tuple[str, ...] = ()
    method: str = ""

    def __post_init__(self):
        if not isinstance(self.name, str) or not self.name.strip():
            raise ValueError(
                f"a construct needs a name, a text that is not empty: got {self.name!r}"
            )
        if "->" in self.name or "," in self.name or self.name != self.name.strip():
            raise ValueError(
                f"construct {self.name!r}: a name holds no '->', no comma and no space at its "
                "ends, because paths are written 'A, B -> C'"
            )
        members = self.parts if self.kind in ("higher_order", "interaction") else self.items
        if isinstance(members, str) or not all(isinstance(m, str) for m in members):
            raise ValueError(f"construct {self.name!r}: items are a list of column names (texts)")
        if not members:
            raise ValueError(f"construct {self.name!r} has no items: name at least one column")
        twice = sorted({m for m in members if list(members).count(m) > 1})
        if twice:
            raise ValueError(f"construct {self.name!r} names {twice[0]!r} twice: name it once")
        if self.mode not in _MODES:
            raise ValueError(f"construct {self.name!r}: mode is 'A' or 'B', not {self.mode!r}")


def reflective(name, items):
    """Return a reflective construct: the construct is the common cause of its items.

    Parameters
    ----------
    name : str
    items : list of str
        Columns of the data, at least one; weighed in mode A.

    Returns
    -------
    Construct

    Examples
    --------
    >>> reflective("Loyalty", ["CUSL1", "CUSL2"]).items
    ('CUSL1', 'CUSL2')
    """
    return Construct(name, "reflective", _as_tuple(name, items))


def composite(name, items, *, mode="A"):
    """Return a composite: the items make up the construct.

    Parameters
    ----------
    name : str
    items : list of str
        Columns of the data, at least one.
    mode : {"A", "B"}
        Weights by correlation (A) or by multiple regression (B, "formative").

    Returns
    -------
    Construct

    Examples
    --------
    >>> composite("Price", ["fee", "tariff"], mode="B").mode
    'B'
    """
    return Construct(name, "composite", _as_tuple(name, items), mode=mode)


def single_item(name, item):
    """Return a construct that is its one item, taken to be measured without error.

    Examples
    --------
    >>> single_item("Complaints", "CUSCO").items
    ('CUSCO',)
    """
    return Construct(name, "single_item", (item,))


def higher_order(name, parts, *, mode="A"):
    """Return a construct made of other constructs (second order).

    Estimated by the disjoint two-stage approach (Sarstedt et al. 2019): first its parts take its
    place in the path diagram, then the scores of the parts become its items. It is a composite: a
    consistent estimate corrects the other reflective constructs, not the parts' scores.

    Parameters
    ----------
    name : str
    parts : list of str
        Names of at least two constructs of the model. Paths join the whole, not the parts.
    mode : {"A", "B"}
        How the parts are weighed.

    Returns
    -------
    Construct

    Examples
    --------
    >>> higher_order("Quality", ["Product", "Service"]).parts
    ('Product', 'Service')
    """
    return Construct(name, "higher_order", mode=mode, parts=_as_tuple(name, parts))


def interaction(first, moderator, *, method="two_stage"):
    """Return the product of two constructs, named `first * moderator`.

    Parameters
    ----------
    first, moderator : str
        Names of two constructs of the model.
    method : {"two_stage", "product_indicator", "orthogonalising"}
        `two_stage`: scores first, then their product (composites in either mode);
        `product_indicator`: every product of two standardised items is an item, mode A;
        `orthogonalising`: the same, after the items themselves were regressed out of each product.

    Returns
    -------
    Construct

    References
    ----------
    Henseler & Chin (2010), doi:10.1080/10705510903439003

    Examples
    --------
    >>> interaction("Value", "Complaints").name
    'Value * Complaints'
    """
    if method not in INTERACTION_METHODS:
        raise ValueError(f"method is one of {', '.join(INTERACTION_METHODS)}, not {method!r}")
    if first == moderator:
        raise ValueError(f"an interaction needs two different constructs, not twice {first!r}")
    name = f"{first} * {moderator}"
    return Construct(name, "interaction", parts=(first, moderator), method=method)


def _as_tuple(name, members):
    if isinstance(members, str):
        raise ValueError(f"construct {name!r}: items are a list, as in [{members!r}]")
    return tuple(members)
