"""`crmlab report`: the report of a finished run, written again: pages, a PDF, a Word document."""

from typing import Annotated

import typer

from crmlab.cli.arguments import (
    LanguageOption,
    StudyArgument,
    refusals,
    spoken,
    study_path,
    tell,
    warn_of_language,
)
from crmlab.cli.run import say_state

__all__ = ["report"]

FORMATS = ("html", "pdf", "docx")


def report(
    study: StudyArgument = None,
    lang: LanguageOption = None,
    to: Annotated[
        str,
        typer.Option(
            help="What to write, separated by commas: html (the pages), pdf (printed by an "
            "installed Chromium, Chrome or Edge), docx (Word; needs the extra `office`).",
        ),
    ] = "html",
    code: Annotated[
        bool,
        typer.Option("--code", help="In PDF and Word: with code, parameters and exercises."),
    ] = False,
):
    """Write the report of a finished run again, in either language: pages, PDF or Word."""
    path = study_path(study, lang)
    language = spoken(lang, path)
    with refusals(language):
        from crmlab.study.configuration import find_study_root
        from crmlab.study.manifest import read_manifest

        formats = _read_formats(to)
        folder = find_study_root(path) / "reports" / path.stem
        manifest = read_manifest(folder)
        for name in formats:
            written = _write(name, folder, lang and lang.value, code)
            tell(language, "cli_report", page=written.as_uri())
    missing = [
        f"{name} ({say_state(entry['state'], language)})"
        for name, entry in sorted(manifest["notebooks"].items())
        if entry["state"] in ("failed", "not reached")
    ]
    if missing:
        tell(language, "cli_unfinished", names=tuple(missing))
    if lang:
        warn_of_language(path, lang.value)
    ran_in = manifest["study"]["language"]
    if lang and lang.value != ran_in:
        tell(language, "cli_figures_stay", ran=ran_in, path=path, lang=lang.value)


def _read_formats(text):
    """Return the formats asked for, each once, in the order of the list."""
    from crmlab.atlas.sentences import hint_near, say

    asked = [name.strip().casefold() for name in text.split(",") if name.strip()]
    unknown = next((name for name in asked if name not in FORMATS), None)
    if unknown is not None or not asked:
        hint = "" if unknown is None else hint_near(unknown, FORMATS)
        raise ValueError(say("cli_formats", text=repr(text), formats=FORMATS, hint=hint))
    return [name for name in FORMATS if name in asked]


def _write(name, folder, language, has_code):
    if name == "html":
        from crmlab.report.pages import write_report

        return write_report(folder, language=language)
    if name == "pdf":
        from crmlab.report.pdf import write_pdf

        return write_pdf(folder, language=language, has_code=has_code)
    from crmlab.report.word import write_word

    return write_word(folder, language=language, has_code=has_code)
