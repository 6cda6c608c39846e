"""`crmlab run`: a study, from its file to its report."""

import threading
import time
from typing import Annotated

import typer

from crmlab.cli.arguments import (
    LanguageOption,
    StudyArgument,
    refusals,
    study_path,
    warn_of_language,
)

__all__ = ["Progress", "run"]

MARKS = {
    "running": "[cyan]…[/]",
    "done": "[green]✓[/]",
    "unchanged": "[green]=[/]",
    "left out": "[yellow]–[/]",
    "failed": "[red]✗[/]",
    "not reached": "[yellow]–[/]",
}


def run(
    study: StudyArgument = None,
    lang: LanguageOption = None,
    until: Annotated[
        str | None,
        typer.Option(help="Run this notebook (its name or number) and what it needs, no more."),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(help="Run this notebook alone; what it needs must have run."),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter",
            "-p",
            metavar="NAME=VALUE",
            help="Set a parameter, such as n_segments=5 or 30.n_segments=5; can be repeated.",
        ),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Run every notebook, changed or not.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say what would be run and why; run nothing.")
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Notebooks side by side; without it, one for each core."),
    ] = None,
    cold: Annotated[
        bool, typer.Option("--cold", help="Start ordinary kernels instead of prepared ones.")
    ] = False,
):
    """Run a study: its notebooks in order, then the report.

    A notebook whose source, parameters, data, code and versions are what they were is not run
    again.
    """
    path = study_path(study)
    asked = {"language": lang and lang.value, "until": until, "only": only}
    asked["parameters"] = parameter
    with refusals():
        from crmlab.report.pages import prepare_report, write_report
        from crmlab.study.runner import explain_study, run_study

        if until and only:
            raise ValueError("--until and --only exclude each other: give one of them")
        if explain:
            _show_reasons(explain_study(path, **asked))
            return
        with Progress() as progress:

            def tell(notebook, state, detail):
                progress.tell(notebook, state, detail)
                if state == "running" and not detail:
                    prepare_report()  # while kernels get ready

            outcome = run_study(path, **asked, fresh=fresh, cold=cold, jobs=jobs, on_progress=tell)
        page = write_report(outcome.folder)
    if lang:
        warn_of_language(path, lang.value)
    _conclude(outcome, page, progress.console)


def _show_reasons(verdicts):
    from rich.console import Console
    from rich.table import Table

    table = Table("notebook", "", "why", box=None)
    for notebook, verdict, reasons in verdicts:
        shown = [*reasons[:4], *[f"and {len(reasons) - 4} more"] * (len(reasons) > 4)]
        table.add_row(notebook, verdict, "\n".join(shown))
    Console(highlight=False).print(table)


def _conclude(outcome, page, console):
    for failure in outcome.failures:
        console.print(f"\n[red]{failure.notebook} stopped at cell {failure.cell}:[/]")
        console.print(f"{failure.error}\n", markup=False, soft_wrap=True)
        console.print(_indent(failure.source), markup=False, soft_wrap=True, style="dim")
    waiting = [name for name, state in outcome.states.items() if state == "not reached"]
    if outcome.failures:
        if waiting:
            console.print(f"\nNot run, because they build on it: {', '.join(waiting)}")
        console.print("\nThe whole traceback stands in the notebook's page of the report.")
        console.print(f"What was finished is kept: {page.as_uri()}", soft_wrap=True)
        raise typer.Exit(1)
    if outcome.is_interrupted:
        console.print(f"\nStopped. What was finished is kept: {page.as_uri()}", soft_wrap=True)
        console.print("The same command goes on from here.")
        raise typer.Exit(130)
    if set(outcome.states.values()) <= {"unchanged", "left out"}:
        console.print("\nNothing has changed since the last run (--fresh runs all the same).")
    console.print(f"\nReport: {page.as_uri()}", soft_wrap=True)


class Progress:
    """One line a notebook: live on a terminal, else a plain line when it is settled.

    `what` is counted on the live line: the cells of a notebook, the notebooks of a sweep's point.
    """

    def __init__(self, *, what="cell"):
        from rich.console import Console

        self.what = what
        self.console = Console(highlight=False)
        self._lock = threading.Lock()
        self._running = {}
        self._live = None

    def __enter__(self):
        if self.console.is_terminal:
            from rich.live import Live

            self._live = Live(console=self.console, get_renderable=self._draw, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_):
        if self._live is not None:
            self._running.clear()
            self._live.stop()

    def tell(self, notebook, state, detail):
        """Take in what the runner tells, from any thread."""
        from rich.markup import escape

        with self._lock:
            if state == "running":
                began, _ = self._running.get(notebook, (time.monotonic(), ""))
                self._running[notebook] = (began, detail)
            else:
                self._running.pop(notebook, None)
                line = f"{MARKS[state]} {notebook:<36} {state:<9} [dim]{escape(detail)}[/]"
                self.console.print(line, soft_wrap=True)

    def _draw(self):
        from rich.text import Text

        with self._lock:
            running = list(self._running.items())
        now = time.monotonic()
        lines = [
            f"{MARKS['running']} {name:<36} {self.what} {n or '–':<7} [dim]{now - began:.0f} s[/]"
            for name, (began, n) in running
        ]
        return Text.from_markup("\n".join(lines))


def _indent(text):
    return "\n".join(f"    {line}" for line in text.splitlines())
