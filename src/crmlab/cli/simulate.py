"""`crmlab data simulate`: a population of one's own, from a preset and a seed."""

from pathlib import Path
from typing import Annotated

import typer

from crmlab.cli.arguments import Language, refusals, spoken, tell

__all__ = ["simulate"]


def simulate(
    folder: Annotated[
        Path | None, typer.Argument(help="New folder for the tables.", show_default=False)
    ] = None,
    preset: Annotated[
        str, typer.Option(help="retail (as the bundled sample), bank, telecom or b2b.")
    ] = "retail",
    customers: Annotated[int, typer.Option(help="Customers of the population.")] = 2000,
    seed: Annotated[int, typer.Option(help="Seed: the same gives the same tables.")] = 1,
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter", "-p", metavar="NAME=VALUE", help="Change one parameter of the preset."
        ),
    ] = None,
    observed_from: Annotated[str, typer.Option("--from", help="First day observed.")] = (
        "2024-01-01"
    ),
    observed_to: Annotated[str, typer.Option("--to", help="Last day observed.")] = "2025-12-31",
    explain: Annotated[
        bool, typer.Option("--explain", help="List the parameters and stop.")
    ] = False,
    lang: Annotated[
        Language | None, typer.Option("--lang", help="Language of all that is said.")
    ] = None,
):
    """Simulate a population of customers, with its truth, as Parquet files in a folder."""
    language = spoken(lang)
    with refusals(language):
        from crmlab.atlas.sentences import say

        if explain:
            _explain(language)
            return
        if folder is None:
            raise ValueError(say("cli_new_folder"))
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ValueError(say("cli_folder_there", folder=folder))
        from dataclasses import replace

        from crmlab.data import simulate as simulator

        changes = dict(_read_change(text) for text in parameters or [])
        paths = simulator.write_sample(
            folder,
            customers,
            seed=seed,
            observed_from=observed_from,
            observed_to=observed_to,
            parameters=replace(simulator.preset(preset), **changes),
        )
        _show_files(paths, language)
        tell(language, "cli_in_study", folder=folder.resolve())


def _read_change(text):
    from crmlab.atlas.sentences import say
    from crmlab.data.simulate.presets import read_value

    name, separator, value = text.partition("=")
    if not separator:
        raise ValueError(say("cli_change", text=text))
    return name.strip(), read_value(name.strip(), value.strip())


def _show_files(paths, language):
    import pyarrow.parquet

    from crmlab.atlas.sentences import say, text_in

    for name, path in paths.items():
        rows = ""
        if path.suffix == ".parquet":
            n_rows = pyarrow.parquet.read_metadata(path).num_rows
            rows = text_in(say("cli_rows", n=n_rows), language)
        size = text_in(say("cli_bytes", n=path.stat().st_size), language)
        typer.echo(f"{name:<10} {rows:>16}  {size:>19}  {path}")


def _explain(language):
    from crmlab.data.simulate import PRESETS, describe_parameters

    for row in describe_parameters().to_dict("records"):
        values = "  ".join(f"{name} {_say(row[name])}" for name in PRESETS)
        typer.echo(f"{row['parameter']}  {row['range']}".rstrip())
        typer.echo(f"    {row[f'meaning_{language}']}\n    {values}")


def _say(value):
    if isinstance(value, tuple):
        return "|".join(value)
    return f"{value:g}" if isinstance(value, (int, float)) else "…"
