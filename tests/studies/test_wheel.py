"""The package as a reader gets it: built, installed into an empty environment, no repository near.

The environment takes the versions this one has, so that nothing is fetched which is not at hand.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("wheel")

# What ties a process to the environment and the data of the one that runs the tests; and to have
# every library compiled takes longer than to run the study.
TIES = ("CRMLAB_MIRROR", "CRMLAB_RUN", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV")
TIES += ("UV_COMPILE_BYTECODE",)


@pytest.fixture(scope="module")
def uv():
    found = shutil.which("uv")
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("uv is not installed: the wheel was not looked at")
    if found is None:
        pytest.skip("uv, which builds and installs the wheel, is not installed")
    return found


@pytest.fixture(scope="module")
def call():
    """Run a command free of this environment; return what it says."""
    environment = {name: text for name, text in os.environ.items() if name not in TIES}

    def call(*command, cwd):
        done = subprocess.run(
            [str(word) for word in command],
            cwd=cwd,
            env=environment | {"COLUMNS": "200", "PYTHONUTF8": "1"},
            capture_output=True,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return call


@pytest.fixture(scope="module")
def built(root, uv, call, tmp_path_factory):
    """Folder with the source distribution and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("built")
    call(uv, "build", "--quiet", "--out-dir", folder, cwd=root)
    return folder


@pytest.fixture(scope="module")
def programs(built, uv, call, tmp_path_factory):
    """Folder of the programs of an environment with the wheel and what it asks for."""
    folder = tmp_path_factory.mktemp("environment")
    installed = ((found.name, found.version) for found in metadata.distributions())
    versions = [f"{name}=={version}\n" for name, version in installed if name != "crmlab"]
    (folder / "versions.txt").write_text("".join(versions))
    call(uv, "venv", "--quiet", "--python", sys.executable, "venv", cwd=folder)
    (programs,) = (path for path in (folder / "venv").iterdir() if path.name in ("bin", "Scripts"))
    install = [uv, "pip", "install", "--quiet", "--constraint", "versions.txt"]
    call(*install, "--python", programs / "python", *built.glob("*.whl"), cwd=folder)
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    share_bytecode(Path(call(programs / "python", "-c", where, cwd=folder).strip()))
    return programs


def share_bytecode(libraries):
    """Give libraries the bytecode that this environment has of them.

    To have what a study imports compiled takes as long as to run the study. Python passes over
    bytecode that is not of the very file beside it; the package's own is compiled as ever.
    """

    def link(source, target):
        try:
            os.link(source, target)
        except OSError:  # another disk
            shutil.copy2(source, target)

    here = Path(sysconfig.get_path("purelib"))
    for folder in here.rglob("__pycache__"):
        there = libraries / folder.relative_to(here)
        if there.parent.is_dir() and not there.exists():
            shutil.copytree(folder, there, copy_function=link)


@pytest.fixture(scope="module")
def folder(programs, call, tmp_path_factory):
    """A folder made by the installed program, its name with a space and Chinese characters."""
    parent = tmp_path_factory.mktemp("reader")
    said = call(programs / "crmlab", "new", "我的 crm", "--lang", "zh", cwd=parent)
    assert "个中文笔记本" in said
    return parent / "我的 crm"


def contents(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {entry.filename: entry.CRC for entry in archive.infolist()}


def test_wheel_is_the_same_by_way_of_the_source_distribution(built, root, uv, call, tmp_path):
    call(uv, "build", "--quiet", "--wheel", "--out-dir", tmp_path, cwd=root)
    ((through,), (straight,)) = (f.glob("*.whl") for f in (built, tmp_path))
    assert contents(through) == contents(straight)


def test_wheel_brings_what_a_new_folder_is_made_from_and_no_more(built, root, call):
    listed = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    places = ("notebooks", "studies", "data/sample", "reports")
    kept = set(call(*listed, *places, cwd=root).split("\0")) - {""}
    (wheel,) = built.glob("*.whl")
    brought = {
        name.removeprefix("crmlab/project/")
        for name in contents(wheel)
        if name.startswith("crmlab/project/")
    }
    assert {"notebooks/00_start_here.ipynb", "studies/sample.yaml"} <= brought
    assert brought == kept


def test_study_runs_to_its_report(folder, programs, call):
    call(programs / "crmlab", "run", "--until", "20", cwd=folder)
    report = folder / "reports" / "sample"
    assert '<html lang="zh-Hans">' in (report / "index.html").read_text("utf-8")
    numbers = json.loads((report / "results" / "20_customer_value.json").read_text("utf-8"))
    assert numbers["results"]


def test_code_and_sample_are_those_installed(folder, programs, call):
    code = "import crmlab; print(crmlab.__file__)"
    assert call(programs / "python", "-c", code, cwd=folder).startswith(str(programs.parent))
    coverage = call(programs / "crmlab", "atlas", "--coverage", cwd=folder)
    assert coverage.splitlines()[-1].endswith("of 312 at home")
    assert "JupyterLab" in call(programs / "crmlab", "lab", "--help", cwd=folder)
