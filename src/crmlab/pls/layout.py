"""A model turned into positions: which column, slot and construct stands where in the arrays.

Who asks: the engine, once per model. A *slot* is one item in one construct; slots of a construct
are neighbours. A model with a higher-order construct has two stages: in the first its parts take
its place, in the second the parts' scores are its slots. A two-stage interaction has no slots; its
scores are made of the last stage's.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

__all__ = ["Layout", "Stage", "lay_out"]


@dataclass(frozen=True)
class Stage:
    """Constructs with slots, and which of them are neighbours in the diagram."""

    names: tuple[str, ...]
    slots: tuple[tuple[str, str], ...]  # (construct, label of the item)
    mode_b: tuple[bool, ...]
    pairs: tuple[tuple[int, int], ...]  # (source, target)
    owner: np.ndarray = field(init=False)
    starts: np.ndarray = field(init=False)
    sizes: np.ndarray = field(init=False)

    def __post_init__(self):
        owner = np.array([self.names.index(construct) for construct, _ in self.slots])
        object.__setattr__(self, "owner", owner)
        object.__setattr__(self, "starts", np.searchsorted(owner, np.arange(len(self.names))))
        object.__setattr__(self, "sizes", np.bincount(owner, minlength=len(self.names)))

    def block(self, construct):
        """Return the slice of a construct's slots (by position)."""
        start = int(self.starts[construct])
        return slice(start, start + int(self.sizes[construct]))

    def predecessors(self, construct):
        """Return the positions of what points to a construct."""
        return [s for s, t in self.pairs if t == construct]


@dataclass(frozen=True)
class Layout:
    """Everything the engine must know of a model.

    `items` are the data's columns; `products` are pairs of their positions, the columns that
    follow them; `first` and `second` are the stages (`second` None without a higher-order
    construct); `sources` says for each slot of `first` which column or product it is; `carried`
    says for each slot of `second` which slot or which construct of `first` it is; `two_stage`
    holds (first, moderator) positions in the last stage; `orthogonal` the item positions that are
    regressed out of a product slot.
    """

    items: tuple[str, ...]
    products: tuple[tuple[int, int], ...]
    first: Stage
    second: Stage | None
    sources: tuple[int, ...]
    orthogonal: dict[int, tuple[int, ...]]
    carried: tuple[tuple[str, int], ...]
    two_stage: tuple[tuple[int, int], ...]
    names: tuple[str, ...]
    pairs: tuple[tuple[int, int], ...]
    corrected: np.ndarray
    score_items: dict[str, tuple[int, ...]]

    @property
    def last(self):
        """The stage whose slots measure the constructs of the diagram."""
        return self.second or self.first


def lay_out(model):
    """Return the `Layout` of a `PathModel`."""
    items = model.items
    position = {item: k for k, item in enumerate(items)}
    wholes = {c.name: c.parts for c in model.constructs if c.kind == "higher_order"}
    inside = {part for parts in wholes.values() for part in parts}
    late = [c for c in model.constructs if c.kind == "interaction" and c.method == "two_stage"]
    late_names = {c.name for c in late}
    score_items = _score_items(model, position)
    products = _products(model, score_items)
    column = {pair: len(items) + k for k, pair in enumerate(products)}

    first_constructs = [c for c in model.constructs if c.name not in late_names | set(wholes)]
    slots, sources, orthogonal = [], [], {}
    for construct in first_constructs:
        if construct.kind != "interaction":
            slots += [(construct.name, item) for item in construct.items]
            sources += [position[item] for item in construct.items]
            continue
        ours = [score_items[part] for part in construct.parts]
        for i in ours[0]:
            for j in ours[1]:
                if construct.method == "orthogonalising":
                    orthogonal[len(slots)] = tuple(dict.fromkeys(ours[0] + ours[1]))
                slots.append((construct.name, f"{items[i]} * {items[j]}"))
                sources.append(column[i, j])
    early_pairs = [
        (s, t)
        for source, target in model.pairs
        if source not in late_names
        for s in wholes.get(source, (source,))
        for t in wholes.get(target, (target,))
    ]
    first = _stage(first_constructs, slots, early_pairs)
    second, carried = None, ()
    if wholes:
        second, carried = _second_stage(model, first, inside, late_names)
    last = second or first
    two_stage = tuple(tuple(last.names.index(p) for p in c.parts) for c in late)
    names = last.names + tuple(c.name for c in late)
    pairs = tuple((names.index(s), names.index(t)) for s, t in model.pairs)
    kinds = {c.name: c.kind for c in model.constructs}
    sizes = dict(zip(last.names, last.sizes, strict=True))
    corrected = np.array([kinds[n] == "reflective" and sizes[n] > 1 for n in names])
    return Layout(
        items=items,
        products=products,
        first=first,
        second=second,
        sources=tuple(sources),
        orthogonal=orthogonal,
        carried=carried,
        two_stage=two_stage,
        names=names,
        pairs=pairs,
        corrected=corrected,
        score_items=score_items,
    )


def _stage(constructs, slots, pairs):
    names = tuple(c.name for c in constructs)
    return Stage(
        names=names,
        slots=tuple(slots),
        mode_b=tuple(c.mode == "B" for c in constructs),
        pairs=tuple((names.index(s), names.index(t)) for s, t in dict.fromkeys(pairs)),
    )


def _second_stage(model, first, inside, late_names):
    constructs = [c for c in model.constructs if c.name not in inside | late_names]
    slots, carried = [], []
    for construct in constructs:
        if construct.kind == "higher_order":
            slots += [(construct.name, part) for part in construct.parts]
            carried += [("construct", first.names.index(part)) for part in construct.parts]
            continue
        for k, (owner, label) in enumerate(first.slots):
            if owner == construct.name:
                slots.append((owner, label))
                carried.append(("slot", k))
    pairs = [pair for pair in model.pairs if pair[0] not in late_names]
    return _stage(constructs, slots, pairs), tuple(carried)


def _score_items(model, position):
    """Positions of the items behind each construct's scores, parts' items for a whole."""
    found = {c.name: tuple(position[i] for i in c.items) for c in model.constructs if c.items}
    for construct in model.constructs:
        if construct.kind == "higher_order":
            found[construct.name] = tuple(
                dict.fromkeys(i for part in construct.parts for i in found[part])
            )
    return found


def _products(model, score_items):
    pairs = {}
    for construct in model.constructs:
        if construct.kind == "interaction":
            one, other = (score_items[part] for part in construct.parts)
            pairs.update(dict.fromkeys((i, j) for i in one for j in other))
    return tuple(pairs)
