"""What a text names: a folder, a file, a database or a mapping file, told by its content.

Who asks: a study file, before anything is read. Importing this module loads no heavy library.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from crmlab.atlas.sentences import say

__all__ = ["BOOKS", "MAPPING_NAME", "READ", "SIGNATURES", "Source", "locate", "recognise"]

MAPPING_NAME = "mapping.yaml"
_ADDRESS = re.compile(r"([a-z][a-z0-9+]*)://", re.IGNORECASE)
_POSTGRES = ("postgresql", "postgres")

#: What files begin with, whatever they are called.
SIGNATURES = {
    b"PAR1": "parquet",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\xd0\xcf\x11\xe0": "ole",
    b"SQLite format 3\x00": "sqlite",
    b"\x1f\x8b": "gzip",
    b"%PDF": "pdf",
    b"ARROW1": "arrow",
}
#: Endings of the files of a folder that are read.
BOOKS = (".xlsx", ".xlsm", ".xls")
READ = (".csv", ".parquet", *BOOKS)


@dataclass(frozen=True)
class Source:
    """Where data lies.

    Attributes
    ----------
    kind : {"folder", "file", "sqlite", "duckdb", "postgresql"}
    name : str
        A short name for the data set.
    path : pathlib.Path or None
        None for an address.
    url : str or None
        The address, without a password and without the schema.
    schema : str
        Of a database: where its tables are looked for.
    mapping_file : pathlib.Path or None
    """

    kind: str
    name: str
    path: Path | None = None
    url: str | None = None
    schema: str = ""
    mapping_file: Path | None = None

    def __str__(self) -> str:
        return str(self.url or self.path)


def locate(text: str | Path, folder: str | Path | None = None) -> Source:
    """Return what a path or an address names, without reading a table.

    Parameters
    ----------
    text : str or path-like
        A folder, file or mapping file, or ``postgresql://user@host:port/database?schema=name``.
    folder : path-like, optional
        What a relative path starts from; by default the current folder.

    Returns
    -------
    Source

    Raises
    ------
    ValueError
        If there is no such thing, it is of a kind that is not read, or an address holds a
        password (which is not repeated in the message).

    Examples
    --------
    >>> source = locate("postgresql://ann@localhost/shop?schema=crm")
    >>> source.kind, source.name, source.schema, str(source)
    ('postgresql', 'shop', 'crm', 'postgresql://ann@localhost/shop')
    >>> locate("postgresql://ann:secret@localhost/shop")
    Traceback (most recent call last):
        ...
    ValueError: the address of postgresql://ann@localhost/shop holds a password, which would be \
passed on with the study; take it out. Put it into ~/.pgpass or the environment variable PGPASSWORD.
    """
    if isinstance(text, str) and (scheme := _ADDRESS.match(text)):
        return _read_address(text, scheme[1].lower())
    path = Path(folder or ".") / Path(text).expanduser()
    try:
        return _read_path(path)
    except PermissionError as error:
        raise ValueError(say("cannot_open", path=path, error=error.strerror)) from None


def _read_path(path: Path) -> Source:
    if path.is_dir():
        beside = path / MAPPING_NAME
        if beside.exists():
            return _follow(beside, path)
        return Source("folder", path.resolve().name, path)
    if path.is_symlink() and not path.exists():
        raise ValueError(say("broken_link", path=path, target=path.readlink()))
    if not path.exists():
        raise FileNotFoundError(say("not_there", path=path))
    if not path.is_file():
        raise ValueError(say("no_file_or_folder", path=path))
    if path.suffix.lower() in (".yaml", ".yml"):
        return _follow(path, None)
    kind = recognise(path)
    kind = kind if kind in ("sqlite", "duckdb") else "file"
    beside = path.parent / MAPPING_NAME
    if beside.is_file() and _named_source(beside) == path.resolve():
        return Source(kind, path.stem, path, mapping_file=beside)
    return Source(kind, path.stem, path)


def recognise(path: Path) -> str:
    """Return the kind that a file's first bytes tell, or an empty text.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    str
        A word of `SIGNATURES`, ``duckdb``, ``html``, ``json`` or nothing.

    Raises
    ------
    ValueError
        If the file cannot be opened.
    """
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise ValueError(say("cannot_open", path=path, error=error.strerror)) from None
    if head[8:12] == b"DUCK":
        return "duckdb"
    if re.match(rb"\s*(\xef\xbb\xbf)?\s*<(!doctype|html|table|\?xml)", head, re.IGNORECASE):
        return "html"
    if re.match(rb"\s*(\xef\xbb\xbf)?\s*[\[{]\s*[\[{\"]", head):
        return "json"
    return next((kind for magic, kind in SIGNATURES.items() if head.startswith(magic)), "")


def _named_source(mapping_file: Path) -> Path | None:
    from crmlab.data.mapping import load_mapping

    named = load_mapping(mapping_file).source
    if not named or _ADDRESS.match(named):
        return None
    return (mapping_file.parent / named).resolve()


def _follow(mapping_file: Path, folder: Path | None) -> Source:
    """Return the source that a mapping file names: by default the folder it lies in."""
    from crmlab.data.mapping import load_mapping

    named = load_mapping(mapping_file).source or "."
    if not _ADDRESS.match(named):
        path = mapping_file.parent / named
        if path.resolve() == mapping_file.resolve().parent:
            folder = folder or mapping_file.parent
            return Source("folder", folder.resolve().name, folder, mapping_file=mapping_file)
        if path.suffix.lower() in (".yaml", ".yml"):
            raise ValueError(say("source_is_mapping", file=mapping_file, named=named))
        if path.is_dir():
            return Source("folder", path.resolve().name, path, mapping_file=mapping_file)
    try:
        return replace(locate(named, mapping_file.parent), mapping_file=mapping_file)
    except FileNotFoundError as error:
        raise ValueError(say("source_gone", file=mapping_file, said=error.args[0])) from None


def _read_address(text: str, scheme: str) -> Source:
    try:
        parts = urlsplit(text)
        user, host, password = parts.username, parts.hostname or "", parts.password
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise ValueError(say("address_unreadable")) from None
    if scheme not in _POSTGRES:
        raise ValueError(say("address_scheme", scheme=scheme))
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    # Socket folders stand in the query; a user that is not given is libpq's to find.
    place = f"{user}@" if user else ""
    place += (f"[{host}]" if ":" in host else host) + port
    has_password = password is not None or "password" in options
    options.pop("password", None)
    schema = options.pop("schema", "public")
    url = f"postgresql://{place}{parts.path}{'?' if options else ''}{urlencode(options)}"
    if has_password:
        raise ValueError(say("address_password", url=url))
    name = parts.path.strip("/") or "postgresql"
    return Source("postgresql", name, url=url, schema=schema)
