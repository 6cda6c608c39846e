"""`crmlab new`, `lab` and `doctor`: the project folder, made, opened and examined."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from crmlab.cli.arguments import Language, refusals, spoken, tell

__all__ = ["doctor", "lab", "new"]

FIRST_PAGE = "/lab/tree/notebooks"


def new(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder that is not there yet, or is empty.")
    ],
    lang: Annotated[
        Language, typer.Option("--lang", help="Language of notebooks, studies and README.")
    ] = Language.en,
):
    """Make a folder to work in: the notebooks in one language, the studies, the sample.

    It needs nothing but the installed package. A folder that holds something is left alone.
    """
    with refusals(lang.value):
        from crmlab.study.languages import LANGUAGE_NAMES
        from crmlab.study.project import create_project

        made = create_project(folder, language=lang.value)
    n_notebooks = len(list((made / "notebooks").glob("*.ipynb")))
    n_studies = len(list((made / "studies").glob("*.yaml")))
    counts = {"n_notebooks": n_notebooks, "n_studies": n_studies}
    tell(lang.value, "cli_made", folder=made, language=LANGUAGE_NAMES[lang.value], **counts)
    if made != Path.cwd():
        typer.echo(f"  cd {_quoted(folder)}")
    tell(lang.value, "cli_next_run")
    tell(lang.value, "cli_next_lab")


def lab(
    lang: Annotated[
        Language | None,
        typer.Option("--lang", help="Open the notebooks in this language alone."),
    ] = None,
):
    """Open JupyterLab on the notebooks.

    Where the notebooks hold both languages, --lang opens a copy of the project in one: the folder
    lab-en or lab-zh inside it. What you change there stays there, and `crmlab run` in it runs it.
    The copy follows the project's own notebooks each time it is opened, except in what you have
    changed: such a file is kept, and you are told when the project's has changed too.
    """
    with refusals(spoken(lang)):
        from crmlab.study.configuration import find_root

        root = find_root(Path.cwd())
        if lang is not None:
            root = _in_language(root, lang.value)
    command = [sys.executable, "-m", "jupyterlab", "--ip=127.0.0.1"]
    command += [f"--ServerApp.root_dir={root}", f"--LabApp.default_url={FIRST_PAGE}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # as in a container; it listens on this machine alone
    # The kernel `python3` is to be this interpreter's own, not one of the user's elsewhere.
    environment = os.environ | {"JUPYTER_PREFER_ENV_PATH": "1"}
    with subprocess.Popen(command, env=environment) as process:  # noqa: S603 - our own words
        while process.poll() is None:
            # A Ctrl-C reaches JupyterLab as well, which asks whether it is meant.
            with suppress(KeyboardInterrupt):
                process.wait()
    raise typer.Exit(process.returncode)


def doctor(
    lang: Annotated[
        Language | None, typer.Option("--lang", help="Language of all that is said.")
    ] = None,
):
    """Say what of the environment works, and the cure for what does not."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from crmlab.atlas.sentences import say, text_in
    from crmlab.study.doctor import examine

    language = spoken(lang)
    heads = (say("cli_doctor_what"), say("cli_doctor_found"), say("cli_doctor_cure"))
    table = Table("", *(text_in(head, language) for head in heads), box=None)
    marks = {True: "[green]✓[/]", False: "[red]✗[/]", None: "[yellow]–[/]"}
    findings = examine(Path.cwd())
    for finding in findings:
        told = (finding.what, finding.found, finding.cure)
        words = [text_in(said, language) for said in told]
        table.add_row(marks[finding.holds], *map(escape, words))
    Console(highlight=False).print(table)
    raise typer.Exit(1 if any(finding.holds is False for finding in findings) else 0)


def _in_language(root, language):
    """Return the project to open: this one where it has no other language, else its copy."""
    from crmlab.study.languages import text_languages
    from crmlab.study.project import refresh_copy

    if text_languages(root) in ([], [language]):
        return root
    copy = refresh_copy(root, language)
    tell(language, "cli_copy_opened", folder=copy.folder)
    for name in copy.kept:
        tell(language, "cli_copy_kept", name=name)
    return copy.folder


def _quoted(path):
    return f'"{path}"' if " " in str(path) else str(path)
