"""`crmlab new` and `crmlab lab`: what they say, and what they start."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from crmlab.cli import app
from crmlab.study.project import create_project


@pytest.fixture
def crmlab(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, list(words))


@pytest.fixture
def started(monkeypatch):
    """What would have been started in JupyterLab's place: command and environment."""
    seen = []
    begin = subprocess.Popen

    def stand_in(command, env):
        seen.append((command, env))
        return begin([sys.executable, "-c", "raise SystemExit(3)"])

    monkeypatch.setattr("crmlab.cli.project.subprocess.Popen", stand_in)
    return seen


def test_new_says_what_it_made_and_what_comes_next(crmlab, tmp_path):
    result = crmlab("new", "my crm", "--lang", "zh")
    assert result.exit_code == 0
    assert f"已建立 {tmp_path / 'my crm'}：" in result.output
    assert "个中文笔记本" in result.output
    assert 'cd "my crm"' in result.output
    assert "crmlab run" in result.output


def test_new_is_in_english_when_not_asked(crmlab):
    assert "notebooks in English" in crmlab("new", "crm").output


def test_new_refuses_a_folder_that_holds_something(crmlab, tmp_path):
    (tmp_path / "thesis.txt").write_text("two years of work")
    result = crmlab("new", ".")
    assert result.exit_code == 2
    assert "is not empty" in result.output
    assert "Traceback" not in result.output


def test_run_outside_a_project_names_crmlab_new(crmlab):
    result = crmlab("run")
    assert result.exit_code == 2
    assert "`crmlab new FOLDER`" in result.output


def test_lab_opens_the_project_with_this_interpreters_kernel(crmlab, started, tmp_path):
    create_project(tmp_path / "crm")
    result = crmlab_in(crmlab, tmp_path / "crm" / "notebooks", "lab")
    ((command, environment),) = started
    assert result.exit_code == 3
    assert command[:3] == [sys.executable, "-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={tmp_path / 'crm'}" in command
    assert environment["JUPYTER_PREFER_ENV_PATH"] == "1"


def test_lab_in_a_language_opens_the_copy_and_says_so(crmlab, started, project):
    result = crmlab_in(crmlab, project, "lab", "--lang", "zh")
    assert f"--ServerApp.root_dir={project / 'lab-zh'}" in started[0][0]
    assert "您在其中所作的修改只留在副本中" in result.output


def test_lab_names_what_it_kept(crmlab, started, project):
    for folder in (project / "lab-zh", project):
        crmlab_in(crmlab, project, "lab", "--lang", "zh")
        path = folder / "notebooks" / "40_ask.ipynb"
        path.write_text(path.read_text("utf-8").replace('"pass"', f'"{folder.name}"'), "utf-8")
    result = crmlab_in(crmlab, project, "lab", "--lang", "zh")
    assert "您与项目都修改了 notebooks/40_ask.ipynb" in result.output
    assert len(started) == 3


def test_lab_in_the_only_language_opens_the_folder_itself(crmlab, started, tmp_path):
    create_project(tmp_path / "crm", language="zh")
    crmlab_in(crmlab, tmp_path / "crm", "lab", "--lang", "zh")
    assert f"--ServerApp.root_dir={tmp_path / 'crm'}" in started[0][0]
    assert not (tmp_path / "crm" / "lab-zh").exists()


def test_lab_in_a_language_without_texts_is_refused(crmlab, started, tmp_path):
    create_project(tmp_path / "crm", language="zh")
    result = crmlab_in(crmlab, tmp_path / "crm", "lab", "--lang", "en")
    assert (result.exit_code, started) == (2, [])
    assert "`crmlab new FOLDER --lang en`" in result.output


def crmlab_in(crmlab, folder, *words):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return crmlab(*words)
