"""`crmlab data`: the catalog of data sets, listed, fetched and described."""

from pathlib import Path
from typing import Annotated

import typer

from crmlab.cli.arguments import Language, refusals
from crmlab.cli.simulate import simulate

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="List, fetch and describe data sets.")
CARD_WORDS = {
    "en": {
        "facts": ("licence", "origin", "citation", "prepared"),
        "columns": ("column", "meaning", "unit", "range"),
        "rows": "{:,} rows",
        "fetch": "Rows and columns at hand are shown after",
    },
    "zh": {
        "facts": ("许可", "来源", "引用", "整理"),
        "columns": ("列", "含义", "单位", "取值"),
        "rows": "{:,} 行",
        "fetch": "取得数据后可显示实际的行数与列：",
    },
}


app.command()(simulate)


@app.command("list")
def data_list():
    """List the data sets of the catalog and whether each is at hand."""
    from rich.console import Console
    from rich.table import Table

    from crmlab.data import is_at_hand, list_datasets, load_card

    table = Table(box=None)
    table.add_column("name", no_wrap=True)  # to be typed as it stands
    for head in ("what it is", "tables", "licence", "at hand"):
        table.add_column(head)
    for name in list_datasets():
        card = load_card(name)
        at_hand = "yes" if is_at_hand(name) else f"crmlab data get {name}"
        table.add_row(
            name, card.title["en"], ", ".join(card.one_row_is), card.licence["en"], at_hand
        )
    Console(highlight=False).print(table)


@app.command("get")
def data_get(
    name: Annotated[str, typer.Argument(help="Name in the catalog.")],
    file: Annotated[
        Path | None, typer.Option(help="Take the file from here instead of fetching it.")
    ] = None,
):
    """Fetch a data set into the local cache, checked against its sha256."""
    with refusals():
        from crmlab.data import get_dataset

        for path in get_dataset(name, file, report=typer.echo).values():
            typer.echo(path)


@app.command("card")
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
    with refusals():
        card = load_card(name)
        tables = load_dataset(name).tables if is_at_hand(name) else {}
    console.print(f"[bold]{card.title[lang]}[/]\n{card.summary[lang]}\n", soft_wrap=True)
    citation = f"{card.citation} doi:{card.doi}" if card.doi else card.citation
    prepared = card.prepared[lang] if card.prepared else ""
    facts = (card.licence[lang], card.origin[lang], citation, prepared)
    for word, fact in zip(words["facts"], facts, strict=True):
        if fact:
            console.print(f"[dim]{word}[/] {fact}", soft_wrap=True)
    for table_name, row in card.one_row_is.items():
        frame = tables.get(table_name)
        n_rows = "" if frame is None else words["rows"].format(len(frame))
        console.print(f"\n[bold]{table_name}[/]  {row[lang]}  [dim]{n_rows}[/]")
        columns = Table(box=None)
        for word in words["columns"]:
            # Folded, for Chinese has no blanks to break a line at; a column's name stays whole.
            columns.add_column(word, overflow="fold", no_wrap=word == words["columns"][0])
        described = describe_table(table_name)
        for column in described.itertuples():
            # Of a data set at hand, the columns it has; of another, those it may have.
            if frame is None or column.column in frame:
                meaning = column.meaning_zh if lang is Language.zh else column.meaning_en
                unit = term(column.unit).text(lang) if column.unit else ""
                columns.add_row(column.column, meaning, unit, str(column.range or ""))
        for name, about in card.columns.get(table_name, {}).items():
            unit = term(about["unit"]).text(lang) if "unit" in about else ""
            columns.add_row(name, about[lang], unit, "")
        console.print(columns)
        if frame is not None and table_name == "items":
            for item in frame.itertuples():
                text = item.text_zh if lang is Language.zh else item.text_en
                console.print(f"   [dim]{item.item}[/] {text}", soft_wrap=True)
    if not tables:
        console.print(f"\n{words['fetch']} `crmlab data get {name}`")
