"""Parts of a Word document: the looks pandoc is given, and what it leaves to be done.

A .docx is a zip of XML files. The reference document is pandoc's own with styles, page, header
and footer of ours; the finished document gains a table of contents whose entries are there before
Word fills in the pages, tables in the right size of type, and its title.
"""

import html
import io
import re
import zipfile
from xml.sax.saxutils import escape

from crmlab.report.templates import open_template

__all__ = ["CONTENTS", "finish_document", "write_reference"]

CONTENTS = "crmlab-table-of-contents"  # stands where the table of contents goes
NAMESPACES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
TYPES = "application/vnd.openxmlformats-officedocument.wordprocessingml"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
FONTS = {
    "Arial": "Liberation Sans",
    "Georgia": "Times New Roman",
    "Consolas": "Courier New",
    "Microsoft YaHei": "Noto Sans CJK SC",
    "SimSun": "Noto Serif CJK SC",
}
SETTINGS = "word/settings.xml"
CHINESE = re.compile(r"[\u2e80-\u9fff\uff00-\uffef]")
GAPS = (180, 160, 130, 100)  # between two columns, by size of type; twentieths of a point
LEADING = re.compile(r'^(<w:p><w:pPr><w:pStyle w:val="(?:BodyText|FirstParagraph)"\s*/>)')
KEPT = 2  # rows at either end of a table, its head among them, that stay with the next
# A4 and the margins of the printed report, in twentieths of a point; the title page is bare.
TEXT_WIDTH = 11906 - 2 * 1247
PAGE = (
    '<w:sectPr><w:headerReference w:type="default" r:id="rIdHeader"/>'
    '<w:footerReference w:type="default" r:id="rIdFooter"/>'
    '<w:pgSz w:w="11906" w:h="16838"/>'
    '<w:pgMar w:top="1361" w:right="1247" w:bottom="1361" w:left="1247" w:header="680" '
    'w:footer="680" w:gutter="0"/><w:titlePg/></w:sectPr>'
)


def write_reference(path, default, paper):
    """Write the reference document pandoc takes styles, page, header and footer from.

    Parameters
    ----------
    path : pathlib.Path
        Where to write it.
    default : bytes
        Pandoc's own reference document, which is the ground.
    paper : dict
        From `read_paper`.

    Returns
    -------
    pathlib.Path
        `path`.
    """
    with zipfile.ZipFile(io.BytesIO(default)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["word/styles.xml"] = _styles(paper["language"]).encode()
    parts["word/fontTable.xml"] = _font_table()
    parts["word/header1.xml"] = _frame("hdr", "Header", _text(paper["study"]["title"]))
    parts["word/footer1.xml"] = _frame("ftr", "Footer", _field("PAGE", "1"))
    _edit(
        parts,
        "[Content_Types].xml",
        "</Types>",
        f'<Override PartName="/word/header1.xml" ContentType="{TYPES}.header+xml"/>'
        f'<Override PartName="/word/footer1.xml" ContentType="{TYPES}.footer+xml"/></Types>',
    )
    _edit(
        parts,
        "word/_rels/document.xml.rels",
        "</Relationships>",
        f'<Relationship Type="{RELATIONS}/header" Id="rIdHeader" Target="header1.xml"/>'
        f'<Relationship Type="{RELATIONS}/footer" Id="rIdFooter" Target="footer1.xml"/>'
        "</Relationships>",
    )
    document = parts["word/document.xml"].decode()
    document = re.sub(r"<w:sectPr\b.*</w:sectPr>|<w:sectPr\s*/>", PAGE, document, flags=re.DOTALL)
    parts["word/document.xml"] = document.encode()
    path.write_bytes(_pack(parts))
    return path


def finish_document(path, paper, tables):
    """Return a document made by pandoc, finished, as bytes.

    Parameters
    ----------
    path : pathlib.Path
        As pandoc wrote it.
    paper : dict
        From `read_paper`.
    tables : list of dict
        Of each table in order: `size` of its type (0 to 3), whether it `is_short` and
        should stay on one page, whether it `is_layout` and has no lines.
    """
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    document = parts["word/document.xml"].decode()
    document = lead_to_tables(document)
    kinds = iter(tables)
    document = re.sub(
        r"<w:tbl>.*?</w:tbl>", lambda found: _set_table(found[0], next(kinds)), document, flags=re.S
    )
    # Pandoc gives words in a formula a style that its own mark for words rules out.
    document = document.replace('<m:nor /><m:sty m:val="p" />', "<m:nor />")
    # The line over a mean, as Word itself writes it.
    document = document.replace('<m:chr m:val="\N{OVERLINE}" />', '<m:chr m:val="\u0305" />')
    # Word would leave out the space at the end of such words.
    document = document.replace("<m:t>", '<m:t xml:space="preserve">')
    document = _break_pages(document)
    parts["word/document.xml"] = _set_contents(document, paper["w"]["contents"]).encode()
    if paper["language"] == "zh":  # marks that meet are set close, as Chinese does
        _edit(parts, SETTINGS, '"doNotCompress"', '"compressPunctuation"')
        spoken = '<w:themeFontLang w:val="en-GB" w:eastAsia="zh-CN" />'
        _edit(parts, SETTINGS, '<w:themeFontLang w:val="en-US" />', spoken)
    title = f"<dc:title>{escape(paper['study']['title'])}</dc:title>"
    core = re.sub(
        r"<dc:title>.*?</dc:title>|<dc:title\s*/>", "", parts["docProps/core.xml"].decode()
    )
    parts["docProps/core.xml"] = core.replace(
        "</cp:coreProperties>", f"{title}</cp:coreProperties>"
    ).encode()
    return _pack(parts)


def lead_to_tables(document):
    """Keep the text right before a table or its caption with it: it speaks of the table."""
    parts = re.split(r'(<w:tbl>|<w:p><w:pPr><w:pStyle w:val="TableCaption")', document)
    for i, part in enumerate(parts[:-1]):
        start = part.rfind("<w:p>")
        if start >= 0 and part.rstrip().endswith("</w:p>"):
            last = LEADING.sub(r"\1<w:keepNext />", part[start:], count=1)
            parts[i] = part[:start] + last
    return "".join(parts)


def _set_table(table, kind):
    if kind["is_layout"]:
        table = table.replace('<w:tblStyle w:val="Table"', '<w:tblStyle w:val="Layout"', 1)
    table = _widen(table)
    gap = f'<w:tblCellMar><w:right w:w="{GAPS[kind["size"]]}" w:type="dxa" /></w:tblCellMar>'
    table = table.replace("<w:tblLook", f"{gap}<w:tblLook", 1)
    style = f'<w:pStyle w:val="Table{kind["size"]}" />'
    table = re.sub(r'<w:pStyle w:val="(?:Compact|BodyText|FirstParagraph)"\s*/>', style, table)
    rows = re.split(r"(?=<w:tr>)", table)
    for i, row in enumerate(rows[1:], start=1):
        if "<w:trPr>" in row:
            row = row.replace("<w:trPr>", "<w:trPr><w:cantSplit />", 1)
        else:
            row = row.replace("<w:tr>", "<w:tr><w:trPr><w:cantSplit /></w:trPr>", 1)
        # Neither a head, nor the title of a group of rows, nor a last row stands alone on a page.
        is_end = i <= KEPT or i >= len(rows) - 1 - KEPT
        is_kept = kind["is_short"] or is_end or "<w:gridSpan" in row
        if is_kept and i < len(rows) - 1:
            row = row.replace(style, f"{style}<w:keepNext />")
        rows[i] = row
    # Two tables with nothing between them would be one to Word.
    return "".join(rows) + '<w:p><w:pPr><w:pStyle w:val="Gap" /></w:pPr></w:p>'


def _widen(table):
    """Give the columns, which pandoc cuts for a page of its own, their width on this one."""
    given = [int(width) for width in re.findall(r'<w:gridCol w:w="(\d+)"', table)]
    share = re.search(r'<w:tblW w:type="pct" w:w="(\d+)"', table)
    if not given or not share:
        return table
    whole = TEXT_WIDTH * int(share[1]) / 5000
    widths = [round(whole * width / sum(given)) for width in given]
    grid = "".join(f'<w:gridCol w:w="{width}" />' for width in widths)
    table = re.sub(r"<w:tblGrid>.*?</w:tblGrid>", f"<w:tblGrid>{grid}</w:tblGrid>", table, count=1)
    return re.sub(r"<w:tblW [^>]*>", f'<w:tblW w:type="dxa" w:w="{sum(widths)}" />', table, count=1)


def _break_pages(document):
    """Begin a new page at each first heading, but for those that follow on something."""
    parts = re.split(r'(<w:pStyle w:val="(?:Kicker|Heading1)"\s*/>)', document)
    for i in range(1, len(parts), 2):
        follows_kicker = i > 1 and "Kicker" in parts[i - 2]
        follows_figures = re.search(r'w:name="data"\s*/>\s*<w:p><w:pPr>$', parts[i - 1])
        if "Heading1" in parts[i] and not follows_kicker and not follows_figures:
            parts[i] += "<w:pageBreakBefore />"
    return "".join(parts)


def _set_contents(document, heading):
    """Put a table of contents in its place: Word's own field, holding the headings as they are."""
    entries = [
        _entry(anchor, _plain(paragraph))
        for anchor, paragraph in re.findall(
            r'<w:bookmarkStart w:id="\d+" w:name="([^"]+)"\s*/>\s*'
            r'(<w:p><w:pPr><w:pStyle w:val="Heading1"\s*/>.*?</w:p>)',
            document,
            re.DOTALL,
        )
    ]
    start = (
        '<w:r><w:fldChar w:fldCharType="begin" w:dirty="true" /></w:r>'
        r'<w:r><w:instrText xml:space="preserve">TOC \o "1-1" \h \z \u</w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="separate" /></w:r>'
    )
    end = '<w:p><w:r><w:fldChar w:fldCharType="end" /></w:r></w:p>'
    title = f'<w:p><w:pPr><w:pStyle w:val="TOCHeading" /></w:pPr>{_text(heading)}</w:p>'
    if entries:
        entries[0] = entries[0].replace("</w:pPr>", f"</w:pPr>{start}", 1)
    block = (
        "<w:sdt><w:sdtPr><w:docPartObj>"
        '<w:docPartGallery w:val="Table of Contents" /><w:docPartUnique />'
        f"</w:docPartObj></w:sdtPr><w:sdtContent>{title}{''.join(entries)}{end}"
        "</w:sdtContent></w:sdt>"
    )
    marker = rf"<w:p>(?:(?!</w:p>).)*{CONTENTS}(?:(?!</w:p>).)*</w:p>"
    return re.sub(marker, lambda _: block, document, count=1, flags=re.DOTALL)


def _entry(anchor, text):
    return (
        '<w:p><w:pPr><w:pStyle w:val="TOC1" /></w:pPr>'
        f'<w:hyperlink w:anchor="{anchor}">{_text(text)}</w:hyperlink></w:p>'
    )


def _plain(paragraph):
    return html.unescape("".join(re.findall(r"<w:t\b[^>]*>([^<]*)</w:t>", paragraph)))


def _text(text):
    # Beside Chinese, quotation marks are as wide as Chinese.
    hint = '<w:rPr><w:rFonts w:hint="eastAsia" /></w:rPr>' if CHINESE.search(text) else ""
    return f'<w:r>{hint}<w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def _field(instruction, result):
    return (
        '<w:r><w:fldChar w:fldCharType="begin" /></w:r>'
        f'<w:r><w:instrText xml:space="preserve">{instruction}</w:instrText></w:r>'
        f'<w:r><w:fldChar w:fldCharType="separate" /></w:r>{_text(result)}'
        '<w:r><w:fldChar w:fldCharType="end" /></w:r>'
    )


def _frame(kind, style, content):
    """Return a header or footer of one paragraph."""
    return (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:{kind} {NAMESPACES}>'
        f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr>{content}</w:p></w:{kind}>'
    ).encode()


def _font_table():
    """Return the fonts of the styles, each with another where a system lacks it."""
    fonts = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{other}"/></w:font>'
        for name, other in FONTS.items()
    )
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        f"<w:fonts {NAMESPACES}>{fonts}</w:fonts>"
    ).encode()


def _styles(language):
    return open_template("paper_styles.xml.j2").render(language=language).strip()


def _edit(parts, name, old, new):
    parts[name] = parts[name].decode().replace(old, new, 1).encode()


def _pack(parts):
    """Return a zip of the parts, the same bytes each time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
