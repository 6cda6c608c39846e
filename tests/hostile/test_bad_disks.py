"""Disks that are full, folders that cannot be written to: one message, and nothing lost."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from crmlab.cli import app
from crmlab.study.manifest import hash_files, read_manifest
from crmlab.study.runner import run_study

pytestmark = pytest.mark.xdist_group("runner")


@pytest.fixture
def small_disk(project):
    """A disk of 1 MB where the project's reports go."""
    reports = project / "reports"
    reports.mkdir()
    options = ["-t", "tmpfs", "-o", "size=1m", "tmpfs", str(reports)]
    made = subprocess.run(["mount", *options], capture_output=True, text=True)  # noqa: S607
    if made.returncode:
        pytest.skip(f"no small disk to be had: {made.stderr.strip()}")
    yield reports
    subprocess.run(["umount", "--lazy", str(reports)], check=True)  # noqa: S607


def crmlab(*words):
    return CliRunner().invoke(app, list(words))


@pytest.mark.usefixtures("quick_server")
@pytest.mark.skipif(sys.platform != "linux", reason="small disks are made by Linux's mount")
def test_full_disk_is_named_and_what_was_finished_is_kept(project, small_disk):
    study = project / "studies" / "shop.yaml"
    run_study(study, until="20")
    folder = small_disk / "shop"
    before = read_manifest(folder)["notebooks"]["20_count"]["outputs"]
    filling = small_disk / "filling"
    with filling.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass
    result = crmlab("run", str(study))
    assert result.exit_code == 2, result.output
    assert "No space left on device. Free some space and run again" in result.output
    assert "Traceback" not in result.output
    filling.unlink()
    outcome = run_study(study)
    assert outcome.states["20_count"] == "unchanged"
    assert outcome.states["30_share"] == "done"
    files = hash_files(folder)
    assert all(files[name] == sha256 for name, sha256 in before.items())


def test_reports_folder_that_is_a_file_is_named_with_its_cure(project):
    (project / "reports").write_text("not a folder", "utf-8")
    result = crmlab("run", str(project / "studies" / "shop.yaml"))
    assert result.exit_code == 2
    assert "reports" in result.output
    assert "Something that is no folder stands where one is expected" in result.output


def test_folder_without_the_right_to_write_is_named_with_its_cure(project, monkeypatch):
    def refuse(self, *_args, **_options):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    result = crmlab("run", str(project / "studies" / "shop.yaml"))
    assert result.exit_code == 2
    assert "Permission denied. Give yourself the right to write there" in result.output
