"""Words the commands share: the study argument, the language option, how a refusal is told."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Language", "LanguageOption", "StudyArgument", "refusals", "study_path"]


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


class refusals:  # noqa: N801 - reads as a block
    """Turn a refusal into one clear message and exit code 2, without a traceback."""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if kind is not None and issubclass(kind, ValueError):
            typer.secho(str(error), fg="red", err=True)
            raise typer.Exit(2) from None
        return False
