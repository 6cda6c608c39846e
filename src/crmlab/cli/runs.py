"""`crmlab verify`, `compare` and `sweep`: what is done with more than one run of a study."""

from pathlib import Path
from typing import Annotated

import typer

from crmlab.cli.arguments import LanguageOption, StudyArgument, refusals, spoken, study_path, tell
from crmlab.cli.run import Progress, say_state

__all__ = ["compare", "sweep", "verify"]

RUN = "Report folder, study file, or a study's bare name."
KINDS = {"results": "结果", "tables": "数据表", "figures": "图形", "notebooks": "笔记本"}
MOST_DAMAGE = 10
WIDE = 100  # columns of a terminal


def verify(
    study: Annotated[
        Path | None, typer.Argument(help=f"{RUN} Without one, sample.", show_default=False)
    ] = None,
    lang: LanguageOption = None,
):
    """Run a report's study afresh elsewhere and compare every file with the report.

    The report itself is not touched. Ends with 0 when every result, table, figure and notebook
    came out the same, with 1 and the first difference when one did not.
    """
    with refusals(spoken(lang, study)):
        from crmlab.study.verify import verify_report

        folder, path = _find_run(study)
        with Progress(spoken(lang, path)) as progress:
            found = verify_report(folder, path, on_progress=progress.tell)
    console = progress.console
    if found.is_interrupted:
        console.print("\n" + progress.said("cli_verify_stopped"))
        raise typer.Exit(130)
    for line in _say_verification(found, progress.language):
        console.print(line, soft_wrap=True)
    raise typer.Exit(0 if found.holds else 1)


def compare(
    a: Annotated[Path, typer.Argument(help=RUN, metavar="A", show_default=False)],
    b: Annotated[Path, typer.Argument(help=RUN, metavar="B", show_default=False)],
    to: Annotated[
        Path | None,
        typer.Option(help="Write it to this file: .html a page, .csv a table.", metavar="FILE"),
    ] = None,
    lang: LanguageOption = None,
):
    """Show two runs side by side: what was changed, and which numbers moved."""
    with refusals(spoken(lang)):
        from crmlab.report.compare_page import write_comparison
        from crmlab.study.compare import compare_runs

        comparison = compare_runs(_find_run(a)[0], _find_run(b)[0])
        language = lang.value if lang else comparison.manifests[0]["study"]["language"]
        if to is not None:
            write_comparison(comparison, to, language=language)
    _show_comparison(comparison, language)
    if to is not None:
        typer.echo()
        tell(language, "cli_written", page=to.resolve().as_uri())


def sweep(
    study: StudyArgument = None,
    grid: Annotated[
        Path,
        typer.Option(help="YAML file of what varies: lists under seed and parameters."),
    ] = ...,
    result: Annotated[
        list[str] | None,
        typer.Option(help="Draw this number; can be repeated. Without it, the headline ones."),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Kernels side by side; without it, one each core.")
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option(help="Scheduler of a Dask cluster to run on.", metavar="TCP://HOST:PORT"),
    ] = None,
    lang: LanguageOption = None,
):
    """Run a study over a grid of parameters and seeds, and gather its numbers in one table.

    Each point is a run of its own; what points have in common is run once. After an interruption
    the same command goes on from what was finished.
    """
    path = study_path(study, lang)
    language = spoken(lang, path)
    with refusals(language):
        from crmlab.study.sweep import run_sweep
        from crmlab.study.sweep_table import check_results, gather_numbers, write_tables

        check_results(result or ())
        with Progress(language, what="cli_notebooks") as progress:
            found = run_sweep(path, grid, jobs=jobs, cluster=dask, on_progress=progress.tell)
        table = gather_numbers(found)
        if not table.empty:
            write_tables(found, table)
            _write_page(found, table, lang.value if lang else found.plan.language, result or ())
    _conclude_sweep(found, table, progress, is_on_cluster=dask is not None)


def _find_run(run):
    """Return the report folder that a folder, study file or bare name means, and the study file.

    The study file is None where a folder was given.
    """
    from crmlab.study.configuration import find_study_root, load_study

    if run is not None and run.is_dir() and (run.parent.name or (run / "manifest.json").exists()):
        return run, None
    path = study_path(run)
    folder = find_study_root(path) / "reports" / path.stem
    if not folder.is_dir():
        load_study(path)  # says which study may have been meant
    return folder, path


def _say_verification(found, language):
    from crmlab.atlas.sentences import say, text_in

    def said(key, **values):
        return text_in(say(key, **values), language)

    if found.damage:
        yield f"[red]{said('cli_damaged')}[/]"
        yield from (f"  {text_in(line, language)}" for line in found.damage[:MOST_DAMAGE])
        if len(found.damage) > MOST_DAMAGE:
            yield said("cli_more_damage", n=len(found.damage) - MOST_DAMAGE)
        yield said("cli_run_again")
        return
    kinds = (+found.equal).items()
    equal = tuple(say("cli_kind_one", n=n, kind=_name_kind(kind, n)) for kind, n in kinds)
    if found.difference:
        yield f"\n[red]{said('cli_not_same')}[/] {text_in(found.difference, language)}"
        rest = said("cli_equal_rest", n=found.equal.total())
        rest += said("cli_in_brackets", what=equal) if equal else ""
        yield said("cli_files_differ", n=found.n_different, rest=rest)
        if found.reasons:
            yield said("cli_likely")
            yield from (f"  {text_in(reason, language)}" for reason in found.reasons)
        else:
            yield said("cli_no_likely")
    else:
        total = found.equal.total()
        yield "\n[green]✓[/] " + said("cli_all_equal", n=total, equal=equal)
    for name, state in found.not_compared.items():
        yield "[yellow]–[/] " + said(
            "cli_not_compared", name=name, state=say_state(state, language)
        )


def _name_kind(kind, n):
    """Return what a kind of file is called in both languages."""
    return {"en": kind if n > 1 else kind[:-1], "zh": KINDS.get(kind, kind)}


def _show_comparison(comparison, language):
    from rich.console import Console

    from crmlab.report import compare_page as say
    from crmlab.study.wording import load_words

    console, words = Console(highlight=False), load_words(language)
    name, a, b = words["number"], "A", "B"
    rows = (words["compare_rows_a"], words["compare_rows_b"])
    changes = say.say_changes(comparison, language)
    numbers = say.say_numbers(comparison, language)
    moved = [words["compare_difference"], words["compare_relative"]]
    if console.width < WIDE:
        # The names of the numbers need the room.
        moved = moved[1:]
        numbers = [(*row[:4], row[5]) for row in numbers]
    _show(console, "", say.describe_runs(comparison, language), ["", a, b])
    heads = [words["compare_what"], words["chapter"], words["compare_name"], a, b]
    _show(console, words["compare_changes"], changes, heads, none=words["compare_no_changes"])
    none = words["compare_no_numbers"]
    _show(console, words["compare_numbers"], numbers, ["", name], [a, b, *moved], none=none)
    only = say.say_only(comparison, language)
    _show(console, words["compare_only"], only, ["", name], [a, b])
    tables = say.say_tables(comparison, language)
    _show(console, words["compare_tables"], tables, ["", words["table"]], rows)
    n_equal = int((~comparison.is_changed).sum())
    if n_equal:
        console.print("\n" + words["compare_equal"].format(n=n_equal))


def _show(console, title, rows, texts, numbers=(), *, none=""):
    """Print a table under its title, columns of text, then of numbers; without rows, `none`."""
    from rich.table import Table

    if title and (rows or none):
        console.print(f"\n[bold]{title}[/]")
    if not rows:
        console.print(none, end="\n" if none else "")
        return
    table = Table(box=None)
    for head in texts:
        table.add_column(head, overflow="fold")
    for head in numbers:
        table.add_column(head, justify="right")  # the words beside it need the room on a terminal
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _write_page(found, table, language, names):
    import matplotlib as mpl

    from crmlab.plots.style import set_style
    from crmlab.plots.sweep import draw_sweep
    from crmlab.report.sweep_page import write_sweep

    mpl.use("agg")
    set_style(language, currency=found.plan.dataset["currency"])
    write_sweep(found, table, draw=draw_sweep, language=language, names=names)


def _conclude_sweep(found, table, progress, *, is_on_cluster):
    from crmlab.atlas.sentences import say

    console, said = progress.console, progress.said
    states = [outcome.state for outcome in found.outcomes.values()]
    counts = tuple(
        say("cli_count", n=states.count(state), state=say_state(state, progress.language))
        for state in dict.fromkeys(states)
    )
    console.print("\n" + said("cli_points", n=len(states), counts=counts))
    if not table.empty:
        console.print(said("cli_table", path=found.folder / "sweep.csv"), soft_wrap=True)
        console.print(said("cli_page", page=(found.folder / "index.html").as_uri()), soft_wrap=True)
    if found.is_interrupted:
        console.print(f"{said('cli_stopped')} {said('cli_goes_on')}")
        if is_on_cluster:
            console.print(said("cli_cluster"))
        raise typer.Exit(130)
    raise typer.Exit(1 if "failed" in states else 0)
