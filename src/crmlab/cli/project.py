"""`crmlab lab` and `crmlab doctor`: the project folder, opened and examined."""

import os
import subprocess
import sys
from pathlib import Path

import typer

from crmlab.cli.arguments import refusals

__all__ = ["doctor", "lab"]


def lab():
    """Open JupyterLab on the notebooks."""
    with refusals():
        from crmlab.study.configuration import find_root

        folder = find_root(Path.cwd()) / "notebooks"
    command = [sys.executable, "-m", "jupyterlab", "--ip=127.0.0.1", f"--notebook-dir={folder}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # as in a container; it listens on this machine alone
    raise typer.Exit(subprocess.call(command))  # noqa: S603 - our own words


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
