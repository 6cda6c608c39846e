"""The two environment files agree, and imports follow the arrows of the design."""

import re
import tomllib

import pytest
import yaml
from rattler import MatchSpec

# conda-forge's own names; where a name is missing here, both registries use the same.
CONDA_NAMES = {
    "jupyter-client": "jupyter_client",
    "matplotlib": "matplotlib-base",
    "pandera[pandas]": "pandera-pandas",
    "seaborn": "seaborn-base",
}


@pytest.fixture(scope="module")
def project(root):
    return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture(scope="module")
def environment(root):
    return yaml.safe_load((root / "environment.yml").read_text("utf-8"))["dependencies"]


def split(requirement):
    name, bound = re.fullmatch(r"([\w.\[\]-]+)\s*(.*)", requirement).groups()
    return name, bound


def test_environment_names_the_packages_and_bounds_of_pyproject(project, environment):
    wanted = {"python": project["requires-python"]} | dict(map(split, project["dependencies"]))
    from_pip = dict(split(line) for line in environment[-1]["pip"] if not line.startswith("--"))
    from_conda = {}
    for line in environment[:-1]:
        spec = MatchSpec(line)
        from_conda[spec.name.normalized] = str(spec.version)
    wanted = {n: bound for n, bound in wanted.items() if from_pip.get(n) != bound}
    assert from_conda == {CONDA_NAMES.get(name, name): bound for name, bound in wanted.items()}


def test_environment_installs_the_project_itself(environment):
    assert "--editable ." in environment[-1]["pip"]


def test_citation_file_has_the_projects_version_and_licence(root, project):
    citation = yaml.safe_load((root / "CITATION.cff").read_text("utf-8"))
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])


def test_imports_follow_the_arrows_of_the_design(root, monkeypatch, capsys):
    from importlinter.cli import lint_imports

    monkeypatch.chdir(root)
    code = lint_imports(config_filename="pyproject.toml", no_cache=True)
    assert code == 0, capsys.readouterr().out
