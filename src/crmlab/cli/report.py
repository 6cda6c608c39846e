"""`crmlab report`: the report of a finished run, written again."""

import typer

from crmlab.cli.arguments import LanguageOption, StudyArgument, refusals, study_path

__all__ = ["report"]


def report(study: StudyArgument = None, lang: LanguageOption = None):
    """Write the report of a finished run again, in either language."""
    path = study_path(study)
    with refusals():
        from crmlab.study.configuration import find_study_root
        from crmlab.study.manifest import read_manifest
        from crmlab.study.report import write_report

        folder = find_study_root(path) / "reports" / path.stem
        page = write_report(folder, language=lang and lang.value)
        ran_in = read_manifest(folder)["study"]["language"]
    if lang and lang.value != ran_in:
        typer.echo(
            f"The figures stay in the language of the run ({ran_in}): "
            f"`uv run crmlab run {path} --lang {lang.value}` draws them anew."
        )
    typer.echo(f"Report: {page.as_uri()}")
