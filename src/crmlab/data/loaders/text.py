"""A file's text, whatever its encoding; what is no text is refused after as few bytes as possible.

Who asks: the reader of CSV files. UTF-8 with or without byte order mark, UTF-16 and GBK (GB 18030)
are recognised; a reading that is not certain is not made.
"""

from __future__ import annotations

import io
import re
from pathlib import Path

from crmlab.atlas.sentences import Message, say
from crmlab.data.loaders.source import SIGNATURES, recognise
from crmlab.data.mapping import TableMapping

__all__ = ["Text", "read_text"]

_CHUNK = 1 << 22
_LONGEST_HEADING = 1 << 20
_SPELT = {"utf-8-sig": "UTF-8", "utf-16": "UTF-16", "utf-16-le": "UTF-16", "gb18030": "GBK"}


class Text:
    """A file's bytes in UTF-8: where they lie, and what a first look at all of them tells."""

    def __init__(self, path: Path, data: bytes | None, repair: Message | None):
        self.path, self.data, self.repair = path, data, repair
        self.n_quotes, self.has_blank_lines, self.n_leading = 0, False, 0
        self.has_lone_returns = False

    def open(self):
        """Return a binary stream from the start of the text."""
        return io.BytesIO(self.data) if self.data is not None else self.path.open("rb")

    @property
    def size(self) -> int:
        """Number of bytes."""
        return len(self.data) if self.data is not None else self.path.stat().st_size


def read_text(path: Path, said: TableMapping) -> Text:
    """Return a file's text in UTF-8; refuse what is no text at all, after as few bytes as possible.

    Raises
    ------
    ValueError
        If it is empty, of another kind, holds a NUL, has no line, or cannot be decoded.
    """
    _refuse_other_kinds(path)
    with path.open("rb") as file:
        head = file.read(_LONGEST_HEADING)
    encoding, repair = said.encoding, None
    if encoding is None:
        encoding = _find_encoding(head)
        if encoding not in ("utf-8", ""):
            repair = say("repair_encoding", encoding=_SPELT[encoding])
            if encoding == "utf-8-sig":
                repair = say("repair_bom")
    if encoding in ("utf-8", "utf-8-sig", ""):
        text = Text(path, None, repair)
        _scan(path, text)
        if encoding or not _find_late_bytes(path):
            return text
        encoding = _find_chinese(path)
        if not encoding:
            return text  # the reader names row and column
        repair = say("repair_encoding", encoding=_SPELT[encoding])
    try:
        data = path.read_bytes().decode(encoding).removeprefix("\ufeff").encode()
    except (UnicodeDecodeError, LookupError):
        raise ValueError(say("csv_other_encoding", path=path, encoding=encoding)) from None
    text = Text(path, data, repair)
    _scan(path, text)
    return text


def _refuse_other_kinds(path: Path) -> None:
    if path.stat().st_size == 0:
        raise ValueError(say("csv_empty", path=path))
    kind = recognise(path)
    if kind == "html":
        raise ValueError(say("csv_web_page", path=path))
    if kind == "json":
        raise ValueError(say("csv_json", path=path))
    if kind in ("duckdb", *SIGNATURES.values()):
        raise ValueError(say("csv_misnamed", path=path, kind=say(f"file_{kind}")))


def _find_encoding(head: bytes) -> str:
    """Return the encoding that the first bytes tell; nothing where later ones must decide."""
    if head.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    first = head[:4096]
    high, low = first[1::2].count(0), first[0::2].count(0)
    # Every second byte of a text in Western letters is 0, and hardly any of the others.
    return "utf-16-le" if high > 0.4 * len(first[1::2]) and low < 0.1 * high else ""


def _scan(path: Path, text: Text) -> None:
    """Look at every byte once: no NUL may be there; quotation marks and blank lines are counted."""
    seen, tail, has_line = 0, b"", False
    with text.open() as file:
        while chunk := file.read(_CHUNK if has_line else _LONGEST_HEADING):
            nul = chunk.find(b"\0")
            if nul >= 0:
                raise ValueError(_say_nul(path, chunk[:nul], seen, has_line))
            if not has_line and len(chunk) == _LONGEST_HEADING and not re.search(b"[\r\n]", chunk):
                raise ValueError(say("csv_no_line", path=path, n=_LONGEST_HEADING))
            if not seen:
                leading = re.match(rb"(?:\xef\xbb\xbf)?((?:\r?\n)*)", chunk)[1]
                text.n_leading = leading.count(b"\n")
                text.has_blank_lines = text.n_leading > 0
            has_line = True
            text.n_quotes += chunk.count(b'"')
            joined = tail + chunk
            if not text.has_blank_lines:
                text.has_blank_lines = bool(re.search(rb"\n\r?\n|\r\r", joined))
            if not text.has_lone_returns:
                text.has_lone_returns = bool(re.search(rb"\r[^\n]", joined))
            tail = chunk[-2:]
            seen += len(chunk)


def _say_nul(path: Path, before: bytes, seen: int, has_line: bool) -> Message:
    if seen or has_line:
        return say("csv_nul_byte", path=path, n=seen + len(before) + 1)
    lines = before.split(b"\n")
    row = len(lines) - 1
    cells = lines[-1].count(b",") + 1
    where = say("row_and_column" if row else "heading_and_column", row=row, column=cells)
    return say("csv_nul", path=path, where=where)


def _find_late_bytes(path: Path) -> bool:
    """Return whether the file is not UTF-8 throughout."""
    import codecs

    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            while chunk := file.read(_CHUNK):
                if not chunk.isascii() or decoder.getstate()[0]:
                    decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return True
    return False


def _find_chinese(path: Path) -> str:
    """Return gb18030 where the bytes make common Chinese text; nothing where they do not.

    Western and Cyrillic texts often decode as well, but into rarer characters: nine in ten must be
    punctuation or Chinese characters of the first level of GB 2312, which write nearly every text.
    """
    data = path.read_bytes()
    try:
        letters = [letter for letter in data.decode("gb18030") if letter > "\x7f"]
    except UnicodeDecodeError:
        return ""
    common = sum(_is_common(letter) for letter in set(letters))
    return "gb18030" if common >= 0.9 * len(set(letters)) else ""


def _is_common(letter: str) -> bool:
    try:
        return letter.encode("gb2312")[0] < 0xD8  # where the second level begins
    except UnicodeEncodeError:
        return False
