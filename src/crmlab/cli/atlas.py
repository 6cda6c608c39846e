"""`crmlab atlas`: the field's concepts, searched and counted."""

from pathlib import Path
from typing import Annotated

import typer

from crmlab.cli.arguments import refusals

__all__ = ["atlas"]


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
        with refusals():
            from crmlab.study.configuration import find_root

            numbers = notebook and [number.strip() for number in notebook.split(",")]
            found = concept_coverage(find_root(Path.cwd()), notebooks=numbers)
        table = Table("notebook", "at home", "of", box=None)
        for name, n_at_home, n_concepts in found.by("notebook"):
            table.add_row(name, str(n_at_home), str(n_concepts))
        console.print(table)
        for home in found.broken:
            console.print(f"[red]{home.concept.id}[/] {home.reason}", soft_wrap=True)
        if not found.has_tests:
            console.print("Tests are no part of this folder: they are taken as the atlas has them.")
        console.print(str(found))
        raise typer.Exit(1 if found.broken else 0)
    if query is None:
        typer.echo("Name a term, such as `crmlab atlas satisfaction` or `crmlab atlas 忠诚`.")
        raise typer.Exit(2)
    with refusals():
        found = find_concepts(query)
    if not found:
        near = ", ".join(suggest_concepts(query)) or "none near it"
        console.print(f"No concept holds {query!r}; nearest: {near}")
        raise typer.Exit(1)
    for c in found:
        console.print(f"[bold]{c.id:<4}[/] {c.term_en} · {c.term_zh}", soft_wrap=True)
        home = " · ".join(filter(None, (c.notebook, c.standard_model, c.function)))
        console.print(f"     [dim]{home}[/]", soft_wrap=True)
