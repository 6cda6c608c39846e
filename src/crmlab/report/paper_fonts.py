"""Fonts of the paper report: faces that any PDF reader shows well, at any size.

Who asks: the PDF. A browser puts a PostScript-flavoured web font into a PDF as drawings (Type 3),
which readers show coarsely and cannot name; a TrueType font it embeds as a font.
"""

import functools
import re
from io import BytesIO

from crmlab.report.fonts import CJK
from crmlab.report.pages import write_fonts

__all__ = ["write_faces"]

NAMES = {"crmlab sans": "NotoSansSC-Regular", "crmlab serif": "NotoSerifSC-Regular"}
CJK_RANGE = ", ".join(f"U+{ord(a):X}-{ord(b):X}" for a, b in re.findall("(.)-(.)", CJK))
TOLERANCE = 0.001  # of the em: how far a curve may move when it is drawn in the other way


def write_faces(html, language, folder):
    """Write the fonts a document needs, cut to its characters, and return their CSS rules.

    Parameters
    ----------
    html : str
        The document.
    language : {"en", "zh"}
    folder : pathlib.Path
        Where the document will lie; the fonts go into `fonts/` there.

    Returns
    -------
    str
        `@font-face` rules of "crmlab serif", "crmlab sans" and "crmlab cjk". The last holds the
        Chinese characters alone, to stand before a Latin face: where a web font stands behind
        another one, Chromium leaves the first words set in it blank.
    """
    rules = []
    for family, path in write_fonts(folder / "fonts", [html], language).items():
        path.write_bytes(_make_truetype(path.read_bytes(), NAMES[family]))
        source = f'src: url("fonts/{path.name}") format("woff");'
        rules.append(f'@font-face {{ font-family: "{family}"; {source} }}\n')
        if family == "crmlab sans":
            source += f" unicode-range: {CJK_RANGE};"
            rules.append(f'@font-face {{ font-family: "crmlab cjk"; {source} }}\n')
    return "".join(rules)


@functools.lru_cache(maxsize=4)  # both faces in both languages, however often they are printed
def _make_truetype(content, name):
    """Redraw a web font's cubic curves as quadratic ones, and name it for the PDF."""
    from fontTools.pens.cu2quPen import Cu2QuPen
    from fontTools.pens.ttGlyphPen import TTGlyphPen
    from fontTools.ttLib import TTFont, newTable

    with TTFont(BytesIO(content), recalcTimestamp=False) as font:
        order, drawn = font.getGlyphOrder(), font.getGlyphSet()
        tolerance = font["head"].unitsPerEm * TOLERANCE
        glyphs = {}
        for key in order:
            pen = TTGlyphPen(None)
            drawn[key].draw(Cu2QuPen(pen, tolerance, reverse_direction=True))
            glyphs[key] = pen.glyph()
        font["loca"], font["glyf"] = newTable("loca"), newTable("glyf")
        font["glyf"].glyphOrder, font["glyf"].glyphs = order, glyphs
        for key, glyph in glyphs.items():
            glyph.recalcBounds(font["glyf"])
            font["hmtx"][key] = (font["hmtx"][key][0], getattr(glyph, "xMin", 0))
        del font["CFF "]
        font.sfntVersion = "\0\1\0\0"
        # What TrueType alone asks for: no instructions, and no names of glyphs.
        font["maxp"].tableVersion = 0x00010000
        for field in ("TwilightPoints", "Storage", "FunctionDefs", "InstructionDefs"):
            setattr(font["maxp"], f"max{field}", 0)
        for field in ("StackElements", "SizeOfInstructions", "ComponentElements"):
            setattr(font["maxp"], f"max{field}", 0)
        font["maxp"].maxZones = 1
        font["post"].formatType = 3.0
        for name_id in (4, 6):
            font["name"].setName(name, name_id, 3, 1, 0x409)
        font.save(redrawn := BytesIO())
    return redrawn.getvalue()
