"""Fonts: Chinese (and Latin) glyphs for a report, cut down to the characters it uses.

Who asks: the report, which must look the same on a machine that has no Chinese font and no
network. The faces are Noto Sans SC and Noto Serif SC (SIL Open Font License 1.1), from the
package `pylopdf-fonts-zh-cn`; the cut keeps their copyright and licence lines.
"""

import hashlib
from importlib import metadata
from importlib.resources import files
from io import BytesIO

from crmlab.study.artefacts import write_whole

__all__ = ["CJK", "write_font"]

PACKAGE = "pylopdf-fonts-zh-cn"
FACES = {"sans": "NotoSansSC-Regular.otf", "serif": "NotoSerifSC-Regular.otf"}
# Blocks of Chinese characters and punctuation, with their full-width forms.
CJK = "\u2e80-\u2fdf\u3000-\u303f\u31c0-\u31ef\u3400-\u9fff\uf900-\ufaff\uff00-\uffef"

KEPT_NAMES = {0, 1, 2, 13, 14}  # copyright, names, licence and its address
# Vertical setting and alternates: nothing on a page asks for them.
DROPPED_TABLES = ("GSUB", "GPOS", "GDEF", "BASE", "VORG", "vhea", "vmtx", "DSIG")


def write_font(characters, folder, *, face="sans"):
    """Write a web font that holds exactly these characters, and return its path.

    Parameters
    ----------
    characters : iterable of str
        Characters to keep; those the face lacks are passed over.
    folder : pathlib.Path
        Where the font goes. A font already there for the same characters is not made again.
    face : {"sans", "serif"}
        Noto Sans SC or Noto Serif SC, regular weight.

    Returns
    -------
    pathlib.Path
        `<face>-<hash of the characters and the package's version>.woff`. The same characters
        give the same bytes.

    Notes
    -----
    The file is WOFF 1.0 (deflate). WOFF 2.0 would be about a tenth smaller and take four times
    as long to compress, which counts each time a study is run and not at all when it is read.
    """
    wanted = "".join(sorted(set(characters)))
    stamp = hashlib.sha256(f"{metadata.version(PACKAGE)}\n{wanted}".encode()).hexdigest()
    path = folder / f"{face}-{stamp[:16]}.woff"
    if not path.exists():
        write_whole(path, lambda draft: _cut(FACES[face], wanted, draft))
    return path


def _cut(file, wanted, path):
    """Write what is wanted of a face: HarfBuzz cuts it, fontTools wraps it for the web."""
    import uharfbuzz as hb
    from fontTools.ttLib import TTFont

    plan = hb.SubsetInput()
    plan.flags = hb.SubsetFlags.NO_HINTING | hb.SubsetFlags.NOTDEF_OUTLINE
    plan.sets(hb.SubsetInputSets.UNICODE).set(map(ord, wanted))
    plan.sets(hb.SubsetInputSets.LAYOUT_FEATURE_TAG).clear()
    plan.sets(hb.SubsetInputSets.NAME_ID).set(KEPT_NAMES)
    plan.sets(hb.SubsetInputSets.DROP_TABLE_TAG).update(
        int.from_bytes(table.encode(), "big") for table in DROPPED_TABLES
    )
    source = files("pylopdf_fonts_zh_cn").joinpath(file).read_bytes()
    cut = hb.subset(hb.Face(hb.Blob(source)), plan).blob.data
    with TTFont(BytesIO(cut), recalcTimestamp=False) as font:
        font.flavor = "woff"
        font.save(path)
