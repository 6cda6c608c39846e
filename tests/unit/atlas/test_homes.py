"""Homes in small projects made for the purpose; the real ones are in tests/notebooks."""

import json
import shutil
from dataclasses import replace

import pytest

from crmlab.atlas import concept_coverage, load_concepts

COMPUTED = replace(
    load_concepts()[0],
    id="Z1",
    kind="computed",
    notebook="20_customer_value",
    function="crmlab.value.rfm.score",
    section="Recency and frequency",
    test="tests/unit/value/test_rfm.py::test_score_counts_orders",
)
NARRATED = replace(
    COMPUTED, id="Z2", kind="narrated", notebook="00_start_here", function="", test=""
)


@pytest.fixture
def project(tmp_path):
    """A project with one package, one test file and two notebooks."""
    write = {
        "src/crmlab/__init__.py": "",
        "src/crmlab/value/__init__.py": (
            "from crmlab.value.rfm import score\nfrom .rfm import score as rank\n"
            "from crmlab.value.gone import lost\n"
        ),
        "src/crmlab/value/rfm.py": (
            "import not_installed_anywhere\nLIMIT = 5\n"
            "def score(orders):\n    def inner(): ...\n"
            "class Model:\n    def fit(self): ...\n"
        ),
        "tests/unit/value/test_rfm.py": (
            "def test_score_counts_orders(): ...\n"
            "class TestScore:\n    def test_sum(self): ...\n"
            "# def test_commented_out(): ...\n"
        ),
    }
    for name, text in write.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name in ("20_customer_value", "00_start_here"):
        write_notebook(
            tmp_path,
            name,
            ("en", "# A question\n\n### Recency and frequency\ntext\n```\n# a comment\n```\n"),
            ("zh", "# 问题\n\n### 只在中文里\n"),
        )
    return tmp_path


def write_notebook(root, name, *cells):
    document = {
        "cells": [
            {
                "cell_type": "markdown",
                "metadata": {"tags": [tag]},
                "source": text.splitlines(keepends=True),
            }
            for tag, text in cells
        ]
        + [{"cell_type": "code", "metadata": {}, "source": ["# Only code\n"]}]
    }
    (root / "notebooks").mkdir(exist_ok=True)
    path = root / "notebooks" / f"{name}.ipynb"
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")


def check(project, concept):
    return concept_coverage(project, concepts=[concept]).homes[0]


@pytest.mark.parametrize("concept", [COMPUTED, NARRATED], ids=["computed", "narrated"])
def test_concept_with_everything_in_place_is_at_home(project, concept):
    home = check(project, concept)
    assert home.is_home
    assert home.reason == ""


@pytest.mark.parametrize(
    "function",
    [
        "crmlab.value.score",
        "crmlab.value.rank",
        "crmlab.value.rfm.Model",
        "crmlab.value.rfm.Model.fit",
        "crmlab.value.rfm.score; crmlab.value.rfm.Model",
    ],
)
def test_function_is_found_where_it_is_defined_or_handed_on(project, function):
    assert check(project, replace(COMPUTED, function=function)).is_home


@pytest.mark.parametrize(
    "function",
    [
        "crmlab.value.rfm.scores",
        "crmlab.value.rfm.inner",
        "crmlab.value.rfm.Model.predict",
        "crmlab.value.rfm",
        "crmlab.value.lost",
        "crmlab.worth.rfm.score",
        "numpy.mean",
        "crmlab",
    ],
)
def test_function_that_is_not_there_breaks_the_home(project, function):
    home = check(project, replace(COMPUTED, function=function))
    assert not home.is_home
    assert home.broken == (f"no function {function}",)


def test_function_is_found_without_importing_its_module(project):
    # rfm.py imports a package that does not exist.
    assert check(project, COMPUTED).is_home


@pytest.mark.parametrize(
    "node",
    [
        "tests/unit/value/test_rfm.py::TestScore::test_sum",
        "tests/unit/value/test_rfm.py::test_score_counts_orders[case-1]",
    ],
)
def test_test_is_found_in_a_class_and_with_its_case(project, node):
    assert check(project, replace(COMPUTED, test=node)).is_home


@pytest.mark.parametrize(
    "node",
    [
        "tests/unit/value/test_rfm.py::test_gone",
        "tests/unit/value/test_rfm.py::test_commented_out",
        "tests/unit/value/test_rfm.py",
        "tests/unit/value/test_none.py::test_score_counts_orders",
    ],
)
def test_test_that_is_not_there_breaks_the_home(project, node):
    assert check(project, replace(COMPUTED, test=node)).broken == (f"no test {node}",)


def test_tests_are_taken_as_stated_where_the_source_is_not(project):
    gone = replace(COMPUTED, function="", test="tests/unit/value/test_rfm.py::test_gone")
    assert concept_coverage(project, concepts=[gone]).has_tests
    shutil.rmtree(project / "src")
    found = concept_coverage(project, concepts=[gone, replace(gone, test="")])
    assert not found.has_tests
    assert [home.broken for home in found] == [(), ()]
    assert [home.lacking for home in found] == [
        ("no function yet",),
        ("no function yet", "no test yet"),
    ]


def test_chinese_heading_counts_under_the_english_name_its_cell_keeps(project):
    path = project / "notebooks" / "00_start_here.ipynb"
    document = json.loads(path.read_text("utf-8"))
    names = {"只在中文里": "Recency and frequency", "不在这里": "Elsewhere"}
    document["cells"] = document["cells"][1:]
    document["cells"][0]["metadata"]["crmlab"] = {"headings": names}
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    assert check(project, NARRATED).is_home
    assert not check(project, replace(NARRATED, section="Elsewhere")).is_home


@pytest.mark.parametrize("section", ["只在中文里", "a comment", "Only code", "text", "Recency"])
def test_section_must_be_a_heading_of_an_english_cell(project, section):
    home = check(project, replace(NARRATED, section=section))
    assert not home.is_home
    assert home.broken[0].startswith(f"no section {section!r} in 00_start_here")


def test_section_slightly_misspelt_is_answered_with_the_nearest_heading(project):
    home = check(project, replace(NARRATED, section="Recency and frequencies"))
    assert "did you mean 'Recency and frequency'?" in home.reason


def test_section_named_in_a_notebook_that_is_not_there_is_broken(project):
    home = check(project, replace(NARRATED, notebook="50_loyalty"))
    assert home.broken == ("no notebook notebooks/50_loyalty.ipynb",)


def test_concept_without_a_home_lacks_it_but_is_not_broken(project):
    homeless = replace(COMPUTED, function="", section="", test="")
    home = check(project, homeless)
    assert home.lacking == ("no function yet", "no test yet", "no section yet")
    assert home.broken == ()
    home = check(project, replace(homeless, kind="narrated", notebook="50_loyalty"))
    assert home.lacking == ("no notebook notebooks/50_loyalty.ipynb yet",)


def test_narrated_concept_needs_no_function_but_one_that_is_named_must_exist(project):
    assert check(project, replace(NARRATED, function="crmlab.value.score")).is_home
    assert check(project, replace(NARRATED, function="crmlab.value.none")).broken


def test_coverage_counts_by_notebook_stage_and_kind(project):
    found = concept_coverage(project, concepts=[COMPUTED, NARRATED, replace(COMPUTED, section="")])
    assert str(found) == "2 of 3 at home"
    assert (found.n_at_home, found.n_concepts, found.broken) == (2, 3, ())
    assert found.by("notebook") == [("00_start_here", 1, 1), ("20_customer_value", 1, 2)]
    assert found.by("stage") == [("0", 1, 1), ("2", 1, 2)]
    assert found.by("kind") == [("computed", 1, 2), ("narrated", 1, 1)]
    assert [row["reason"] for row in found.rows()] == ["", "", "no section yet"]


def test_coverage_of_an_empty_folder_has_nobody_at_home_and_names_why(tmp_path):
    found = concept_coverage(tmp_path)
    assert str(found) == "0 of 312 at home"
    assert all(home.reason for home in found.homes)


@pytest.mark.parametrize("name", ["20", "20_customer_value"])
def test_coverage_of_one_notebook_takes_its_number_or_its_name(tmp_path, name):
    found = concept_coverage(tmp_path, notebooks=[name])
    assert {home.concept.notebook for home in found.homes} == {"20_customer_value"}
    assert found.n_concepts == 15


def test_coverage_refuses_an_unknown_notebook_and_names_the_nearest(tmp_path):
    with pytest.raises(ValueError, match="did you mean '20_customer_value'"):
        concept_coverage(tmp_path, notebooks=["20_customer_valu"])
    with pytest.raises(ValueError, match="no notebook '13' in the atlas"):
        concept_coverage(tmp_path, notebooks=["20", "13"])
