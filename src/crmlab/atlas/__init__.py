"""The concept atlas: the field's concepts and terms, in two languages, and where each lives."""

from crmlab.atlas.concepts import Concept, find_concepts, load_concepts, suggest_concepts
from crmlab.atlas.homes import Coverage, Home, concept_coverage
from crmlab.atlas.sentences import text_in
from crmlab.atlas.terms import LANGUAGES, Term, find_nearest, load_terms, nearest, term

__all__ = [
    "LANGUAGES",
    "Concept",
    "Coverage",
    "Home",
    "Term",
    "concept_coverage",
    "find_concepts",
    "find_nearest",
    "load_concepts",
    "load_terms",
    "nearest",
    "suggest_concepts",
    "term",
    "text_in",
]
