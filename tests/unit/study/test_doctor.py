"""What the doctor finds, and the cure it names."""

import shutil
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from crmlab.study import doctor
from crmlab.study.doctor import examine, find_browser, find_pandoc
from crmlab.study.project import create_project

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return create_project(tmp_path_factory.mktemp("doctor") / "crm")


def finding(folder, what):
    return next(found for found in examine(folder) if found.what == what)


@pytest.fixture
def bare(monkeypatch):
    """A machine with no program in the search path and no folder of programs."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setitem(sys.modules, "pypandoc", None)
    for variable in doctor.WINDOWS_FOLDERS:
        monkeypatch.delenv(variable, raising=False)


def test_nothing_is_amiss_in_a_new_folder(folder):
    assert [found.what for found in examine(folder) if found.holds is False] == []


def test_outside_a_project_the_cure_is_a_new_folder(tmp_path):
    found = finding(tmp_path, "project folder")
    assert found.holds is False
    assert "`crmlab new FOLDER`" in found.cure


@pytest.mark.usefixtures("bare")
def test_browser_and_pandoc_are_no_hindrance_but_their_use_and_cure_are_named(folder):
    found = {found.what: found for found in examine(folder)}
    browser, pandoc = found["browser for PDF"], found["pandoc for Word"]
    assert (browser.holds, pandoc.holds) == (None, None)
    assert "`crmlab report --to pdf`" in browser.cure
    assert '`pip install "crmlab[office]"`' in pandoc.cure


def test_browser_in_the_search_path_comes_first(monkeypatch):
    monkeypatch.setattr(shutil, "which", {"msedge": "/opt/msedge"}.get)
    assert find_browser() == "/opt/msedge"


@pytest.mark.usefixtures("bare")
def test_browser_is_found_where_windows_keeps_it(tmp_path, monkeypatch):
    assert find_browser() is None
    program = tmp_path / "Microsoft" / "Edge" / "Application" / "msedge.exe"
    program.parent.mkdir(parents=True)
    program.touch()
    monkeypatch.setenv("PROGRAMFILES(X86)", str(tmp_path))
    assert find_browser() == str(program)


@pytest.mark.usefixtures("bare")
def test_browser_is_found_where_macos_keeps_it(tmp_path, monkeypatch):
    program = tmp_path / "Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
    program.parent.mkdir(parents=True)
    program.touch()
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert find_browser() == str(program)


def test_pandoc_in_the_search_path_will_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "pypandoc", None)
    monkeypatch.setattr(shutil, "which", {"pandoc": "/opt/pandoc"}.get)
    assert find_pandoc() == "/opt/pandoc"


@pytest.mark.parametrize(("free", "holds"), [(doctor.ROOM, True), (doctor.ROOM - 1, False)])
def test_full_disk_is_seen_before_a_report_needs_it(folder, monkeypatch, free, holds):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 0, free))
    found = finding(folder, "room for reports")
    assert found.holds is holds
    assert ("free some of the disk" in found.cure) is not holds


def test_machine_that_cannot_fork_runs_ordinary_kernels(tmp_path, monkeypatch):
    monkeypatch.setattr("crmlab.study.kernels.can_fork", lambda: False)
    found = finding(tmp_path, "warm kernels")
    assert found.holds is None
    assert "ordinary kernels run" in found.cure


def test_kernel_of_another_python_is_named(tmp_path, monkeypatch):
    spec = tmp_path / "kernels" / "python3"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text('{"argv": ["/elsewhere/bin/python"], "display_name": "x"}')
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    found = finding(tmp_path, "Jupyter kernel python3")
    assert (found.holds, found.found) == (False, "/elsewhere/bin/python")
    assert f"remove {spec}" in found.cure
