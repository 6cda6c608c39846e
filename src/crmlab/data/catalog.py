"""The catalog of data sets: what each is, where it comes from, and how it is loaded.

Who asks: every study ("which customers, observed when, under which licence?") and everybody who
wants to know what there is to choose from. A *card* (``cards/<name>.yaml``) says what a data set
is, in English and Chinese; a *data set* is the tables themselves, checked, with the window in
which the customers were observed, what was left out and why, and the sha256 of the files read.

Listing the catalog and reading a card load nothing heavier than a YAML parser.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from crmlab.atlas.sentences import Message, near, say
from crmlab.data.dataset import Card, Dataset, make_dataset
from crmlab.data.fetch import (
    DataFile,
    Wheel,
    fetch_file,
    file_sha256,
    is_file_at_hand,
    keep_file,
)
from crmlab.data.own_card import read_yaml
from crmlab.data.own_data import card_beside, load_own, plain_card

if TYPE_CHECKING:
    from crmlab.data.loaders.source import Source

__all__ = [
    "Card",
    "Dataset",
    "find_source",
    "fingerprint_dataset",
    "get_dataset",
    "is_at_hand",
    "list_datasets",
    "load_card",
    "load_dataset",
]

_CARDS = Path(__file__).with_name("cards")
_BUNDLED = "sample"


@cache
def _names() -> tuple[str, ...]:
    names = sorted(path.stem for path in _CARDS.glob("*.yaml"))
    return (_BUNDLED, *(name for name in names if name != _BUNDLED))


def list_datasets() -> list[str]:
    """Return the names of the data sets in the catalog, the bundled sample first.

    Returns
    -------
    list of str

    Examples
    --------
    >>> list_datasets()  # doctest: +NORMALIZE_WHITESPACE
    ['sample', 'bank_marketing', 'cdnow', 'cdnow_full', 'comcast_complaints', 'complete_journey',
    'complete_journey_full', 'ecsi', 'hillstrom', 'kano_transfers', 'online_retail',
    'telco_churn']
    """
    return list(_names())


def load_card(name: str) -> Card:
    """Return the card of a data set in the catalog.

    Parameters
    ----------
    name : str
        A name from `list_datasets`.

    Returns
    -------
    Card

    Raises
    ------
    ValueError
        If the catalog has no such data set; the message gives the nearest name.

    Examples
    --------
    >>> card = load_card("cdnow")
    >>> card.currency, str(card.observed_to), card.one_row_is["orders"]["en"]
    ('USD', '1998-06-30', 'An order of CDs')
    """
    if name not in _names():
        raise ValueError(
            say("no_dataset", name=repr(name), near=near(name, _names()), names=_names())
        )
    path = _CARDS / f"{name}.yaml"
    values = read_yaml(path)
    files = tuple(
        DataFile(**file | {"wheel": Wheel(**file["wheel"]) if "wheel" in file else None})
        for file in values.pop("files", ())
    )
    return Card(**values, files=files)


def is_at_hand(name: str, *, root: str | Path | None = None) -> bool:
    """Return whether a data set of the catalog can be loaded without fetching anything.

    Parameters
    ----------
    name : str
        A name from `list_datasets`.
    root : path-like, optional
        The project folder, which holds ``data/sample``; by default the one that the current
        folder or this package lies in.

    Returns
    -------
    bool
        Every file is in the mirror or the cache; whether it is whole shows when it is loaded.

    Raises
    ------
    ValueError
        If the catalog has no such data set.
    """
    card = load_card(name)
    if name == _BUNDLED:
        return any(_holds_sample(folder) for folder in _project_folders(root))
    return all(is_file_at_hand(file) for file in card.files)


def get_dataset(
    name: str,
    file: str | Path | None = None,
    *,
    root: str | Path | None = None,
    report: Callable[[str], None] | None = None,
) -> dict[str, Path]:
    """Return the files of a data set, fetched if need be; what ``crmlab data get`` runs.

    Parameters
    ----------
    name : str
        A name from `list_datasets`.
    file : path-like, optional
        A file of the data set that was obtained elsewhere: it is copied into the cache once its
        sha256 is checked, and nothing is fetched in its place.
    root : path-like, optional
        The project folder, which holds ``data/sample``; by default the one that the current
        folder or this package lies in.
    report : callable, optional
        Called with one line of English for each thing worth knowing.

    Returns
    -------
    dict of str to pathlib.Path
        By the file's name.

    Raises
    ------
    ValueError
        If the catalog has no such data set, `file` is not one of its files, or no route leads to
        a file; see `crmlab.data.fetch.fetch_file`.
    """
    card = load_card(name)
    if name == _BUNDLED:
        if file is not None:
            raise ValueError(say("bundled", name=name))
        folder = _sample_folder(root)
        return {path.name: path for path in sorted(folder.iterdir()) if path.is_file()}
    if file is not None:
        keep_file(name, card.files, file, report=report)
    return {entry.name: fetch_file(name, entry, report=report) for entry in card.files}


def fingerprint_dataset(source: str | Path, *, root: str | Path | None = None) -> dict[str, str]:
    """Return the sha256 of every file a data set is made from, without reading a table.

    Parameters
    ----------
    source : str or path-like
        As for `load_dataset`.
    root : path-like, optional
        The project folder, which holds ``data/sample``.

    Returns
    -------
    dict of str to str
        By the file's name; of a database server, by the table's. Two equal answers mean equal
        tables; files of the catalog are held to these hashes whenever they are read, so they need
        not be at hand.

    Raises
    ------
    ValueError
        If there is no such data set, folder, file or database.
    """
    from crmlab.data.loaders.fingerprint import fingerprint_source

    if source in _names() and source != _BUNDLED:
        return {file.name: file.sha256 for file in load_card(str(source)).files}
    found = _locate(source, root)
    hashes = fingerprint_source(found)
    said = card_beside(found)
    return hashes | ({said.name: file_sha256(said)} if said else {})


def find_source(source: str, folder: str | Path) -> str:
    """Return what a study names as its data, in a form that does not depend on where it is read.

    Parameters
    ----------
    source : str
        As for `load_dataset`; the name of a data set goes first.
    folder : path-like
        What a relative path starts from.

    Returns
    -------
    str
        A name of the catalog, an absolute path, or an address without a password.

    Raises
    ------
    ValueError
        If there is nothing of that name; the message says what was looked for and what is nearest.

    Examples
    --------
    >>> find_source("cdnow", "."), find_source("postgresql://ann@db/shop", ".")
    ('cdnow', 'postgresql://ann@db/shop')
    """
    from crmlab.data.loaders import locate

    if source in _names():
        return source
    try:
        found = locate(source, folder)
    except FileNotFoundError:
        looked_for = (Path(folder) / source).resolve()
        said = _say_nothing("neither_there", source, path=looked_for)
        raise ValueError(said) from None
    return source if found.path is None else str((Path(folder) / Path(source)).resolve())


def load_dataset(
    source: str | Path,
    *,
    root: str | Path | None = None,
    report: Callable[[str], None] | None = None,
    engine: str | None = None,
    master: str | None = None,
) -> Dataset:
    r"""Return a data set of the catalog, or tables of one's own.

    Parameters
    ----------
    source : str or path-like
        A name from `list_datasets`; or a folder with ``<table>.csv``, ``.parquet`` or ``.xlsx``,
        one such file, a workbook with a sheet per table, a DuckDB or SQLite file, an address
        ``postgresql://user@host/database?schema=name``, or a mapping file that names one of these
        (see `crmlab.data.mapping`). The name goes first; write ``./cdnow`` for a folder that is
        called like a data set. A ``card.yaml`` in the folder may say title, currency, time_zone,
        observed_from, observed_to and the other texts of a `Card`.
    root : path-like, optional
        The project folder, which holds ``data/sample``; by default the one that the current
        folder or this package lies in.
    report : callable, optional
        Called with one line of English for each thing worth knowing.

    engine, master : str, optional
        The program that reads the large tables of a folder (orders, contacts, links) where they
        lie, see `crmlab.data.engines.scan_table`; "pandas" loads them whatever their size. Unless
        one is named, files from 256 MB on are read by Polars and smaller ones loaded.

    Returns
    -------
    Dataset
        The window of observation is the card's; where the card has none, from the first to the
        last day with an order.

    Raises
    ------
    ValueError
        If there is no such data set or folder, a file is missing, or a table does not hold what
        it must hold; the message names file, table, column and row.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     orders = Path(folder) / "orders.csv"
    ...     _ = orders.write_text("order_id,customer_id,ordered_on,amount\n"
    ...                           "007,a,2024-01-05,12.5\n008,b,2024-03-01,-2\n")
    ...     dataset = load_dataset(folder)
    >>> dataset.observed_to.date(), dataset.tables["orders"]["order_id"].tolist()
    (datetime.date(2024, 3, 1), ['007', '008'])
    """
    if source in _names() and source != _BUNDLED:
        if engine not in (None, "pandas"):
            raise ValueError(say("engine_catalog", source=source, engine=repr(engine)))
        return _load_catalog(load_card(str(source)), report)
    found = _locate(source, root)
    card = load_card(_BUNDLED) if source == _BUNDLED else plain_card(found.name)
    return load_own(found, card, engine, master)


def _load_catalog(card: Card, report: Callable[[str], None] | None) -> Dataset:
    from crmlab.data.adapters import count_left_out
    from crmlab.data.tables import check_tables

    paths = {file.name: fetch_file(card.name, file, report=report) for file in card.files}
    adapter = importlib.import_module(f"crmlab.data.adapters.{card.adapter}")
    tables, left_out = adapter.read(paths)
    return make_dataset(
        card,
        check_tables(tables),
        count_left_out(left_out),
        count_left_out([]),
        {file.name: file.sha256 for file in card.files},
    )


def _locate(source: str | Path, root: str | Path | None) -> Source:
    """Return the bundled sample's folder or what the user names."""
    from crmlab.data.loaders import locate

    try:
        return locate(_sample_folder(root) if source == _BUNDLED else source)
    except FileNotFoundError:
        raise ValueError(_say_nothing("neither_name", source, here=Path.cwd())) from None


def _say_nothing(key: str, source: str | Path, **named: object) -> Message:
    names = _names()
    return say(key, source=repr(str(source)), names=names, near=near(source, names), **named)


def _project_folders(root: str | Path | None) -> list[Path]:
    """Return the folders that may be the project's: the one named, or those around us."""
    if root is not None:
        return [Path(root)]
    here = Path.cwd()
    package = Path(__file__).resolve().parents[1]
    return [here, *here.parents, package.parents[1], package / "project"]


def _holds_sample(folder: Path) -> bool:
    sample = folder / "data" / _BUNDLED
    return sample.is_dir() and any(sample.iterdir())


def _sample_folder(root: str | Path | None) -> Path:
    roots = _project_folders(root)
    for folder in roots:
        if _holds_sample(folder):
            return folder / "data" / _BUNDLED
    key = "no_sample_near" if root is None else "no_sample"
    raise ValueError(say(key, folder=roots[0] / "data" / _BUNDLED))
