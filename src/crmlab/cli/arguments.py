"""Words the commands share: the study argument, the language option, how a refusal is told."""

import errno
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "Language",
    "LanguageOption",
    "StudyArgument",
    "refusals",
    "spoken",
    "study_path",
    "tell",
    "warn_of_language",
]


# What the system refuses, and which message says what to do about it.
OS_CURES = {
    errno.ENOSPC: "os_space",
    errno.EDQUOT: "os_quota",
    errno.EACCES: "os_rights",
    errno.EPERM: "os_rights",
    errno.EROFS: "os_read_only",
    errno.ENOTDIR: "os_no_folder",
    errno.EEXIST: "os_no_folder",
}


class Language(StrEnum):
    """Language of a report."""

    en = "en"
    zh = "zh"


StudyArgument = Annotated[
    Path | None,
    typer.Argument(help="Study file, or its bare name; without one, sample.", show_default=False),
]
LanguageOption = Annotated[
    Language | None,
    typer.Option("--lang", help="Language of the report; without it, the study's own."),
]


def study_path(study, lang=None):
    """Return the path of a study: a file, or the bare name of one in the project's studies."""
    if study is not None and (study.suffix or study.parent.name):
        return study
    with refusals(spoken(lang)):
        from crmlab.study.configuration import find_root

        return find_root(Path.cwd()) / "studies" / f"{study or 'sample'}.yaml"


def spoken(lang, study=None):
    """Return the language to speak: that asked for, else the study's own, else the project's.

    A project speaks the language of its study called sample, which `crmlab new` writes.
    """
    if lang is not None:
        return lang.value
    studies = _studies()
    paths = [study, study.parent / "sample.yaml"] if study else []
    paths += [studies / f"{name}.yaml" for name in (study and study.stem, "sample") if studies]
    for path in paths:
        if path.is_file():
            text = path.read_text(encoding="utf-8-sig", errors="replace")
            said = re.search(r"^language:\s*[\"']?(en|zh)\b", text, re.MULTILINE)
            return said[1] if said else "en"
    return "en"


def _studies():
    """Return the folder of this project's studies; None where there is no project."""
    here = Path.cwd()
    folders = (folder / "studies" for folder in (here, *here.parents))
    return next((folder for folder in folders if folder.is_dir()), None)


def tell(language, key, /, **values):
    """Print a sentence of ``messages.csv``."""
    from crmlab.atlas.sentences import say, text_in

    typer.echo(text_in(say(key, **values), language))


def warn_of_language(study, language):
    """Say it when a project has no texts in the language that a report was asked for."""
    from crmlab.study.configuration import find_study_root
    from crmlab.study.languages import say_missing_language

    missing = say_missing_language(find_study_root(study), language)
    if missing:
        from crmlab.atlas.sentences import text_in

        typer.echo(text_in(missing, language))


class refusals:  # noqa: N801 - reads as a block
    """Turn a refusal into one clear message and exit code 2, without a traceback.

    `language` is that of the message, where it has one to be said in.
    """

    def __init__(self, language="en"):
        self.language = language

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if kind is not None and issubclass(kind, ValueError | OSError):
            typer.secho(_say_refusal(error, self.language), fg="red", err=True)
            raise typer.Exit(2) from None
        return False


def _say_refusal(error, language):
    from crmlab.atlas.sentences import say, text_in

    if isinstance(error, OSError) and error.strerror:
        said = say(OS_CURES.get(error.errno, "os_other"), error=error.strerror)
        path = error.filename or say("os_a_file")
        return text_in(say("placed", place=path, said=said), language)
    return text_in(error, language)
