"""`crmlab atlas`: the field's concepts, searched and counted."""

from pathlib import Path
from typing import Annotated

import typer

from crmlab.cli.arguments import Language, refusals, spoken

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
    lang: Annotated[
        Language | None, typer.Option("--lang", help="Language of all that is said.")
    ] = None,
):
    """Search the field's concepts, or show how many have a home."""
    from rich.console import Console
    from rich.table import Table

    from crmlab.atlas import concept_coverage, find_concepts, suggest_concepts
    from crmlab.atlas.sentences import say, text_in

    language = spoken(lang)

    def said(key, **values):
        return text_in(say(key, **values), language)

    console = Console(highlight=False)
    if coverage:
        with refusals(language):
            from crmlab.study.configuration import find_root

            numbers = notebook and [number.strip() for number in notebook.split(",")]
            found = concept_coverage(find_root(Path.cwd()), notebooks=numbers)
        table = Table(
            said("cli_notebook"), said("cli_coverage_home"), said("cli_coverage_of"), box=None
        )
        for name, n_at_home, n_concepts in found.by("notebook"):
            table.add_row(name, str(n_at_home), str(n_concepts))
        console.print(table)
        for home in found.broken:
            console.print(f"[red]{home.concept.id}[/] {home.reason}", soft_wrap=True)
        if not found.has_tests:
            console.print(said("cli_no_tests"))
        console.print(str(found))
        raise typer.Exit(1 if found.broken else 0)
    if query is None:
        typer.echo(said("cli_name_term"))
        raise typer.Exit(2)
    with refusals(language):
        found = find_concepts(query)
    if not found:
        near = tuple(suggest_concepts(query)) or said("cli_none_near")
        console.print(said("cli_no_concept", query=repr(query), near=near))
        raise typer.Exit(1)
    for c in found:
        console.print(f"[bold]{c.id:<4}[/] {c.term_en} · {c.term_zh}", soft_wrap=True)
        home = " · ".join(filter(None, (c.notebook, c.standard_model, c.function)))
        console.print(f"     [dim]{home}[/]", soft_wrap=True)
