"""The command line: `crmlab run`, `report`, `data`, `atlas`, `lab`, `doctor`.

Heavy libraries are imported inside the commands, so that `crmlab --help` answers at once.
"""

import os
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A Jupyter laboratory for studying customer relationship management.",
)
data_app = typer.Typer(no_args_is_help=True, help="List, fetch and describe data sets.")
app.add_typer(data_app, name="data")


class Language(StrEnum):
    """Language of a report."""

    en = "en"
    zh = "zh"


CARD_WORDS = {
    "en": {
        "facts": ("licence", "origin", "citation"),
        "columns": ("column", "meaning", "unit", "range"),
        "rows": "{:,} rows",
        "fetch": "Rows and columns at hand are shown after",
    },
    "zh": {
        "facts": ("许可", "来源", "引用"),
        "columns": ("列", "含义", "单位", "取值"),
        "rows": "{:,} 行",
        "fetch": "取得数据后可显示实际的行数与列：",
    },
}
StudyArgument = Annotated[
    Path | None,
    typer.Argument(help="Study file, or its bare name; without one, sample.", show_default=False),
]
LanguageOption = Annotated[
    Language | None,
    typer.Option("--lang", help="Language of the report; without it, the study's own."),
]


@app.command()
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
    path = _study_path(study)
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

    with _refusals():
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


@app.command()
def report(study: StudyArgument = None, lang: LanguageOption = None):
    """Write the report of a finished run again, in either language."""
    path = _study_path(study)
    with _refusals():
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


@data_app.command("list")
def data_list():
    """List the data sets of the catalog and whether each is at hand."""
    from rich.console import Console
    from rich.table import Table

    from crmlab.data import is_at_hand, list_datasets, load_card

    table = Table("name", "what it is", "tables", "licence", "at hand", box=None)
    for name in list_datasets():
        card = load_card(name)
        at_hand = "yes" if is_at_hand(name) else f"uv run crmlab data get {name}"
        table.add_row(
            name, card.title["en"], ", ".join(card.one_row_is), card.licence["en"], at_hand
        )
    Console(highlight=False).print(table)


@data_app.command("get")
def data_get(
    name: Annotated[str, typer.Argument(help="Name in the catalog.")],
    file: Annotated[
        Path | None, typer.Option(help="Take the file from here instead of fetching it.")
    ] = None,
):
    """Fetch a data set into the local cache, checked against its sha256."""
    with _refusals():
        from crmlab.data import get_dataset

        for path in get_dataset(name, file, report=typer.echo).values():
            typer.echo(path)


@data_app.command("card")
def data_card(
    name: Annotated[str, typer.Argument(help="Name in the catalog.")],
    lang: Annotated[Language, typer.Option("--lang", help="Language of the card.")] = Language.en,
):
    """Describe a data set: rows, columns, units, licence, citation."""
    from rich.console import Console
    from rich.table import Table

    from crmlab.atlas import term
    from crmlab.data import is_at_hand, load_card, load_dataset
    from crmlab.data.tables import describe_table

    console = Console(highlight=False)
    words = CARD_WORDS[lang.value]
    with _refusals():
        card = load_card(name)
        tables = load_dataset(name).tables if is_at_hand(name) else {}
    console.print(f"[bold]{card.title[lang]}[/]\n{card.summary[lang]}\n")
    facts = (card.licence[lang], card.origin[lang], card.citation)
    for word, fact in zip(words["facts"], facts, strict=True):
        console.print(f"[dim]{word}[/] {fact}", soft_wrap=True)
    for table_name, row in card.one_row_is.items():
        frame = tables.get(table_name)
        n_rows = "" if frame is None else words["rows"].format(len(frame))
        console.print(f"\n[bold]{table_name}[/]  {row[lang]}  [dim]{n_rows}[/]")
        columns = Table(*words["columns"], box=None)
        described = describe_table(table_name)
        for column in described.itertuples():
            # Of a data set at hand, the columns it has; of another, those it may have.
            if frame is None or column.column in frame:
                meaning = column.meaning_zh if lang is Language.zh else column.meaning_en
                unit = term(column.unit).text(lang) if column.unit else ""
                columns.add_row(column.column, meaning, unit, str(column.range or ""))
        console.print(columns)
        if frame is not None and table_name == "items":
            for item in frame.itertuples():
                text = item.text_zh if lang is Language.zh else item.text_en
                console.print(f"   [dim]{item.item}[/] {text}", soft_wrap=True)
    if not tables:
        console.print(f"\n{words['fetch']} `uv run crmlab data get {name}`")


@app.command()
def atlas(
    query: Annotated[
        str | None, typer.Argument(help="A word in English or Chinese.", metavar="TERM")
    ] = None,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Show which concepts have a home.")
    ] = False,
    notebook: Annotated[
        str | None, typer.Option(help="Numbers of notebooks, such as 20,21.")
    ] = None,
):
    """Search the field's concepts, or show how many have a home."""
    from rich.console import Console
    from rich.table import Table

    from crmlab.atlas import concept_coverage, find_concepts, suggest_concepts

    console = Console(highlight=False)
    if coverage:
        with _refusals():
            from crmlab.study.configuration import find_root

            numbers = notebook and [number.strip() for number in notebook.split(",")]
            found = concept_coverage(find_root(Path.cwd()), notebooks=numbers)
        table = Table("notebook", "at home", "of", box=None)
        for name, n_at_home, n_concepts in found.by("notebook"):
            table.add_row(name, str(n_at_home), str(n_concepts))
        console.print(table)
        for home in found.broken:
            console.print(f"[red]{home.concept.id}[/] {home.reason}", soft_wrap=True)
        console.print(str(found))
        raise typer.Exit(1 if found.broken else 0)
    if query is None:
        typer.echo("Name a term, such as `crmlab atlas satisfaction` or `crmlab atlas 忠诚`.")
        raise typer.Exit(2)
    with _refusals():
        found = find_concepts(query)
    if not found:
        near = ", ".join(suggest_concepts(query)) or "none near it"
        console.print(f"No concept holds {query!r}; nearest: {near}")
        raise typer.Exit(1)
    for c in found:
        console.print(f"[bold]{c.id:<4}[/] {c.term_en} · {c.term_zh}", soft_wrap=True)
        home = " · ".join(filter(None, (c.notebook, c.standard_model, c.function)))
        console.print(f"     [dim]{home}[/]", soft_wrap=True)


@app.command()
def lab():
    """Open JupyterLab on the notebooks."""
    with _refusals():
        from crmlab.study.configuration import find_root

        folder = find_root(Path.cwd()) / "notebooks"
    command = [sys.executable, "-m", "jupyterlab", "--ip=127.0.0.1", f"--notebook-dir={folder}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # as in a container; it listens on this machine alone
    raise typer.Exit(subprocess.call(command))  # noqa: S603 - our own words


@app.command()
def doctor():
    """Say what of the environment works, and the cure for what does not."""
    from rich.console import Console
    from rich.table import Table

    from crmlab.study.doctor import examine

    table = Table("", "what", "found", "cure", box=None)
    marks = {True: "[green]✓[/]", False: "[red]✗[/]", None: "[yellow]–[/]"}
    findings = examine(Path.cwd())
    for finding in findings:
        table.add_row(marks[finding.holds], finding.what, finding.found, finding.cure)
    Console(highlight=False).print(table)
    raise typer.Exit(1 if any(finding.holds is False for finding in findings) else 0)


@app.callback(invoke_without_command=True)
def main(
    version: Annotated[bool, typer.Option("--version", help="Show the version and stop.")] = False,
):
    """Say the version when asked; otherwise hand over to the command."""
    if version:
        from crmlab import __version__

        typer.echo(__version__)
        raise typer.Exit


def _study_path(study):
    """Return the path of a study: a file, or the bare name of one in the project's studies."""
    if study is not None and (study.suffix or study.parent.name):
        return study
    with _refusals():
        from crmlab.study.configuration import find_root

        return find_root(Path.cwd()) / "studies" / f"{study or 'sample'}.yaml"


class _refusals:  # noqa: N801 - reads as a block
    """Turn a refusal into one clear message and exit code 2, without a traceback."""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if kind is not None and issubclass(kind, ValueError):
            typer.secho(str(error), fg="red", err=True)
            raise typer.Exit(2) from None
        return False


def _indent(text):
    return "\n".join(f"    {line}" for line in text.splitlines())
