import subprocess
import sys

import pytest
from typer.testing import CliRunner

from crmlab.cli import app

pytestmark = pytest.mark.xdist_group("cli")


@pytest.fixture
def crmlab(root, monkeypatch):
    monkeypatch.chdir(root)
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *words: CliRunner().invoke(app, list(words))


def test_version_is_said(crmlab):
    assert crmlab("--version").output.strip() == "0.1.0"


def test_help_names_every_command():
    # In a process of its own: what other tests make of the terminal is none of its business.
    command = [sys.executable, "-m", "crmlab", "--help"]
    said = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
    for name in ("run", "report", "data", "atlas", "lab", "doctor"):
        assert name in said, said


def test_importing_crmlab_imports_nothing_heavy():
    code = "import sys, crmlab.cli; print({'numpy', 'pandas', 'pydantic'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "set()"


def test_data_sets_are_listed(crmlab):
    output = crmlab("data", "list").output
    assert all(name in output for name in ("sample", "cdnow", "online_retail", "ecsi"))


def test_commands_speak_the_language_asked_for_or_the_project_s(crmlab, tmp_path, monkeypatch):
    assert "英国礼品网店" in crmlab("data", "list", "--lang", "zh").output
    assert "没有名为 'cdnaw' 的数据集" in crmlab("data", "get", "cdnaw", "--lang", "zh").output
    assert crmlab("data", "get", "sample").exception is None
    (tmp_path / "studies").mkdir()
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "studies" / "sample.yaml").write_text("language: zh\n")
    monkeypatch.chdir(tmp_path)
    for command in (("run", "smaple"), ("verify", "smaple"), ("sweep", "smaple", "--grid", "g")):
        assert "没有研究文件" in crmlab(*command).output
        assert "no study file" in crmlab(*command, "--lang", "en").output
    assert "请给出一个术语" in crmlab("atlas").output


@pytest.mark.parametrize(("language", "word"), [("en", "money"), ("zh", "金额")])
def test_data_card_says_rows_columns_units_and_licence(crmlab, language, word):
    output = crmlab("data", "card", "cdnow", "--lang", language).output
    assert word in output
    assert "ordered_on" in output


def test_unknown_data_set_is_refused_with_the_nearest_name(crmlab):
    result = crmlab("data", "card", "cdnaw")
    assert result.exit_code == 2
    assert "cdnow" in result.output


def test_misspelt_parameter_is_refused_without_a_traceback(crmlab, tiny_project):
    path = tiny_project / "studies" / "misspelt.yaml"
    path.write_text("title: x\ndata: sample\nparameters: {20_customer_value: {class_a: 0.7}}\n")
    result = crmlab("run", str(path))
    assert result.exit_code == 2
    assert "misspelt.yaml:3: parameters.20_customer_value.class_a: unknown parameter" in (
        result.output
    )
    assert "Traceback" not in result.output


@pytest.mark.parametrize("word", ["satisfaction", "满意"])
def test_atlas_is_searched_in_both_languages(crmlab, word):
    output = crmlab("atlas", word).output
    assert "H10" in output
    assert "40_satisfaction_and_delivered_value" in output


def test_atlas_without_a_hit_names_what_is_near(crmlab):
    result = crmlab("atlas", "satisfacsion")
    assert result.exit_code == 1
    assert "satisfaction" in result.output.lower()


def test_coverage_ends_with_the_count(crmlab):
    result = crmlab("atlas", "--coverage")
    assert result.exit_code == 0
    assert result.output.strip().splitlines()[-1].endswith("of 312 at home")


def test_doctor_finds_a_working_environment(crmlab):
    result = crmlab("doctor")
    assert result.exit_code == 0
    assert "Noto Sans SC" in result.output


def test_doctor_names_the_cure_outside_a_project(crmlab, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = crmlab("doctor")
    assert result.exit_code == 1
    assert "Change to the folder where you cloned crmlab" in " ".join(result.output.split())


def test_report_without_a_run_says_how_to_get_one(crmlab, tiny_project):
    path = tiny_project / "studies" / "never_run.yaml"
    path.write_text("title: x\ndata: sample\n")
    result = crmlab("report", str(path))
    assert result.exit_code == 2
    assert "holds no report: run the study with `crmlab run never_run`" in result.output
