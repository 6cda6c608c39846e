"""Every notebook is executed on 300 simulated customers, once, and looked over."""

import json
from pathlib import Path

import pytest

from crmlab.atlas import term

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))

pytestmark = [
    pytest.mark.xdist_group("tiny"),
    pytest.mark.parametrize("name", NAMES),
]


def test_notebook_runs_on_small_data(tiny_outcome, name):
    assert tiny_outcome.states[name] == "done", tiny_outcome.failures


def test_notebook_runs_without_a_warning(tiny_outcome, name):
    document = json.loads((tiny_outcome.folder / "notebooks" / f"{name}.ipynb").read_text("utf-8"))
    outputs = [out for cell in document["cells"] for out in cell.get("outputs", [])]
    assert [out["text"] for out in outputs if out.get("name") == "stderr"] == []


def test_notebook_publishes_named_numbers_and_a_finding_in_both_languages(tiny_outcome, name):
    document = json.loads((tiny_outcome.folder / "results" / f"{name}.json").read_text("utf-8"))
    assert document["results"]
    assert set(document["finding"]) == {"en", "zh"}
    for key, result in document["results"].items():
        assert result["unit"] == term(key).unit


def test_notebook_keeps_its_promises(tiny_outcome, name):
    for artefact in json.loads((FOLDER / f"{name}.ipynb").read_text("utf-8"))["metadata"]["crmlab"][
        "makes"
    ]:
        assert (tiny_outcome.folder / "tables" / f"{artefact}.parquet").exists()
