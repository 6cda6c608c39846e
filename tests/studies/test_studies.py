"""The studies that ship: each loads, and each on real data runs to its report."""

from pathlib import Path

import pytest

from crmlab.report.pages import write_report
from crmlab.study.configuration import load_study
from crmlab.study.manifest import hash_files

FOLDER = Path(__file__).resolve().parents[2] / "studies"
EVERYWHERE = ["00_start_here", "10_collect_customer_data", "11_data_quality_and_privacy"]
ON_ORDERS = [
    "20_customer_value",
    "21_lifetime_value",
    "30_segmentation",
    "31_customer_types",
    "32_relationship_dynamics",
    "80_performance_indicators",
    "81_performance_evaluation",
]
ON_SURVEY = ["40_satisfaction_and_delivered_value", "42_satisfaction_index"]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_study_that_ships_is_valid(path):
    study = load_study(path)
    assert study.title.en != study.title.zh


@pytest.mark.xdist_group("real")
@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize(
    ("name", "until", "done"),
    [
        ("cdnow", None, [*EVERYWHERE, *ON_ORDERS]),
        ("online_retail", None, [*EVERYWHERE, *ON_ORDERS]),
        # Orders once more, with contacts: the chapters that read both.
        ("complete_journey", "31_customer_types", ["20_customer_value", "31_customer_types"]),
        ("ecsi", None, [*EVERYWHERE, *ON_SURVEY]),
        ("kano_transfers", None, [*EVERYWHERE, "41_kano_and_priorities"]),
    ],
)
def test_study_of_real_data_runs_to_its_report(real_study, name, until, done):
    outcome = real_study(name, until=until)
    assert outcome.failures == []
    finished = [name for name, state in outcome.states.items() if state == "done"]
    assert sorted(finished) == sorted(done)
    page = write_report(outcome.folder).read_text("utf-8")
    assert all(f"pages/{notebook}.html" in page for notebook in finished)


@pytest.mark.xdist_group("tiny")
def test_study_run_again_in_another_language_gives_the_same_numbers_to_the_byte(
    tiny_outcome, tiny_chinese
):
    def made(folder):
        kept = ("tables/", "results/")
        return {n: h for n, h in hash_files(folder).items() if n.startswith(kept)}

    first = made(tiny_outcome.folder)
    assert len(first) > 10
    assert made(tiny_chinese) == first
