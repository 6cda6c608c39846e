"""The doctor: what of the environment a study needs works, and the cure for what does not."""

import importlib
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from crmlab.study.configuration import StudyError, find_root

__all__ = ["Finding", "examine", "find_browser"]

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge", "microsoft-edge")
LIBRARIES = ("numpy", "pandas", "polars", "sklearn", "matplotlib", "papermill")


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `holds` is None where a lack is no hindrance to `crmlab run`."""

    what: str
    holds: bool | None
    found: str
    cure: str = ""


def examine(folder):
    """Look at everything a study needs, from a folder.

    Parameters
    ----------
    folder : path-like
        Where the command was given.

    Returns
    -------
    list of Finding
    """
    findings = [_python(), *_libraries(), _kernel(), _font(), *_project(folder), _browser()]
    mirror = os.environ.get("CRMLAB_MIRROR")
    if mirror:
        there = Path(mirror).is_dir()
        cure = "" if there else "unset CRMLAB_MIRROR or let it name a folder of data sets"
        findings.append(Finding("data mirror", there, mirror, cure))
    cores = os.cpu_count() or 1
    findings.append(Finding("processor cores", True, str(cores)))
    return findings


def find_browser():
    """Return the path of an installed Chromium, Chrome or Edge, or None."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def _python():
    holds = sys.version_info >= (3, 11)
    return Finding("Python", holds, platform.python_version(), "" if holds else "use 3.11 or newer")


def _libraries():
    for name in LIBRARIES:
        try:
            module = importlib.import_module(name)
        except ImportError as error:
            yield Finding(name, False, str(error), "run `uv sync` in the project's folder")
        else:
            yield Finding(name, True, getattr(module, "__version__", "") or metadata.version(name))


def _kernel():
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        spec = KernelSpecManager().get_kernel_spec("python3")
    except NoSuchKernel:
        cure = "run `python -m ipykernel install --sys-prefix`"
        return Finding("Jupyter kernel python3", False, "not installed", cure)
    return Finding("Jupyter kernel python3", True, spec.display_name)


def _font():
    try:
        version = metadata.version("pylopdf-fonts-zh-cn")
    except metadata.PackageNotFoundError:
        return Finding("Chinese font", False, "not installed", "run `uv sync`")
    return Finding("Chinese font", True, f"Noto Sans SC (package {version})")


def _project(folder):
    try:
        root = find_root(folder)
    except StudyError as error:
        yield Finding("project folder", False, str(folder), str(error))
        return
    yield Finding("project folder", True, str(root))
    reports = root / "reports"
    writable = os.access(reports if reports.exists() else root, os.W_OK)
    cure = "" if writable else "give yourself the right to write there"
    yield Finding("reports folder", writable, str(reports), cure)
    from crmlab.data import load_dataset

    try:
        dataset = load_dataset("sample", root=root)
    except (ValueError, OSError) as error:
        cure = "restore data/sample from the repository"
        yield Finding("bundled sample", False, str(error), cure)
    else:
        n_customers = len(dataset.tables["customers"])
        yield Finding("bundled sample", True, f"{n_customers:,} customers")


def _browser():
    browser = find_browser()
    if browser:
        return Finding("browser for the tests of the page", True, browser)
    cure = "only the page's own tests need one: install Chromium"
    return Finding("browser for the tests of the page", None, "none found", cure)
