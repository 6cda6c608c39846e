"""Flow on paper: text goes on before a figure that the rest of a page is too short for.

Who asks: the paper report, for print. A browser leaves the foot of a page empty where a figure does
not fit. Here, as in a printed journal, the text after such a figure is set first and the figure
stands at the head of the next page, its caption under it. It never passes another figure, a
finding, or the heading of a section; a subsection may begin before it.
"""

import re
from dataclasses import dataclass

from crmlab.report.paper import split_blocks

__all__ = ["MEASURE", "arrange", "move_figures"]

PAGE = 249 / 25.4 * 96  # height of a page's text, in CSS pixels
LINES, ROWS = 50, 110  # pixels: of a text or a table that is parted, so much stands on either side
HEAD = 25  # pixels: of a table's head, which is repeated
GAP = 0.12 * PAGE  # a smaller one is left empty
CHAPTER = re.compile(r'(<section class="leaf chapter"[^>]*>)(.*?)(</section>)', re.DOTALL)
PASSED_BY_NONE = re.compile(r'<(?:figure|h[12]|div class="(?:finding|banner|kicker))\b')
LEADS = re.compile(r'<(?:h\d|div class="kicker|p class="(?:caption|[^"]*\bleads))\b')
WHOLE = re.compile(
    r'<(?:figure|h\d|div class="finding|p class="brief|math)\b|.*<table class="[^"]*\bshort\b',
    re.DOTALL,
)
# Tells where the parts of each chapter stand; run by the browser, which then shows nothing else.
MEASURE = """
<script>
addEventListener("load", () => document.fonts.ready.then(() => {
  const places = [...document.querySelectorAll("section.chapter")].map(chapter =>
    [...chapter.children].map(e => e.getBoundingClientRect()).map(box => [box.top, box.bottom]));
  document.body.innerHTML = "<pre id=places></pre>";
  document.getElementById("places").textContent = JSON.stringify(places);
}));
</script>
"""


def move_figures(html, places):
    """Return the document with its figures moved to the heads of pages where that fills a gap.

    Parameters
    ----------
    html : str
        From `render_paper`.
    places : list of list of (float, float)
        Top and bottom of each part of each chapter, in pixels, as if on one endless sheet.

    Returns
    -------
    str
        A chapter that was not measured part by part is left as it is.
    """
    measured = iter(places)

    def set_chapter(found):
        blocks, boxes = split_blocks(found[2]), next(measured, [])
        if len(blocks) != len(boxes):
            return found[0]
        order = arrange(blocks, boxes)
        return "\n".join([found[1], *(blocks[i] for i in order), found[3]])

    return CHAPTER.sub(set_chapter, html)


@dataclass(frozen=True)
class _Part:
    """A part of a chapter: what it takes of a page, to its end and to the next part's beginning."""

    html: str
    size: float
    advance: float

    @property
    def is_figure(self):
        return self.html.startswith("<figure")

    @property
    def is_whole(self):
        return WHOLE.match(self.html) is not None

    @property
    def leads(self):
        return LEADS.match(self.html) is not None

    @property
    def is_table(self):
        return "<table" in self.html

    @property
    def least(self):
        """What must stand on a page of a part that may be parted."""
        return self.size if self.is_whole else min(self.size, ROWS if self.is_table else LINES)

    def end(self, used):
        """Return how much of the page is used after the part that begins where so much is."""
        rest = used + self.size - PAGE
        if self.is_whole or rest <= 0:
            return used + self.advance
        rest = max(rest % PAGE, self.least) + (HEAD if self.is_table else 0)
        return rest + self.advance - self.size


def arrange(blocks, boxes):
    """Return the order in which the parts of a chapter are set.

    Parameters
    ----------
    blocks : list of str
        HTML of each part.
    boxes : list of (float, float)
        Top and bottom of each, in pixels.

    Returns
    -------
    list of int

    Examples
    --------
    >>> blocks = ["<p>Long.</p>", "<figure></figure>", "<h3>Next</h3>", "<p>Text.</p>"]
    >>> arrange(blocks, [(0, 700), (700, 1000), (1000, 1020), (1020, 1300)])
    [0, 2, 3, 1]
    >>> arrange(blocks, [(0, 600), (600, 900), (900, 920), (920, 1200)])
    [0, 1, 2, 3]
    """
    tops = [top for top, _ in boxes] + [boxes[-1][1]]
    parts = [
        _Part(html, bottom - top, tops[i + 1] - top)
        for i, (html, (top, bottom)) in enumerate(zip(blocks, boxes, strict=True))
    ]
    order, at, used, moved = list(range(len(parts))), 0, 0.0, set()
    while at < len(order):
        end = at
        while parts[order[end]].leads and end + 1 < len(order):
            end += 1
        chain = [parts[i] for i in order[at : end + 1]]
        if used + sum(part.advance for part in chain[:-1]) + chain[-1].least > PAGE:
            n_passed = 0
            if chain[0].is_figure and order[at] not in moved and PAGE - used > GAP:
                n_passed = _count_fitting([parts[i] for i in order[at + 1 :]], PAGE - used)
            if n_passed:
                moved.add(order[at])
                order.insert(at + n_passed, order.pop(at))
                continue
            used = 0.0
        for part in chain:
            used = part.end(used)
        at = end + 1
    return order


def _count_fitting(parts, room):
    """Return how many of the parts that follow a figure fill the room before it."""
    count = 0
    for i, part in enumerate(parts, start=1):
        if PASSED_BY_NONE.match(part.html) or part.least > room:
            break
        if not part.leads:
            count = i
        room -= part.advance
        if room <= 0:
            break
    return count
