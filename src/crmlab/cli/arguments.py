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


# What the system refuses, and what to do about it; what was finished is always kept.
OS_CURES = {
    errno.ENOSPC: ". Free some space and run again: what was finished is kept.",
    errno.EDQUOT: ". Free some of your quota and run again: what was finished is kept.",
    errno.EACCES: ". Give yourself the right to write there, or work in a folder of your own.",
    errno.EPERM: ". Give yourself the right to write there, or work in a folder of your own.",
    errno.EROFS: ". Work in a copy of the project on a disk that can be written to.",
    errno.ENOTDIR: ". Something that is no folder stands where one is expected: move it away.",
    errno.EEXIST: ". Something that is no folder stands where one is expected: move it away.",
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
    """Turn a refusal into one clear message and exit code 2, without a traceback."""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if kind is not None and issubclass(kind, ValueError | OSError):
            typer.secho(_say_refusal(error), fg="red", err=True)
            raise typer.Exit(2) from None
        return False


def _say_refusal(error):
    if isinstance(error, OSError) and error.strerror:
        cure = OS_CURES.get(error.errno, "")
        return f"{error.filename or 'a file'}: {error.strerror}{cure}"
    return str(error)
