"""The command line: `crmlab new`, `run`, `report`, `verify`, `compare`, `sweep` and others.

Heavy libraries are imported inside the commands, so that `crmlab --help` answers at once.
"""

from typing import Annotated

import typer

from crmlab.cli import data, project, runs
from crmlab.cli.atlas import atlas
from crmlab.cli.report import report
from crmlab.cli.run import run

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A Jupyter laboratory for studying customer relationship management.",
)
app.command()(project.new)
app.command()(run)
app.command()(report)
app.command()(runs.verify)
app.command()(runs.compare)
app.command()(runs.sweep)
app.add_typer(data.app, name="data")
app.command()(atlas)
app.command()(project.lab)
app.command()(project.doctor)


@app.callback(invoke_without_command=True)
def main(
    version: Annotated[bool, typer.Option("--version", help="Show the version and stop.")] = False,
):
    """Say the version when asked; otherwise hand over to the command."""
    if version:
        from crmlab import __version__

        typer.echo(__version__)
        raise typer.Exit
