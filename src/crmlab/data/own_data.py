"""A user's own tables as a data set: read, checked, and with what the user says of them.

Who asks: `crmlab.data.load_dataset`, for whatever is not of the catalog, and ``crmlab data check``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from crmlab.atlas import LANGUAGES
from crmlab.atlas.sentences import say
from crmlab.data.dataset import Card, Dataset, make_dataset
from crmlab.data.fetch import file_sha256
from crmlab.data.own_card import check_card, read_yaml

if TYPE_CHECKING:
    from crmlab.data.loaders.reading import Reading
    from crmlab.data.loaders.source import Source
    from crmlab.data.scanned import ScannedTable

__all__ = ["card_beside", "load_own", "plain_card"]

_FOLDER_CARD = "card.yaml"


def card_beside(source: Source) -> Path | None:
    """Return the card in a user's folder, if there is one."""
    path = source.path / _FOLDER_CARD if source.kind == "folder" else None
    return path if path is not None and path.is_file() else None


def load_own(source: Source, card: Card, engine: str | None, master: str | None) -> Dataset:
    """Return the data set of a user's own tables.

    Parameters
    ----------
    source : Source
    card : Card
        What is said where the user's card and mapping file say nothing.
    engine, master : str or None
        As for `crmlab.data.load_dataset`.

    Raises
    ------
    ValueError
        At the first thing that is wrong.
    """
    from crmlab.data.adapters import count_left_out
    from crmlab.data.loaders.fingerprint import fingerprint_source
    from crmlab.data.loaders.reading import read_source

    # Read first: what is no table at all is refused before a gigabyte of it is hashed.
    reading = read_source(source, engine=engine)
    scanned, odd = _check_scanned(reading, master)
    if odd:
        reading = read_source(source, engine=engine, loaded=odd)
        scanned, _ = _check_scanned(reading, master)
    tables = reading.tables
    left_out, repairs = list(reading.left_out), list(reading.repairs)
    for table in scanned.values():
        left_out += table.left_out
        repairs += (*table.repairs, *table.trimmed)
    hashes = reading.hashes or fingerprint_source(source)
    said = card_beside(source)
    told = {"currency": reading.mapping.currency, "time_zone": reading.mapping.time_zone}
    if said is not None:
        checked = check_card(said, read_yaml(said))
        for key, value in told.items():
            if value and checked.get(key, value) != value:
                named = {"name": key, "one": repr(checked[key]), "other": repr(value)}
                raise ValueError(
                    say("card_and_mapping", path=said, **named, mapping=source.mapping_file)
                )
        card = replace(card, **checked)
        hashes[said.name] = file_sha256(said)
    card = replace(card, **{key: value for key, value in told.items() if value})
    card = replace(card, is_simulated=card.is_simulated or "truth" in reading.tables)
    counts = (count_left_out(left_out), count_left_out(repairs))
    return make_dataset(card, tables, *counts, hashes, scanned)


def _check_scanned(
    reading: Reading, master: str | None
) -> tuple[dict[str, ScannedTable], list[str]]:
    """Return the tables that stay where they lie, and the names of those better loaded.

    Only what is written plainly can stay. Where it is not, and the file is small enough, the
    loader repairs and counts what it can, or says more of what is wrong.
    """
    from crmlab.data.scanned import check_scanned, is_large

    customers = reading.tables.get("customers", {}).get("customer_id")
    scanned, odd = {}, []
    for name, (path, engine, layout) in reading.scanned.items():
        how = {"engine": engine, "master": master, "customers": customers, "layout": layout}
        try:
            scanned[name] = check_scanned(name, path, **how)
        except ValueError:
            if is_large(path):
                raise
            odd.append(name)
        else:
            if scanned[name].trimmed and not is_large(path):
                odd.append(name)
    return scanned, odd


def plain_card(name: str) -> Card:
    """Return what can be said of data of which nothing is known."""
    from crmlab.data.tables import TABLES

    return Card(
        name=name,
        title=dict.fromkeys(LANGUAGES, name),
        summary={"en": f"Tables of {name}", "zh": f"{name} 中的数据表"},
        one_row_is={t.name: {"en": t.row_en, "zh": t.row_zh} for t in TABLES.values()},
        origin={"en": "Brought by the user", "zh": "由用户提供"},
        licence={"en": "Not stated", "zh": "未说明"},
    )
