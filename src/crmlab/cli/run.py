"""`crmlab run`: a study, from its file to its report."""

from typing import Annotated

import typer

from crmlab.cli.arguments import LanguageOption, StudyArgument, refusals, study_path

__all__ = ["run"]


def run(
    study: StudyArgument = None,
    lang: LanguageOption = None,
    until: Annotated[
        str | None,
        typer.Option(help="Run this notebook (its name or number) and what it needs, no more."),
    ] = None,
):
    """Run a study: its notebooks in order, then the report."""
    from rich.console import Console

    console = Console(highlight=False)
    path = study_path(study)
    marks = {
        "running": "…",
        "done": "[green]✓[/]",
        "left out": "[yellow]–[/]",
        "failed": "[red]✗[/]",
    }

    def show(notebook, state, detail):
        if state != "running":
            console.print(f"{marks[state]} {notebook:<36} {state}  [dim]{detail}[/]")
        elif console.is_terminal:
            console.print(f"{marks[state]} {notebook:<36} {state}", end="\r")

    with refusals():
        from crmlab.study.report import write_report
        from crmlab.study.runner import run_study

        outcome = run_study(path, language=lang and lang.value, until=until, on_progress=show)
        page = write_report(outcome.folder)
    if outcome.failure:
        failure = outcome.failure
        console.print(f"\n[red]{failure.notebook} stopped at cell {failure.cell}:[/]")
        console.print(f"{failure.error}\n", markup=False, soft_wrap=True)
        console.print(_indent(failure.source), markup=False, soft_wrap=True, style="dim")
        console.print("\nThe whole traceback stands in the notebook's page of the report.")
        console.print(f"What was finished is kept: {page.as_uri()}", soft_wrap=True)
        raise typer.Exit(1)
    if outcome.is_interrupted:
        console.print(f"\nStopped. What was finished is kept: {page.as_uri()}", soft_wrap=True)
        raise typer.Exit(130)
    console.print(f"\nReport: {page.as_uri()}", soft_wrap=True)


def _indent(text):
    return "\n".join(f"    {line}" for line in text.splitlines())
