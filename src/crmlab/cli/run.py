"""`crmlab run`: a study, from its file to its report."""

import threading
import time
from typing import Annotated

import typer

from crmlab.cli.arguments import (
    LanguageOption,
    StudyArgument,
    refusals,
    spoken,
    study_path,
    warn_of_language,
)

__all__ = ["Progress", "run", "say_state"]

STATES = {
    "run": "cli_run",
    "perhaps": "cli_perhaps",
    "done": "cli_done",
    "unchanged": "cli_unchanged",
    "left out": "cli_left_out",
    "failed": "cli_failed",
    "not reached": "cli_not_reached",
    "interrupted": "cli_interrupted",
}
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
    path = study_path(study, lang)
    language = spoken(lang, path)
    asked = {"language": lang and lang.value, "until": until, "only": only}
    asked["parameters"] = parameter
    with refusals(language):
        from crmlab.atlas.sentences import say
        from crmlab.report.pages import prepare_report, write_report
        from crmlab.study.runner import explain_study, run_study

        if until and only:
            raise ValueError(say("cli_exclude"))
        if explain:
            _show_reasons(explain_study(path, **asked), language)
            return
        with Progress(language) as progress:

            def tell(notebook, state, detail):
                progress.tell(notebook, state, detail)
                if state == "running" and not detail:
                    prepare_report()  # while kernels get ready

            outcome = run_study(path, **asked, fresh=fresh, cold=cold, jobs=jobs, on_progress=tell)
        page = write_report(outcome.folder)
    if lang:
        warn_of_language(path, lang.value)
    _conclude(outcome, page, progress)


def _show_reasons(verdicts, language):
    from rich.console import Console
    from rich.table import Table

    from crmlab.atlas.sentences import say, text_in

    heads = [text_in(say(key), language) for key in ("cli_notebook", "cli_why")]
    table = Table(heads[0], "", heads[1], box=None)
    for notebook, verdict, reasons in verdicts:
        shown = [text_in(reason, language) for reason in reasons[:4]]
        if len(reasons) > 4:
            shown.append(text_in(say("cli_more", n=len(reasons) - 4), language))
        table.add_row(notebook, say_state(verdict, language), "\n".join(shown))
    Console(highlight=False).print(table)


def say_state(state, language):
    """Return what has become, or will become, of a notebook or a point, in words."""
    from crmlab.atlas.sentences import say, text_in

    return text_in(say(STATES[state]), language)


def _conclude(outcome, page, progress):
    console, said = progress.console, progress.said
    for failure in outcome.failures:
        place = said("cli_stopped_at", notebook=failure.notebook, cell=failure.cell)
        console.print(f"\n[red]{place}[/]")
        console.print(f"{failure.error}\n", markup=False, soft_wrap=True)
        console.print(_indent(failure.source), markup=False, soft_wrap=True, style="dim")
    waiting = [name for name, state in outcome.states.items() if state == "not reached"]
    if outcome.failures:
        if waiting:
            console.print("\n" + said("cli_waiting", names=tuple(waiting)))
        console.print("\n" + said("cli_traceback"))
        console.print(said("cli_kept", page=page.as_uri()), soft_wrap=True)
        raise typer.Exit(1)
    if outcome.is_interrupted:
        kept = said("cli_kept", page=page.as_uri())
        console.print(f"\n{said('cli_stopped')} {kept}", soft_wrap=True)
        console.print(said("cli_goes_on"))
        raise typer.Exit(130)
    settled = set(outcome.states.values())
    if settled <= {"unchanged", "left out"}:
        is_empty = "unchanged" not in settled
        console.print("\n" + said("cli_all_left_out" if is_empty else "cli_nothing_changed"))
    console.print("\n" + said("cli_report", page=page.as_uri()), soft_wrap=True)


class Progress:
    """One line a notebook: live on a terminal, else a plain line when it is settled.

    `what` is counted on the live line: the cells of a notebook, the notebooks of a sweep's point.
    """

    def __init__(self, language, *, what="cli_cell"):
        from rich.console import Console

        self.language, self.what = language, what
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

    def said(self, key, **values):
        """Return a sentence of ``messages.csv`` in the language of the run."""
        from crmlab.atlas.sentences import say, text_in

        return text_in(say(key, **values), self.language)

    def tell(self, notebook, state, detail):
        """Take in what the runner tells, from any thread."""
        from rich.markup import escape

        with self._lock:
            if state == "running":
                began, _ = self._running.get(notebook, (time.monotonic(), ""))
                self._running[notebook] = (began, detail)
            else:
                self._running.pop(notebook, None)
                from crmlab.atlas.sentences import text_in

                detail = escape(text_in(detail, self.language))
                word = say_state(state, self.language)
                line = f"{MARKS[state]} {notebook:<36} {word:<9} [dim]{detail}[/]"
                self.console.print(line, soft_wrap=True)

    def _draw(self):
        from rich.text import Text

        with self._lock:
            running = list(self._running.items())
        now = time.monotonic()
        lines = [
            f"{MARKS['running']} {name:<36} {self.said(self.what, n=n or '–'):<12} "
            f"[dim]{self.said('cli_seconds', n=f'{now - began:.0f}')}[/]"
            for name, (began, n) in running
        ]
        return Text.from_markup("\n".join(lines))


def _indent(text):
    return "\n".join(f"    {line}" for line in text.splitlines())
