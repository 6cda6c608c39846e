"""Words the commands share: the study argument, the language option, how a refusal is told."""

import errno
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "Language",
    "LanguageOption",
    "StudyArgument",
    "refusals",
    "study_path",
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


def study_path(study):
    """Return the path of a study: a file, or the bare name of one in the project's studies."""
    if study is not None and (study.suffix or study.parent.name):
        return study
    with refusals():
        from crmlab.study.configuration import find_root

        return find_root(Path.cwd()) / "studies" / f"{study or 'sample'}.yaml"


def warn_of_language(study, language):
    """Say it when a project has no texts in the language that a report was asked for."""
    from crmlab.study.configuration import find_study_root
    from crmlab.study.languages import say_missing_language

    missing = say_missing_language(find_study_root(study), language)
    if missing:
        typer.echo(missing)


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
