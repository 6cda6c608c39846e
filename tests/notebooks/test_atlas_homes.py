"""Every home the atlas names is there: the function, the notebook's section and the test."""

import importlib
import re
from functools import reduce
from pathlib import Path

import pytest

from crmlab.atlas import concept_coverage, load_concepts

ROOT = Path(__file__).parents[2]
FUNCTIONS = sorted({name for concept in load_concepts() for name in concept.functions})


def test_every_home_the_atlas_names_is_there():
    broken = concept_coverage(ROOT).broken
    assert not broken, "\n".join(
        [
            f"homes named but not there: {len(broken)}; correct the row in "
            "src/crmlab/atlas/concepts.csv, or what it names:",
            *(f"  {home.concept.id} {home.concept.term_en}: {home.reason}" for home in broken),
        ]
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_the_atlas_names_can_be_imported_and_called(name):
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            module = importlib.import_module(".".join(parts[:cut]))
            break
        except ModuleNotFoundError as error:
            # The name of a class is no module; a module that fails to import is an error.
            if not name.startswith(error.name):
                raise
    assert callable(reduce(getattr, parts[cut:], module))


def test_coverage_line_says_how_many_concepts_are_at_home():
    found = concept_coverage(ROOT)
    assert re.fullmatch(r"\d+ of 312 at home", str(found))
    assert sum(n for _, n, _ in found.by("notebook")) == found.n_at_home


def test_every_concept_of_the_first_notebook_is_at_home():
    found = concept_coverage(ROOT, notebooks=["00_start_here"])
    assert found.n_at_home == found.n_concepts, [
        f"{home.concept.id}: {home.reason}" for home in found if not home.is_home
    ]
