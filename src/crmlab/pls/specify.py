"""The model: constructs and the paths that join them, checked when it is built.

Who asks: whoever has a path diagram on paper and wants it as a value that can be checked, printed,
drawn and estimated. A model is frozen and needs no data, so that a slip in the diagram is told
before anything is computed. A *path* points from what explains to what is explained; paths must
not lead back to where they came from (a recursive model).

Sources: H. Wold (1982), Soft modeling: the basic design and some extensions, in Systems under
Indirect Observation II, 1-54, North-Holland; J.-B. Lohmöller (1989), Latent Variable Path Modeling
with Partial Least Squares, Physica, doi:10.1007/978-3-642-52512-4.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

import pandas as pd

from crmlab.pls.constructs import Construct
from crmlab.pls.graph import depths, find_cycle, path_pairs

__all__ = ["PathModel"]


@dataclass(frozen=True)
class PathModel:
    """A whole path diagram, checked when it is built.

    Parameters
    ----------
    constructs : iterable of Construct
    paths : iterable of str
        Each `"A -> B"`; several names on a side stand with commas, and arrows may follow one
        another: `"Image -> Expectation, Loyalty"`, `"Value -> Satisfaction -> Loyalty"`.
    shared_items : iterable of str
        Items that belong to more than one construct on purpose.

    Raises
    ------
    ValueError
        Names what is wrong and what to do: an unknown construct in a path (with the nearest
        name), a construct in no path, an item in two constructs, paths that form a cycle.

    Examples
    --------
    >>> from crmlab.pls import reflective, single_item
    >>> model = PathModel(
    ...     [reflective("Value", ["v1", "v2"]), single_item("Loyalty", "l1")],
    ...     ["Value -> Loyalty"],
    ... )
    >>> print(model)
    Value (reflective: v1, v2)
    Loyalty (single item: l1)
    Value -> Loyalty
    >>> model.edges
      source   target
    0  Value  Loyalty
    """

    constructs: tuple[Construct, ...]
    paths: tuple[str, ...]
    shared_items: tuple[str, ...] = ()

    def __post_init__(self):
        for field in ("constructs", "paths", "shared_items"):
            value = getattr(self, field)
            if isinstance(value, str):
                raise ValueError(f"{field} is a list, not the text {value!r}")
            object.__setattr__(self, field, tuple(value))
        _check_constructs(self.constructs)
        _check_items(self.constructs, self.shared_items)
        pairs = path_pairs(self.paths)
        _check_paths(self.names, pairs)
        for construct in self.constructs:
            _check_place(construct, self, pairs)

    @property
    def names(self):
        """Names of the constructs, in the order given."""
        return tuple(c.name for c in self.constructs)

    @property
    def pairs(self):
        """Paths as a tuple of (source, target), in the order given."""
        return path_pairs(self.paths)

    @property
    def items(self):
        """Columns of the data that the model reads, each once, in the order given."""
        return tuple(dict.fromkeys(item for c in self.constructs for item in c.items))

    def construct(self, name):
        """Return the construct of a name, or refuse with the nearest name."""
        for construct in self.constructs:
            if construct.name == name:
                return construct
        raise ValueError(_unknown("construct", name, self.names))

    @property
    def nodes(self):
        """The constructs as a table, for a drawing: one row each, in the order given.

        `construct`, `kind`, `mode`, `n_items`; `layer`, the longest way from a construct that
        nothing explains (0 there; NaN for a part of a higher-order construct).
        """
        layer = depths(self.names, self.pairs)
        parts = {p for c in self.constructs if c.kind == "higher_order" for p in c.parts}
        rows = [
            {
                "construct": c.name,
                "kind": c.kind,
                "mode": c.mode,
                "n_items": len(c.items or c.parts),
                "layer": float("nan") if c.name in parts else float(layer[c.name]),
            }
            for c in self.constructs
        ]
        return pd.DataFrame(rows)

    @property
    def edges(self):
        """The paths as a table: `source`, `target`."""
        return pd.DataFrame(self.pairs, columns=["source", "target"])

    @property
    def measures(self):
        """What measures what, as a table: `construct`, `item` (a construct's name for parts)."""
        rows = [(c.name, member) for c in self.constructs for member in c.items or c.parts]
        return pd.DataFrame(rows, columns=["construct", "item"])

    def __str__(self):
        lines = []
        for c in self.constructs:
            kind = f"composite, mode {c.mode}" if c.kind == "composite" else c.kind
            lines.append(f"{c.name} ({kind.replace('_', ' ')}: {', '.join(c.items or c.parts)})")
        targets = {}
        for source, target in self.pairs:
            targets.setdefault(source, []).append(target)
        return "\n".join(lines + [f"{s} -> {', '.join(t)}" for s, t in targets.items()])


def _unknown(what, name, known):
    near = get_close_matches(str(name), [str(k) for k in known], n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(map(str, known))}"
    return f"no {what} is named {name!r}: {hint}"


def _check_constructs(constructs):
    if len(constructs) < 2:
        raise ValueError("a path model needs at least two constructs and a path between them")
    for construct in constructs:
        if not isinstance(construct, Construct):
            raise ValueError(
                f"constructs are built by reflective(...), composite(...) and their like: "
                f"got {construct!r}"
            )
    names = [c.name for c in constructs]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two constructs are named {name!r}: give one another name")


def _check_items(constructs, shared):
    owners = {}
    for construct in constructs:
        for item in construct.items:
            owners.setdefault(item, []).append(construct.name)
    for item in shared:
        if item not in owners:
            raise ValueError(_unknown("item", item, list(owners)) + " (in shared_items)")
    for item, names in owners.items():
        if len(names) > 1 and item not in shared:
            raise ValueError(
                f"item {item!r} stands in two constructs, {names[0]!r} and {names[1]!r}: take it "
                f"out of one, or say that it is meant with shared_items=[{item!r}]"
            )


def _check_paths(names, pairs):
    if not pairs:
        raise ValueError("a path model needs at least one path, such as 'A -> B'")
    for pair in pairs:
        for name in pair:
            if name not in names:
                raise ValueError(
                    _unknown("construct", name, names) + f" (path {' -> '.join(pair)})"
                )
        if pair[0] == pair[1]:
            raise ValueError(f"path {pair[0]} -> {pair[1]} leads to itself: take it out")
        if pairs.count(pair) > 1:
            raise ValueError(f"path {pair[0]} -> {pair[1]} stands twice: write it once")
    cycle = find_cycle(names, pairs)
    if cycle:
        raise ValueError(
            f"the paths form a cycle, {' -> '.join(cycle)}: such a model is not recursive and "
            "cannot be estimated here; take out or turn round one of these paths"
        )


def _check_place(construct, model, pairs):
    """Refuse a construct that has no place in the diagram, or a part used as a whole."""
    name = construct.name
    wholes = [c.name for c in model.constructs if c.kind == "higher_order" and name in c.parts]
    in_path = [f"{s} -> {t}" for s, t in pairs if name in (s, t)]
    if len(wholes) > 1:
        raise ValueError(f"{name!r} is part of {wholes[0]!r} and of {wholes[1]!r}: keep one")
    if wholes and in_path:
        raise ValueError(
            f"{name!r} is part of {wholes[0]!r} and also in the path {in_path[0]}: draw the path "
            f"to or from {wholes[0]!r}"
        )
    if not wholes and not in_path:
        raise ValueError(
            f"construct {name!r} is in no path: add one, as in '{name} -> ...', or leave the "
            "construct out"
        )
    if construct.kind == "higher_order":
        _check_parts(construct, model)
    if construct.kind == "interaction":
        _check_interaction(construct, model, pairs)


def _check_parts(construct, model):
    if len(construct.parts) < 2:
        raise ValueError(f"higher-order construct {construct.name!r} needs at least two parts")
    for part in construct.parts:
        kind = model.construct(part).kind
        if kind in ("higher_order", "interaction"):
            raise ValueError(
                f"{construct.name!r}: its part {part!r} is itself "
                f"{'higher-order' if kind == 'higher_order' else 'an interaction'}; parts are "
                "measured by items"
            )


def _check_interaction(construct, model, pairs):
    for part in construct.parts:
        kind = model.construct(part).kind
        if kind == "interaction" or (kind == "higher_order" and construct.method != "two_stage"):
            raise ValueError(
                f"{construct.name!r}: {part!r} is {kind.replace('_', '-')}; products of its items "
                "are not defined" + (", use method='two_stage'" if kind == "higher_order" else "")
            )
    if any(target == construct.name for _, target in pairs):
        raise ValueError(f"nothing can point to the interaction {construct.name!r}: turn the path")
    targets = [t for s, t in pairs if s == construct.name]
    for target in targets:
        for part in construct.parts:
            if (part, target) not in pairs:
                raise ValueError(
                    f"{construct.name} -> {target} needs the path {part} -> {target} beside it: "
                    "an interaction without its parts cannot be told from them"
                )
