"""Fonts: Chinese (and Latin) glyphs for a report, cut down to the characters it uses.

Who asks: the report, which must look the same on a machine that has no Chinese font and no
network. The faces are Noto Sans SC and Noto Serif SC (SIL Open Font License 1.1), from the
package `pylopdf-fonts-zh-cn`; the cut keeps their copyright and licence lines.
"""

import hashlib
from importlib import metadata
from importlib.resources import files

from crmlab.study.artefacts import write_whole

__all__ = ["CJK", "write_font"]

PACKAGE = "pylopdf-fonts-zh-cn"
FACES = {"sans": "NotoSansSC-Regular.otf", "serif": "NotoSerifSC-Regular.otf"}
# Blocks of Chinese characters and punctuation, with their full-width forms.
CJK = "\u2e80-\u2fdf\u3000-\u303f\u31c0-\u31ef\u3400-\u9fff\uf900-\ufaff\uff00-\uffef"


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
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    options = Options(
        layout_features=[],
        hinting=False,
        name_IDs=[0, 1, 2, 13, 14],  # copyright, names, licence and its address
        notdef_outline=True,
    )
    # Vertical setting and alternates: nothing on a page asks for them.
    options.drop_tables += ["GSUB", "GPOS", "BASE", "VORG", "vhea", "vmtx", "DSIG"]
    source = str(files("pylopdf_fonts_zh_cn").joinpath(file))
    with TTFont(source, lazy=True, recalcTimestamp=False) as font:
        subsetter = Subsetter(options)
        subsetter.populate(text=wanted)
        subsetter.subset(font)
        font.flavor = "woff"
        font.save(path)
