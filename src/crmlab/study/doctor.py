"""The doctor: what of the environment a study needs works, and the cure for what does not."""

import importlib
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from crmlab.atlas.sentences import reason, say
from crmlab.study.configuration import StudyError, find_root

__all__ = ["Finding", "examine", "find_browser", "find_pandoc"]

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "microsoft-edge-stable",
    "msedge",
)
# Where macOS and Windows keep them, out of the search path.
MAC_BROWSERS = ("Google Chrome", "Chromium", "Microsoft Edge")
WINDOWS_FOLDERS = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")
WINDOWS_BROWSERS = ("Google/Chrome/Application/chrome.exe", "Microsoft/Edge/Application/msedge.exe")
LIBRARIES = ("numpy", "pandas", "polars", "sklearn", "matplotlib", "papermill")
REINSTALL = say("doctor_reinstall")
ROOM = 200_000_000  # bytes: a report of the sample takes about a tenth of it


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
    findings = [_python(), *_libraries(), _kernel(), _warm_kernels(), _font()]
    findings += [*_project(Path(folder)), _browser(), _pandoc()]
    mirror = os.environ.get("CRMLAB_MIRROR")
    if mirror:
        there = Path(mirror).is_dir()
        cure = "" if there else say("doctor_mirror_cure")
        findings.append(Finding(say("doctor_mirror"), there, mirror, cure))
    cores = os.cpu_count() or 1
    findings.append(Finding(say("doctor_cores"), True, str(cores)))
    return findings


def find_browser():
    """Return the path of an installed Chromium, Chrome or Edge, or None."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return found or next((str(path) for path in _browser_places() if path.is_file()), None)


def find_pandoc():
    """Return the path of pandoc, the one that the extra `office` brings or an installed one."""
    try:
        import pypandoc

        return pypandoc.get_pandoc_path()
    except (ImportError, OSError):
        return shutil.which("pandoc")


def _browser_places():
    if sys.platform == "darwin":
        for home in (Path("/"), Path.home()):
            for name in MAC_BROWSERS:
                yield home / "Applications" / f"{name}.app" / "Contents" / "MacOS" / name
    for variable in WINDOWS_FOLDERS:
        if os.environ.get(variable):
            yield from (Path(os.environ[variable], place) for place in WINDOWS_BROWSERS)


def _python():
    holds = sys.version_info >= (3, 11)
    return Finding("Python", holds, platform.python_version(), "" if holds else say("doctor_newer"))


def _libraries():
    for name in LIBRARIES:
        try:
            module = importlib.import_module(name)
        except ImportError as error:
            yield Finding(name, False, str(error), REINSTALL)
        else:
            yield Finding(name, True, getattr(module, "__version__", "") or metadata.version(name))


def _kernel():
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    what = say("doctor_kernel")
    try:
        spec = KernelSpecManager().get_kernel_spec("python3")
    except NoSuchKernel:
        return Finding(what, False, say("doctor_absent"), say("doctor_kernel_cure"))
    # Jupyter reads a bare `python` as the interpreter it runs in.
    program = Path(spec.argv[0])
    if program.name != spec.argv[0] and program.parent.resolve() != _here().resolve():
        cure = say("doctor_kernel_other", folder=spec.resource_dir)
        return Finding(what, False, spec.argv[0], cure)
    return Finding(what, True, spec.display_name)


def _here():
    return Path(sys.executable).parent


def _warm_kernels():
    from crmlab.study.kernels import can_fork

    what = say("doctor_warm")
    if not can_fork():
        found = say("doctor_warm_not_on", system=platform.system())
        return Finding(what, None, found, say("doctor_warm_none"))
    installed = metadata.entry_points(group="jupyter_client.kernel_provisioners")
    if "crmlab-warm" not in installed.names:
        return Finding(what, None, say("doctor_warm_unknown"), REINSTALL)
    return Finding(what, True, say("doctor_warm_good"))


def _font():
    try:
        version = metadata.version("pylopdf-fonts-zh-cn")
    except metadata.PackageNotFoundError:
        return Finding(say("doctor_font"), False, say("doctor_absent"), REINSTALL)
    return Finding(say("doctor_font"), True, say("doctor_font_good", version=version))


def _project(folder):
    try:
        root = find_root(folder)
    except StudyError as error:
        yield Finding(say("doctor_project"), False, str(folder), reason(error))
        return
    yield Finding(say("doctor_project"), True, str(root))
    reports = root / "reports"
    writable = os.access(reports if reports.exists() else root, os.W_OK)
    cure = "" if writable else say("doctor_rights")
    yield Finding(say("doctor_reports"), writable, str(reports), cure)
    free = shutil.disk_usage(reports if reports.exists() else root).free
    cure = "" if free >= ROOM else say("doctor_room_cure", n=f"{ROOM / 1e6:.0f}")
    found = say("doctor_room_found", n=f"{free / 1e9:.1f}")
    yield Finding(say("doctor_room"), free >= ROOM, found, cure)
    from crmlab.data import load_dataset

    try:
        dataset = load_dataset("sample", root=root)
    except (ValueError, OSError) as error:
        cure = say("doctor_sample_cure")
        yield Finding(say("doctor_sample"), False, reason(error), cure)
    else:
        n_customers = len(dataset.tables["customers"])
        yield Finding(say("doctor_sample"), True, say("doctor_sample_good", n=n_customers))


def _browser():
    browser = find_browser()
    if browser:
        return Finding(say("doctor_browser"), True, browser)
    none = say("doctor_none_found")
    return Finding(say("doctor_browser"), None, none, say("doctor_browser_cure"))


def _pandoc():
    pandoc = find_pandoc()
    if pandoc:
        return Finding(say("doctor_pandoc"), True, pandoc)
    none = say("doctor_none_found")
    return Finding(say("doctor_pandoc"), None, none, say("doctor_pandoc_cure"))
