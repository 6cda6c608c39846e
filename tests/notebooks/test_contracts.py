"""Every notebook, found by glob: stored clean, written to the anatomy, in both languages."""

import ast
import json
import re
from pathlib import Path

import pytest

from crmlab.study.notebooks import read_notebooks

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
HEADINGS = {
    "en": [
        "What you will learn",
        "Data",
        "Model",
        "Check",
        "Reading the result",
        "Exercises",
        "Limits and sources",
    ],
    "zh": ["你将学到", "数据", "模型", "检验", "解读结果", "练习", "局限与来源"],
}

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
    return json.loads(path.read_text("utf-8"))


def source(cell):
    return "".join(cell["source"])


def tags(cell):
    return cell["metadata"].get("tags", [])


def code_cells(path):
    return [cell for cell in read(path)["cells"] if cell["cell_type"] == "code"]


def test_notebook_is_stored_without_outputs(path):
    for cell in code_cells(path):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None


def test_metadata_holds_the_contract_and_the_kernel_alone(path):
    metadata = read(path)["metadata"]
    assert set(metadata) == {"crmlab", "kernelspec", "language_info"}
    assert set(metadata["crmlab"]) - {"reads"} == {"needs", "makes", "optional"}
    assert metadata["kernelspec"]["name"] == "python3"


def test_texts_come_in_pairs_english_first(path):
    languages = [tags(c)[0] for c in read(path)["cells"] if c["cell_type"] == "markdown"]
    assert languages == ["en", "zh"] * (len(languages) // 2)


def test_chinese_text_is_chinese_and_english_text_is_not(path):
    for cell in read(path)["cells"]:
        if cell["cell_type"] == "markdown":
            n_chinese = len(re.findall(r"[\u4e00-\u9fff]", source(cell)))
            assert (n_chinese > 2) == ("zh" in tags(cell)) or "en" in tags(cell), source(cell)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_sections_stand_in_the_order_of_the_anatomy(path, language):
    texts = [source(c) for c in read(path)["cells"] if language in tags(c)]
    headings = [h for text in texts for h in re.findall(r"^## (.+)$", text, flags=re.MULTILINE)]
    assert [h for h in headings if h in HEADINGS[language]] == HEADINGS[language]


def test_both_languages_have_the_same_outline(path):
    cells = read(path)["cells"]
    outline = {
        language: [
            len(level)
            for c in cells
            if language in tags(c)
            for level in re.findall(r"^(#+) ", source(c), flags=re.MULTILINE)
        ]
        for language in ("en", "zh")
    }
    assert outline["en"] == outline["zh"]


def test_code_opens_with_parameters_then_setup_and_closes_with_publish(path):
    first_tags = [tags(cell)[:1] for cell in code_cells(path)]
    assert [t for t in first_tags[:2] if t][-1] == ["setup"]
    assert first_tags[-1] == ["publish"]
    assert f'open_study("{path.stem}")' in "".join(source(c) for c in code_cells(path)[:2])


def test_notebook_defines_installs_and_silences_nothing(path):
    for cell in code_cells(path):
        tree = ast.parse(source(cell))
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        assert not [node for node in ast.walk(tree) if isinstance(node, kinds)]
        assert not re.search(r"pip install|simplefilter|filterwarnings", source(cell))


def test_code_cells_are_short(path):
    assert max(len(source(cell).splitlines()) for cell in code_cells(path)) <= 25


def test_every_parameter_says_its_meaning_in_both_languages(path):
    for parameter in read_notebooks(FOLDER)[path.stem].parameters.values():
        assert parameter.en
        assert parameter.zh


def test_cell_ids_are_unique(path):
    ids = [cell["id"] for cell in read(path)["cells"]]
    assert len(ids) == len(set(ids))


def test_readme_lists_the_notebook_with_its_titles(path):
    title = read_notebooks(FOLDER)[path.stem].title
    row = next(
        line
        for line in (FOLDER / "README.md").read_text("utf-8").splitlines()
        if f"({path.name})" in line
    )
    assert title["en"] in row
    assert title["zh"] in row
