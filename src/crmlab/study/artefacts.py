"""Artefacts: how a notebook receives what it needs and hands on what it makes.

Everything a notebook leaves behind goes through here: tables as Parquet, numbers as JSON,
figures as SVG and PNG. The report, later notebooks and tests read those files; nobody parses
the outputs of cells.
"""

import json
import math
import os
import pickle
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from crmlab.atlas import LANGUAGES, nearest, term
from crmlab.drawing import draw_figure
from crmlab.study.notebooks import find_maker, read_notebooks

__all__ = ["OpenStudy", "RunContext", "open_study", "write_whole"]

CONTEXT_VARIABLE = "CRMLAB_RUN"
LEFT_OUT = "left_out.json"  # where a notebook that is left out says why


@dataclass(frozen=True)
class RunContext:
    """What a notebook must know of the run it belongs to; travels as JSON in the environment."""

    root: str
    data: str
    language: str
    seed: int
    report: str
    output: str
    command: str
    dataset: str = ""  # a file of the data set as the run has loaded and checked it
    handed: str = ""  # a folder of what notebooks that still run have saved
    engine: str | None = None
    master: str | None = None
    n_threads: int = 1  # of Polars

    def to_json(self):
        """Return the context as a JSON text."""
        return json.dumps(asdict(self))

    @classmethod
    def by_hand(cls, start):
        """Return the context of a notebook opened alone: the sample study, its own output folder.

        What is written by hand goes beside the sample's report, so that the report's manifest
        stays true.
        """
        from crmlab.study.configuration import find_root, load_study

        root = find_root(start)
        study = load_study(root / "studies" / "sample.yaml")
        return cls(
            root=str(root),
            data=study.data,
            language=study.language,
            seed=study.seed,
            report=str(root / "reports" / "sample"),
            output=str(root / "reports" / "sample-by-hand"),
            command="crmlab run",
            engine=study.engine,
            master=study.master,
        )


def open_study(notebook):
    """Open the study that a notebook belongs to.

    Inside a run this is the run's study; alone, in JupyterLab, it is the bundled sample.

    Parameters
    ----------
    notebook : str
        The notebook's own name, such as "20_customer_value".

    Returns
    -------
    OpenStudy

    Raises
    ------
    ValueError
        If there is no such notebook; the message names the nearest.
    """
    text = os.environ.get(CONTEXT_VARIABLE)
    context = RunContext(**json.loads(text)) if text else RunContext.by_hand(Path.cwd())
    return OpenStudy(notebook, context)


class LeftOutError(Exception):
    """The data do not allow what the notebook does; a run leaves the notebook out and says why."""


class OpenStudy:
    """A study as one notebook sees it: what it may load, and where it publishes.

    Attributes
    ----------
    language : {"en", "zh"}
        Language of figures and of the sentence said aloud.
    seed : int
        Seed of the study.
    """

    def __init__(self, notebook, context):
        self._context = context
        self._notebooks = read_notebooks(Path(context.root) / "notebooks")
        if notebook not in self._notebooks:
            raise ValueError(f"no notebook {notebook!r}{nearest(notebook, self._notebooks)}")
        self._notebook = self._notebooks[notebook]
        self._finding = None
        self.language = context.language
        self.seed = context.seed

    @property
    def root(self):
        """The project's folder."""
        return Path(self._context.root)

    @cached_property
    def dataset(self):
        """The data set of the study, its tables checked."""
        if self._context.dataset:
            # Written by this very run, which deletes it at its end: nobody else's pickle is read.
            return pickle.loads(Path(self._context.dataset).read_bytes())  # noqa: S301
        from crmlab.data import load_dataset

        engine = {"engine": self._context.engine, "master": self._context.master}
        return load_dataset(self._context.data, root=self.root, **engine)

    @property
    def rng(self):
        """A new random generator of the study's seed and the notebook's name."""
        import numpy as np

        return np.random.default_rng([self.seed, *self._notebook.name.encode()])

    def has(self, name):
        """Return whether a table, an artefact or a notebook's results can be loaded."""
        self._declared(name)
        return self._path(name) is not None or name in self.dataset.n_rows

    def load(self, name):
        """Return a table of the data set, an artefact, or another notebook's numbers.

        Parameters
        ----------
        name : str
            Such as "orders" (table), "rfm" (artefact) or "20_customer_value" (its numbers).
            It must stand in this notebook's contract.

        Returns
        -------
        pandas.DataFrame, or dict of str to float for a notebook's numbers

        Raises
        ------
        ValueError
            If the contract does not name it, or it is not there; the message says which
            notebook makes it and the command that runs it.
        """
        self._declared(name)
        path = self._path(name)
        if path is None:
            if name in self.dataset.tables:
                return self.dataset.tables[name].copy(deep=False)
            if name in self.dataset.scanned:
                return self.dataset.scanned[name].load()
            raise ValueError(self._how_to_get(name))
        if path.suffix == ".json":
            published = json.loads(path.read_text(encoding="utf-8"))["results"]
            return {key: result["value"] for key, result in published.items()}
        import pandas as pd

        return pd.read_parquet(path)

    def scan(self, name):
        """Return a table of the data set for the readers that take a table of any engine.

        Parameters
        ----------
        name : str
            Such as "orders". It must stand in this notebook's contract.

        Returns
        -------
        pandas.DataFrame
            Where the study names an engine, or the table's file is large: in its place a table of
            that engine, opened and not read (see `crmlab.data.engines.scan_table`). `load` would
            bring all of it into memory.

        Raises
        ------
        ValueError
            As `load`.
        """
        self._declared(name)
        if name not in self.dataset.scanned:
            return self.load(name)
        return self.dataset.scan(name)

    def save(self, name, frame):
        """Hand an artefact on to later notebooks, as `tables/<name>.parquet`.

        Parameters
        ----------
        name : str
            A name in this notebook's `makes`.
        frame : pandas.DataFrame
            With a plain row number as index: an index would be lost on the way.

        Raises
        ------
        ValueError
            If the contract does not promise the name, the frame carries an index, or a run's
            notebook saves the same name twice.
        """
        import pandas as pd

        makes = self._notebook.makes
        if name not in makes:
            raise ValueError(
                f"{self._notebook.name} does not promise {name!r}{nearest(name, makes)}; "
                f"its contract makes: {', '.join(makes) or 'nothing'}"
            )
        if not isinstance(frame.index, pd.RangeIndex):
            raise ValueError(f"{name} has an index, which Parquet drops here: call reset_index()")
        path = self._output("tables", f"{name}.parquet")
        if self._context.handed and path.exists():
            raise ValueError(
                f"{name} has been saved before in this run, and later notebooks may have read it: "
                "save it once, when it is complete"
            )
        write_whole(path, lambda p: frame.to_parquet(p, index=False))

    def show(self, frame, *, unit=None, differences=()):
        """Show a table in the study's language.

        Parameters
        ----------
        frame : pandas.DataFrame or pandas.Series
            Columns, index and levels under names of the terms table.
        unit, differences
            As for `crmlab.study.shown_tables.show`.

        Returns
        -------
        crmlab.study.shown_tables.ShownTable
        """
        from crmlab.study.shown_tables import show

        return show(self, frame, unit=unit, differences=differences)

    def say(self, *, en, zh):
        """Say the finding aloud: one sentence a manager could repeat, in the study's language.

        Parameters
        ----------
        en, zh : str
            The same sentence in both languages, its numbers computed by this run.

        Returns
        -------
        IPython.display.Markdown
        """
        from IPython.display import Markdown

        self._finding = {"en": en, "zh": zh}
        return Markdown(f"> **{self._finding[self.language]}**")

    def tell(self, *, en, zh):
        """Tell the reader something in the study's language, such as why no table is shown.

        Parameters
        ----------
        en, zh : str
            The same text in both languages, in Markdown.

        Returns
        -------
        IPython.display.Markdown
        """
        from IPython.display import Markdown

        return Markdown({"en": en, "zh": zh}[self.language])

    def leave_out(self, *, en, zh):
        """End the notebook here, because the data do not allow what it does.

        A run then leaves it out, with the reason in its report, and what needs it as well; that is
        no failure.

        Parameters
        ----------
        en, zh : str
            The reason in both languages, to follow "Left out:".

        Raises
        ------
        LeftOutError
            Always.
        """
        if self._context.handed:
            reason = json.dumps({"en": en, "zh": zh}, ensure_ascii=False)
            path = self._output(LEFT_OUT)
            write_whole(path, lambda p: p.write_text(reason, encoding="utf-8"))
        raise LeftOutError({"en": en, "zh": zh}[self.language])

    def publish(self, *, results, figures=None, main=None, headline=()):
        """Publish the notebook's numbers and figures; the last thing a notebook does.

        Parameters
        ----------
        results : dict of str to number
            Numbers under names of the terms table, which gives their units. NaN says that the
            measure is not defined for these data: it is named as such and has no number.
        figures : dict of str to matplotlib.figure.Figure
            Figures under names of the terms table, which gives their captions.
        main : str or None
            The figure that stands for the notebook on the report's front page. Where the data
            did not allow it, and without a name, the first figure does.
        headline : iterable of str
            The results that the front page shows, in order; without any, the first ones.

        Raises
        ------
        ValueError
            If a promised artefact was not saved, a name has no term, or a number is infinite.
        """
        figures = figures or {}
        missing = [
            n for n in self._notebook.makes if not self._output("tables", f"{n}.parquet").exists()
        ]
        if missing:
            raise ValueError(
                f"{self._notebook.name} promises {', '.join(missing)} and did not save it: "
                f"call study.save({missing[0]!r}, ...) before publish, or change the contract"
            )
        undefined = [name for name, value in results.items() if value != value]  # NaN alone
        defined = {name: value for name, value in results.items() if name not in undefined}
        numbers = {name: _as_result(name, value) for name, value in defined.items()}
        for name in (*undefined, *headline):
            _check_term(name, "result")
        for name in figures if main is None else {main, *figures}:
            _check_term(name, "figure")
        for name, figure in figures.items():
            self._draw(name, figure)
        document = {
            "notebook": self._notebook.name,
            "finding": self._finding,
            "results": numbers,
            "undefined": undefined,
            "headline": [name for name in headline if name in numbers],
            "figures": list(figures),
            "main_figure": main if main in figures else next(iter(figures), None),
        }
        text = json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
        path = self._output("results", f"{self._notebook.name}.json")
        write_whole(path, lambda p: p.write_text(text, encoding="utf-8", newline="\n"))

    def _draw(self, name, figure):
        for suffix, drawn in draw_figure(figure, ["svg", "png"]).items():
            path = self._output("figures", self._notebook.name, f"{name}.{suffix}")
            write_whole(path, lambda p, data=drawn: p.write_bytes(data))

    def _declared(self, name):
        notebook = self._notebook
        known = notebook.needs + notebook.optional + notebook.makes
        if name not in known:
            raise ValueError(
                f"{notebook.name} uses {name!r} without declaring it{nearest(name, known)}; add it "
                "to needs or optional in the notebook's metadata, so that it is run in order"
            )

    def _path(self, name):
        parts = (
            ("results", f"{name}.json")
            if name in self._notebooks
            else ("tables", f"{name}.parquet")
        )
        if find_maker(name, self._notebooks) is None:
            return None
        for folder in (self._context.output, self._context.handed, self._context.report):
            path = Path(folder, *parts)
            if path.exists():
                return path
        return None

    def _how_to_get(self, name):
        maker = find_maker(name, self._notebooks)
        if maker is None:
            has = ", ".join(self.dataset.n_rows)
            return f"the data set {self.dataset.name!r} has no table {name!r}; it has: {has}"
        return (
            f"{name!r} is made by the notebook {maker.name}, which has not run: "
            f"run `{self._context.command} --until {maker.name}` and try again"
        )

    def _output(self, *parts):
        return Path(self._context.output, *parts)


def _check_term(name, kind):
    entry = term(name)
    if entry.kind != kind:
        raise ValueError(f"{name!r} is a {entry.kind} in the terms table, not a {kind}")
    if not all(entry.text(language) for language in LANGUAGES):
        raise ValueError(f"{name!r} lacks a text in one of the languages {', '.join(LANGUAGES)}")
    return entry


def _as_result(name, value):
    entry = _check_term(name, "result")
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"result {name!r} is {value!r}; publish finite numbers only")
    return {"value": value, "unit": entry.unit}


def write_whole(path, write):
    """Write a file whole or not at all: beside its place first, then renamed into it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
