"""`crmlab data`: the catalog of data sets, listed, fetched and described."""

import os
from pathlib import Path
from typing import Annotated

import typer

from crmlab.cli.arguments import Language, refusals, spoken
from crmlab.cli.simulate import simulate

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="List, fetch and describe data sets.")
LISTED = ("cli_list_name", "cli_list_what", "cli_list_tables")
LISTED += ("cli_list_licence", "cli_list_at_hand")
CARD_WORDS = {
    "en": {
        "facts": ("licence", "origin", "citation", "prepared"),
        "window": "observed",
        "window_text": "{} to {}, both days included",
        "currency": "currency",
        "zone": "time zone",
        "units": "time units",
        "units_text": "…_on is a calendar day, …_at local time to the second; "
        "durations name their unit (…_days, …_weeks, …_hours)",
        "unstated": "not stated",
        "columns": ("column", "meaning", "unit", "range"),
        "rows": "{:,} rows",
        "returns": "of them {:,} returns, cancellations or credits (amount below 0)",
        "left_out": "Left out",
        "left_out_none": "nothing: every row of the source is used",
        "repaired": "Repaired on reading",
        "counts": ("table", "what", "number"),
        "fetch": "Rows and columns at hand, and what was left out, are shown after",
    },
    "zh": {
        "facts": ("许可", "来源", "引用", "整理"),
        "window": "观察期",
        "window_text": "{} 至 {}（含首尾两日）",
        "currency": "货币",
        "zone": "时区",
        "units": "时间单位",
        "units_text": "以 _on 结尾的列为日期，以 _at 结尾的列为当地时间（精确到秒）；"
        "时长的单位写在列名中（_days 天、_weeks 周、_hours 小时）",
        "unstated": "未说明",
        "columns": ("列", "含义", "单位", "取值"),
        "rows": "{:,} 行",
        "returns": "其中退货、取消或退款（金额为负）{:,} 笔",
        "left_out": "未采用",
        "left_out_none": "无：来源中的每一行均已采用",
        "repaired": "读取时的修正",
        "counts": ("表", "内容", "数量"),
        "fetch": "取得数据后可显示实际的行数与列以及未采用的内容：",
    },
}


app.command()(simulate)
SaidIn = Annotated[Language | None, typer.Option("--lang", help="Language of all that is said.")]


@app.command("list")
def data_list(lang: SaidIn = None):
    """List the data sets of the catalog and whether each is at hand."""
    from rich.console import Console
    from rich.table import Table

    from crmlab.atlas.sentences import say, text_in
    from crmlab.data import is_at_hand, list_datasets, load_card

    language = spoken(lang)
    table = Table(box=None)
    name, *heads = (text_in(say(key), language) for key in LISTED)
    table.add_column(name, no_wrap=True)  # to be typed as it stands
    for head in heads:
        table.add_column(head, overflow="fold")
    for name in list_datasets():
        card = load_card(name)
        at_hand = text_in(say("cli_yes" if is_at_hand(name) else "cli_no"), language)
        words = (card.title[language], ", ".join(card.one_row_is), card.licence[language])
        table.add_row(name, *words, at_hand)
    console = Console(highlight=False)
    console.print(table)
    console.print("\n" + text_in(say("cli_bring_in"), language))


@app.command("get")
def data_get(
    name: Annotated[str, typer.Argument(help="Name in the catalog.")],
    file: Annotated[
        Path | None, typer.Option(help="Take the file from here instead of fetching it.")
    ] = None,
    lang: SaidIn = None,
):
    """Fetch a data set into the local cache, checked against its sha256."""
    language = spoken(lang)
    with refusals(language):
        from crmlab.atlas.sentences import text_in
        from crmlab.data import get_dataset

        def report(said):
            typer.echo(text_in(said, language))

        for path in get_dataset(name, file, report=report).values():
            typer.echo(path)


@app.command("card")
def data_card(
    name: Annotated[str, typer.Argument(help="Name in the catalog, or data of your own.")],
    lang: SaidIn = None,
):
    """Describe a data set: rows, columns, units, time zone, licence, what was left out."""
    from rich.console import Console

    from crmlab.data import is_at_hand, list_datasets, load_card, load_dataset

    console = Console(highlight=False)
    lang = Language(spoken(lang))
    words = CARD_WORDS[lang.value]
    with refusals(lang.value):
        is_known = name in list_datasets()
        dataset = load_dataset(name) if not is_known or is_at_hand(name) else None
        card = dataset.card if dataset else load_card(name)
    tables = dataset.tables if dataset else {}
    console.print(f"[bold]{card.title[lang]}[/]\n{card.summary[lang]}\n", soft_wrap=True)
    for word, fact in _facts(card, dataset, lang.value):
        console.print(f"[dim]{word}[/] {fact}", soft_wrap=True)
    for table_name, row in card.one_row_is.items():
        if is_known or table_name in tables:
            own = card.columns.get(table_name, {})
            _print_table(console, table_name, row[lang], tables.get(table_name), own, lang)
    if dataset is None:
        console.print(f"\n{words['fetch']} `crmlab data get {name}`")
        return
    _print_counts(console, dataset.left_out, words["left_out"], words["left_out_none"], lang)
    if len(dataset.repaired):
        _print_counts(console, dataset.repaired, words["repaired"], "", lang)


@app.command("check")
def data_check(
    path: Annotated[
        str, typer.Argument(help="A folder, file, database, postgresql:// address or mapping.yaml.")
    ],
    write: Annotated[
        bool, typer.Option("--write", help="Write the proposed mapping.yaml beside the data.")
    ] = False,
    rows: Annotated[
        Path | None, typer.Option("--rows", help="Write every wrong row to this CSV file.")
    ] = None,
    lang: SaidIn = None,
):
    """Say what would be read of your own data, what is wrong with it and what to do.

    Ends with 0 when a study can run on it, 1 when something must be put right first (or a
    proposed mapping written), 2 when it cannot be read at all.
    """
    from rich.console import Console

    language = spoken(lang)
    with refusals(language):
        from crmlab.atlas.sentences import say, text_in
        from crmlab.cli.checked import tell_check
        from crmlab.data.loaders import locate
        from crmlab.data.loaders.checking import check_source, list_rows, write_proposal

        try:
            check = check_source(locate(path))
        except FileNotFoundError:
            raise ValueError(say("check_gone", path=path, here=Path.cwd())) from None
        console = Console(highlight=False, markup=False)

        def tell(key, **values):
            console.print("\n" + text_in(say(key, **values), language), soft_wrap=True)

        for line in tell_check(check):
            console.print(text_in(line, language), soft_wrap=True)
        has_draft = write and check.proposal is not None
        written = write_proposal(check, language) if has_draft else None
        if written:
            tell("check_written", path=written)
        if rows is not None:
            from crmlab.data.export import guard_cells

            table = list_rows(check, language)
            guard_cells(table).to_csv(rows, index=False, encoding="utf-8-sig")
            tell("check_rows_written", n=len(table), path=rows)
    n = len(check.reading.problems)
    if n:
        tell("check_kinds" if n > 1 else "check_one_kind", n=n)
    elif check.needs_mapping and not written:
        tell("check_needs_mapping")
    else:
        tell("check_ready", path=_as_a_study_names_it(path))
    raise typer.Exit(1 if n or (check.needs_mapping and not written) else 0)


def _as_a_study_names_it(path):
    """Return data as a study of the project around this folder names it; elsewhere, in full."""
    if "://" in path:
        return path
    from crmlab.study.configuration import StudyError, find_root

    found = Path(path).expanduser().resolve()
    try:
        root = find_root(Path.cwd())
    except StudyError:  # no project here
        return str(found)
    if not found.is_relative_to(root.parent):
        return str(found)
    return Path(os.path.relpath(found, root / "studies")).as_posix()


def _facts(card, dataset, lang):
    """Yield what is known of a data set as a whole, a word and a fact each."""
    words = CARD_WORDS[lang]
    prepared = card.prepared[lang] if card.prepared else ""
    citation = f"{card.citation} doi:{card.doi}" if card.doi else card.citation
    facts = (card.licence[lang], card.origin[lang], citation, prepared)
    yield from ((word, fact) for word, fact in zip(words["facts"], facts, strict=True) if fact)
    first = dataset.observed_from if dataset else card.observed_from
    last = dataset.observed_to if dataset else card.observed_to
    if first is not None and last is not None:
        days = (f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}")
        yield words["window"], words["window_text"].format(*days)
    yield words["currency"], card.currency or words["unstated"]
    yield words["zone"], card.time_zone or words["unstated"]
    yield words["units"], words["units_text"]


def _print_table(console, name, row, frame, own, lang):
    from rich.table import Table

    from crmlab.atlas import term
    from crmlab.data.tables import describe_table

    words = CARD_WORDS[lang.value]
    n_rows = "" if frame is None else words["rows"].format(len(frame))
    console.print(f"\n[bold]{name}[/]  {row}  [dim]{n_rows}[/]")
    columns = Table(box=None)
    for word in words["columns"]:
        # Folded, for Chinese has no blanks to break a line at; a column's name stays whole.
        columns.add_column(word, overflow="fold", no_wrap=word == words["columns"][0])
    for column in describe_table(name).itertuples():
        # Of a data set at hand, the columns it has; of another, those it may have.
        if frame is None or column.column in frame:
            meaning = column.meaning_zh if lang is Language.zh else column.meaning_en
            unit = term(column.unit).text(lang) if column.unit else ""
            columns.add_row(column.column, meaning, unit, str(column.range or ""))
    for column, about in own.items():
        unit = term(about["unit"]).text(lang) if "unit" in about else ""
        columns.add_row(column, about[lang], unit, "")
    console.print(columns)
    if frame is not None and name == "orders":
        console.print(f"   {words['returns'].format(int((frame['amount'] < 0).sum()))}")
    if frame is not None and name == "items":
        for item in frame.itertuples():
            text = item.text_zh if lang is Language.zh else item.text_en
            console.print(f"   [dim]{item.item}[/] {text}", soft_wrap=True)


def _print_counts(console, counts, title, nothing, lang):
    """Print what was left out or repaired, and how often."""
    from rich.table import Table

    if counts.empty:
        console.print(f"\n[bold]{title}[/]  {nothing}")
        return
    console.print(f"\n[bold]{title}[/]")
    table = Table(*CARD_WORDS[lang.value]["counts"], box=None)
    for row in counts.itertuples():
        reason = row.reason_zh if lang is Language.zh else row.reason
        table.add_row(row.table, reason, f"{row.n_rows:,}")
    console.print(table)
