"""Methods: what a notebook says of its model, its limits and its sources.

Who asks: the report, which gathers from every chapter what a paper says of its methods. A notebook
names its model in the table under its title, and closes with a section on limits and sources, in
which works stand beside what the results do not say.
"""

import re
from dataclasses import dataclass

from crmlab.report.markdown import PageMarkdown

__all__ = ["AUTHOR", "SOURCES", "Account", "read_methods"]

SOURCES = {"en": "Limits and sources", "zh": "局限与来源"}
SEEN = {"en": "What we saw", "zh": "我们看到了什么"}
MODEL = re.compile(r"^\|\s*(?:Model|模型)\s*\|(.*)\|\s*$", re.MULTILINE)
# A work begins with its author: "Oliver, R. L.", "de Montjoye, Y.-A." or “王永贵（2022）”.
BY_INITIALS = (
    r"(?:(?:(?:de|den|der|du|la|le|van|von) )*[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)*, (?:[A-Z]\.[ -]?)+"
    r"|[\u4e00-\u9fff、]{2,16}[，,]?\s*[(（]\d{4})"
)
# At the head of an entry, full names tell a work too, "Cai Jiulin & Zhang Lei (2015).", and so does
# the number or the title of a standard or a law: "GB/T 19038-2009", “《个人信息保护法》（2021）”.
AUTHOR = (
    rf"(?:{BY_INITIALS}"
    r"|[A-Z][\w'’ -]+(?:(?:, | & )[A-Z][\w'’ -]+)* \(\d{4}\)\."
    r"|[A-Z][\w/]+(?: \([A-Z]+\))? \d+[-/:]\d+(?!\d| ?[\u4e00-\u9fff])"  # not told of in a sentence
    r"|《[^》]+》[(（]\d{4})"
)
NEXT_WORK = re.compile(rf"(?:(?<=[.);])\s+|(?<=[。；）])\s*)(?={BY_INITIALS})")
BULLET = re.compile(r"^(?:[-*+]|\d+\.) +", re.MULTILINE)
BOLD_START = re.compile(r"^\*\*[^*]+\*\*\s*")


@dataclass(frozen=True)
class Account:
    """A notebook's line on its model and its limits, both as HTML, and its works as Markdown."""

    model: str
    limits: str
    works: list[str]


def read_methods(texts, language):
    r"""Read what the texts of a notebook say of its methods.

    Parameters
    ----------
    texts : list of str
        The notebook's text cells in one language, as Markdown.
    language : {"en", "zh"}

    Returns
    -------
    Account
        The section's summary of what was seen is no part of the limits. Relative links become
        plain text: they lead nowhere from the front page.

    Examples
    --------
    >>> text = "## Limits and sources\n\nOne window.\n\nGini, C. (1912). *Variabilità*."
    >>> account = read_methods([text], "en")
    >>> account.limits, account.works
    ('<p>One window.</p>\n', ['Gini, C. (1912). *Variabilità*.'])
    """
    text, markdown = "\n\n".join(texts), PageMarkdown()
    model = MODEL.search(text)
    works, limits = [], []
    for section in re.split(r"^## +", text, flags=re.MULTILINE):
        title, _, body = section.partition("\n")
        if title.strip().casefold() == SOURCES[language].casefold():
            for block in re.split(r"\n\s*\n", body.strip()):
                named, rest = _split_works(block, SEEN[language])
                works += named
                limits += [rest] if rest else []
    return Account(
        model=markdown.render_line(model[1].strip()) if model else "",
        limits=markdown.render("\n\n".join(limits)) if limits else "",
        works=works,
    )


def _split_works(block, seen):
    """Split a paragraph or a list into the works it names and what else it says."""
    works, rest = [], []
    for item in block.splitlines() if BULLET.match(block) else [block]:
        words = BOLD_START.sub("", " ".join(BULLET.sub("", item).split()))
        named = [work for work in NEXT_WORK.split(words) if re.match(AUTHOR, work)]
        works += named
        if not named and not item.lstrip("*").startswith(seen):
            rest.append(item)
    return works, "\n".join(rest)
