"""What a text names: a folder, a file, a database or a mapping file, told by its content.

Who asks: a study file, before anything is read. Importing this module loads no heavy library.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

__all__ = ["MAPPING_NAME", "READ", "SIGNATURES", "Source", "locate", "recognise"]

MAPPING_NAME = "mapping.yaml"
_ADDRESS = re.compile(r"([a-z][a-z0-9+]*)://", re.IGNORECASE)
_POSTGRES = ("postgresql", "postgres")

# What files begin with, whatever they are called; the words complete "this is ...".
SIGNATURES = {
    b"PAR1": ("parquet", "a Parquet file"),
    b"PK\x03\x04": ("zip", "a ZIP archive or an Excel workbook"),
    b"PK\x05\x06": ("zip", "a ZIP archive or an Excel workbook"),
    b"\xd0\xcf\x11\xe0": ("ole", "an old or encrypted Excel workbook"),
    b"SQLite format 3\x00": ("sqlite", "a SQLite database"),
    b"\x1f\x8b": ("gzip", "a file packed with gzip"),
    b"%PDF": ("pdf", "a PDF document"),
    b"ARROW1": ("arrow", "an Arrow file"),
}


#: Endings of the files of a folder that are read.
READ = (".csv", ".parquet", ".xlsx", ".xlsm")


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
    if path.is_dir():
        beside = path / MAPPING_NAME
        if beside.exists():
            return _follow(beside, path)
        return Source("folder", path.resolve().name, path)
    if path.is_symlink() and not path.exists():
        raise ValueError(f"{path}: a link to {path.readlink()}, which is not there. Set it anew.")
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there")
    if not path.is_file():
        raise ValueError(f"{path}: neither a file nor a folder; name one of these.")
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
        A first word of `SIGNATURES`, ``duckdb``, ``html`` or nothing.

    Raises
    ------
    ValueError
        If the file cannot be opened.
    """
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise ValueError(
            f"{path}: it cannot be opened ({error.strerror}). Give yourself the right to read it, "
            "or copy it to a place of your own."
        ) from None
    if head[8:12] == b"DUCK":
        return "duckdb"
    if re.match(rb"\s*(\xef\xbb\xbf)?\s*<(!doctype|html|table|\?xml)", head, re.IGNORECASE):
        return "html"
    return next((kind for magic, (kind, _) in SIGNATURES.items() if head.startswith(magic)), "")


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
            raise ValueError(f"{mapping_file}: source: {named} is a mapping itself; name the data.")
        if path.is_dir():
            return Source("folder", path.resolve().name, path, mapping_file=mapping_file)
    try:
        return replace(locate(named, mapping_file.parent), mapping_file=mapping_file)
    except FileNotFoundError as error:
        raise ValueError(
            f"{mapping_file}: source: {error}; paths start from the folder of this file."
        ) from None


def _read_address(text: str, scheme: str) -> Source:
    try:
        parts = urlsplit(text)
        user, host, password = parts.username, parts.hostname or "", parts.password
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise ValueError(
            "the address of the database cannot be read; expected "
            "postgresql://user@host:port/database?schema=name."
        ) from None
    if scheme not in _POSTGRES:
        raise ValueError(
            f"{scheme}:// is no address that is read; expected postgresql://user@host/database, a "
            "folder or a file. Export the tables from other databases as CSV or Parquet."
        )
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    # Socket folders stand in the query; a user that is not given is libpq's to find.
    place = f"{user}@" if user else ""
    place += (f"[{host}]" if ":" in host else host) + port
    has_password = password is not None or "password" in options
    options.pop("password", None)
    schema = options.pop("schema", "public")
    url = f"postgresql://{place}{parts.path}{'?' if options else ''}{urlencode(options)}"
    if has_password:
        raise ValueError(
            f"the address of {url} holds a password, which would be passed on with the study; take "
            "it out. Put it into ~/.pgpass or the environment variable PGPASSWORD."
        )
    name = parts.path.strip("/") or "postgresql"
    return Source("postgresql", name, url=url, schema=schema)
