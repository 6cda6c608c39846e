"""Concepts: every idea of the field, in Chinese and English, and where it is at home.

Who asks: a reader who has a word ("让渡价值", "switching cost") and wants the model, the function
and the notebook behind it. One table (`concepts.csv`) answers. A row is a concept; `kind` says
whether crmlab computes it or tells it, `notebook` where its story stands, and `function`,
`section` and `test` name its home. They stay empty until the concept has one
(`crmlab.atlas.homes` checks that).
"""

import csv
import re
import unicodedata
from dataclasses import astuple, dataclass
from functools import cache, cached_property
from importlib.resources import files

__all__ = ["CONCEPT_KINDS", "Concept", "find_concepts", "load_concepts", "suggest_concepts"]

CONCEPT_KINDS = ("computed", "narrated")

# What stands between the pieces of a term: 普通型 / 主动型, "Old, new, potential customers".
_SEPARATORS = re.compile(r"[()\[\]{}（）/、,，;；:：+→=×≠\"“”‘’'…—|]+")


@dataclass(frozen=True)
class Concept:
    """A concept of the field: its term in two languages, its model and its home."""

    id: str
    part: str
    term_zh: str
    term_en: str
    standard_model: str
    inputs: str
    outputs: str
    kind: str
    notebook: str
    function: str
    section: str
    test: str

    @property
    def stage(self):
        """Stage of the study the concept belongs to: the first digit of its notebook."""
        return self.notebook[0]

    @property
    def functions(self):
        """Dotted names of the functions that compute it."""
        return _split(self.function)

    @property
    def tests(self):
        """Node ids of the tests that hold it."""
        return _split(self.test)

    def text(self, language):
        """Return the term in `language` ("en" or "zh")."""
        return {"en": self.term_en, "zh": self.term_zh}[language]

    @cached_property
    def _terms(self):
        # cached_property writes to __dict__, past the frozen __setattr__.
        return tuple(_Searchable(self.text(language)) for language in ("zh", "en"))

    @cached_property
    def _everything(self):
        return _fold(" ".join(astuple(self)))


@cache
def load_concepts():
    """Return every concept of the atlas, in the order of the table.

    Returns
    -------
    tuple of Concept

    Examples
    --------
    >>> concepts = load_concepts()
    >>> len(concepts)
    312
    >>> concepts[0].id, concepts[0].notebook
    ('A1', '82_crm_maturity')
    """
    with files(__package__).joinpath("concepts.csv").open(encoding="utf-8", newline="") as lines:
        return tuple(Concept(**row) for row in csv.DictReader(lines))


def find_concepts(query):
    """Return the concepts a word leads to, the best match first.

    Case, width (ＲＦＭ), spaces and hyphens make no difference. A concept ranks by the best match
    of the query with its two terms:

    1. the id, or the whole term, also without its bracketed remark;
    2. the beginning of the term;
    3. whole words of it; in Chinese, which writes no spaces, the beginning or the end of a
       piece between punctuation marks;
    4. any part of it;
    5. all words of the query, in any order;
    6. nothing in the terms, but a mention in another column (an author, an input, a notebook).

    Of equal matches the shorter term comes first, then the table's order.

    Parameters
    ----------
    query : str
        A word or phrase, in Chinese or English, or an id such as "H13".

    Returns
    -------
    list of Concept
        Empty when nothing matches; `suggest_concepts` then names what is near.

    Raises
    ------
    ValueError
        If the query holds no letter or digit.

    Examples
    --------
    >>> find_concepts("rfm")[0].id
    'F10'
    >>> find_concepts("让渡价值")[0].term_en
    'Customer delivered value'
    >>> find_concepts("pivot table")
    []
    """
    wanted = _fold(query)
    if not any(character.isalnum() for character in wanted):
        raise ValueError(
            f"the query is {query!r}; expected a word, a phrase or an id, in Chinese or English, "
            "such as 'loyalty', '忠诚' or 'H13'"
        )
    ranked = [(_rank(wanted, concept), concept) for concept in load_concepts()]
    found = [(rank, concept) for rank, concept in ranked if rank is not None]
    return [concept for _, concept in sorted(found, key=lambda pair: pair[0])]


def suggest_concepts(query, *, n=3):
    """Return the terms nearest in spelling to a query, for when nothing matches it.

    Parameters
    ----------
    query : str
    n : int
        The most terms to return.

    Returns
    -------
    list of str
        Terms, pieces or words of terms as the atlas spells them, nearest first; maybe empty.

    Examples
    --------
    >>> suggest_concepts("loyality", n=1)
    ['Loyalty']
    >>> suggest_concepts("客户终生价值", n=1)
    ['客户终身价值']
    """
    from difflib import get_close_matches

    spellings = {}
    for concept in load_concepts():
        for searchable in concept._terms:
            for text in (searchable.text, *searchable.pieces, *searchable.words):
                spellings.setdefault(_fold(text), text)
    close = get_close_matches(_fold(query), spellings, n=n, cutoff=0.6)
    return [spellings[key] for key in close]


class _Searchable:
    """A term cut up for search: whole, without its bracketed remark, in pieces, in words."""

    def __init__(self, text):
        self.text = text
        self.pieces = [piece.strip() for piece in _SEPARATORS.split(text) if piece.strip()]
        self.words = re.findall(r"[A-Za-z][\w²-]*", text)
        self.folded = _fold(text)
        self.heads = {self.folded, _fold(re.sub(r"\s*[(（].*", "", text))}
        self.folded_pieces = {_fold(piece) for piece in self.pieces}


def _rank(wanted, concept):
    """Return (rank, length of the matching term), smaller for better; None without a match."""
    if wanted == _fold(concept.id):
        return 0, 0
    ranks = [(_rank_in_term(wanted, term), len(term.folded)) for term in concept._terms]
    found = [rank for rank in ranks if rank[0] is not None]
    if found:
        return min(found)
    return (5, 0) if wanted in concept._everything else None


def _rank_in_term(wanted, term):
    if wanted in term.heads:
        return 0
    if term.folded.startswith(wanted):
        return 1
    if _is_word(wanted, term):
        return 2
    if wanted in term.folded:
        return 3
    words = wanted.split()
    return 4 if len(words) > 1 and all(word in term.folded for word in words) else None


def _is_word(wanted, term):
    if f" {wanted} " in f" {_plain(term.folded)} " or wanted in term.folded_pieces:
        return True
    # Chinese writes no spaces: what begins or ends a piece stands for a word.
    chinese = any("\u4e00" <= character <= "\u9fff" for character in wanted)
    ends = (piece.startswith(wanted) or piece.endswith(wanted) for piece in term.folded_pieces)
    return chinese and any(ends)


def _fold(text):
    """Return the text without case, width, hyphens and doubled spaces."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.sub(r"[-‐‑–—_]", " ", text).split())


def _plain(folded):
    """Return a folded text with spaces for punctuation, so that words stand alone."""
    return " ".join(re.sub(r"[^\w\s]", " ", folded).split())


def _split(field):
    return tuple(part.strip() for part in field.split(";") if part.strip())
