"""The fingerprint of a source: equal hashes mean equal tables, and no table is read for them.

Who asks: every run of a study, which most often finds that nothing has changed. Nothing heavy is
imported here, so that the answer comes at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from crmlab.data.fetch import file_sha256
from crmlab.data.loaders.source import READ, Source
from crmlab.data.mapping import Mapping, load_mapping

if TYPE_CHECKING:
    from crmlab.data.loaders.places import Place

__all__ = ["find_mapping", "fingerprint_source", "hash_tables"]


def fingerprint_source(source: Source) -> dict[str, str]:
    """Return the sha256 of everything a source's tables are made from.

    Parameters
    ----------
    source : Source

    Returns
    -------
    dict of str to str
        By file; of a PostgreSQL server, by table: a hash of its columns and of all of its rows,
        which the server computes.
    """
    hashes = {}
    if source.kind == "folder":
        for path in sorted(source.path.iterdir()):
            if path.is_file() and path.suffix.lower() in READ:
                hashes[path.name] = file_sha256(path)
    elif source.kind == "postgresql":
        from crmlab.data.loaders.database import open_database
        from crmlab.data.loaders.places import find_places

        found, _ = find_places(source, find_mapping(source))
        with open_database(source) as database:
            return hash_tables(source, found, database)
    else:
        hashes[source.path.name] = file_sha256(source.path)
        # What a database has not yet moved into its file lies beside it.
        for beside in (f"{source.path}-wal", f"{source.path}.wal"):
            if Path(beside).is_file() and Path(beside).stat().st_size:
                hashes[Path(beside).name] = file_sha256(Path(beside))
    if source.mapping_file is not None:
        hashes[source.mapping_file.name] = file_sha256(source.mapping_file)
    return hashes


def hash_tables(source: Source, found: dict[str, Place], database) -> dict[str, str]:
    """Return the hash of each table of a server that is read, and of the mapping file."""
    from crmlab.data.loaders.database import fingerprint_table

    hashes = {
        f"{source.schema}.{place.part}": fingerprint_table(database, place.part)
        for place in found.values()
    }
    if source.mapping_file is not None:
        hashes[source.mapping_file.name] = file_sha256(source.mapping_file)
    return hashes


def find_mapping(source: Source) -> Mapping:
    """Return the mapping of a source; an empty one where there is none."""
    return load_mapping(source.mapping_file) if source.mapping_file else Mapping()
