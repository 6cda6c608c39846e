"""The plan: what a run of a study would do, settled before any kernel starts.

Who asks: the runner, and `crmlab run --explain`. The study file, what was laid over it, the data
and the notebooks' contracts come together here; the report of an earlier run says what need not
be found out again.
"""

from functools import reduce
from pathlib import Path

from crmlab.atlas.sentences import hint_near, say, told_in
from crmlab.data import fingerprint_dataset, load_dataset
from crmlab.study.cache import describe_origin, hash_notebook_code
from crmlab.study.code import hash_code
from crmlab.study.configuration import StudyError, find_study_root, load_study
from crmlab.study.manifest import describe_dataset, describe_versions, say_now
from crmlab.study.notebooks import find_maker, plan_steps, read_notebooks, with_ancestors
from crmlab.study.parameters import check_parameters, read_settings

__all__ = ["Plan"]

LOADING = "from crmlab.data import load_dataset"


class Plan:
    """What a run of a study is to do.

    Parameters
    ----------
    path : path-like
        A study file.
    language, until, only, parameters, seed
        As for `crmlab.study.runner.run_study`; `parameters` may also be texts such as
        "n_segments=5", see `crmlab.study.parameters.read_settings`.

    Attributes
    ----------
    name : str
        Of the study: its file without suffix.
    root : pathlib.Path
        The project's folder.
    asked : set of str
        The notebooks that may be run.
    steps : list of Step
        All notebooks of the study in order; known once `resolve` has been called.

    Raises
    ------
    StudyError
        With every complaint about the study and what is laid over it.
    """

    def __init__(self, path, *, language=None, until=None, only=None, parameters=None, seed=None):
        self.path = Path(path)
        self.name = self.path.stem
        self.root = find_study_root(self.path)
        self.study = load_study(self.path, language=language)
        self.notebooks = read_notebooks(self.root / "notebooks")
        self.language = language or self.study.language
        self.seed = self.study.seed if seed is None else seed
        self.overlaid = self._check_overlay(parameters or {})
        self.only = only and self._find_notebook(only)
        self.until = until and self._find_notebook(until)
        self.versions = describe_versions()
        with told_in(self.language):
            self.files = fingerprint_dataset(self.study.data, root=self.root)
        self.steps, self.asked, self.code, self.dataset = [], set(), {}, None
        self._loaded = None

    def resolve(self, earlier, *, before_loading=None):
        """Settle which tables there are, which notebooks run and in which order.

        Parameters
        ----------
        earlier : dict
            The manifest of an earlier run, or an empty one: data described there and unchanged
            since are not loaded again.
        before_loading : callable or None
            Called before the data are loaded, which takes a while.
        """
        described = earlier.get("dataset", {})
        before = described.get("made_from", {})
        origin = {
            "data": self.study.data,
            "files": self.files,
            "code": hash_code(LOADING, known=before.get("code")),
            "versions": self.versions,
            **self._engine,
        }
        if before != origin:
            if before_loading is not None:
                before_loading()
            described = describe_dataset(self.load())
        self.dataset = described | {"made_from": origin}
        tables = self.dataset["tables"]
        wanted = self.study.notebooks
        if self.until or self.only:
            # Asking for a notebook that the study leaves out adds it.
            wanted = {*(wanted or self.notebooks), self.until or self.only}
        self.steps = plan_steps(self.notebooks, tables, wanted=wanted)
        for step in self.steps:
            before = earlier.get("notebooks", {}).get(step.notebook.name, {}).get("made_from")
            self.code[step.notebook.name] = hash_notebook_code(step.notebook, before)
        self.asked = {step.notebook.name for step in self.steps}
        if self.only:
            self.asked = {self.only}
        elif self.until:
            steps = plan_steps(self.notebooks, tables, wanted=[self.until])
            self.asked = {step.notebook.name for step in steps}

    def load(self):
        """Return the data set, loaded and checked once."""
        if self._loaded is None:
            engine = {"engine": self.study.engine, "master": self.study.master}
            with told_in(self.language):
                self._loaded = load_dataset(self.study.data, root=self.root, **engine)
        return self._loaded

    def makers(self, name, *, without=()):
        """Return the notebooks of the plan whose outputs a notebook uses, in order.

        `without` names artefacts that are left out of account.
        """
        notebook = self.notebooks[name]
        uses = [use for use in notebook.needs + notebook.optional if use not in without]
        makers = {m.name for use in uses if (m := find_maker(use, self.notebooks))}
        return [step.notebook.name for step in self.steps if step.notebook.name in makers]

    def is_needed(self, name):
        """Return whether the one notebook asked for by `only` cannot do without another."""
        return name != self.only and name in with_ancestors(self.notebooks, [self.only])

    def depth(self, name):
        """Return how many notebooks at most have to wait for this one, one after another."""
        users = [s.notebook.name for s in self.steps if name in self.makers(s.notebook.name)]
        return 1 + max((self.depth(user) for user in users), default=-1)

    def parameters(self, name):
        """Return every parameter of a notebook with its value in this run."""
        given = self.given_parameters(name)
        declared = self.notebooks[name].parameters
        return {key: given.get(key, parameter.default) for key, parameter in declared.items()}

    def given_parameters(self, name):
        """Return the parameters of a notebook that the study or the caller sets."""
        return self.study.parameters.get(name, {}) | self.overlaid.get(name, {})

    def origin(self, name, outputs):
        """Return all that a notebook's outputs depend on; see `describe_origin`."""
        run = {
            "language": self.language,
            "seed": self.seed,
            "data": self.files,
            "versions": self.versions,
            **self._engine,
        }
        return describe_origin(
            self.notebooks[name],
            self.notebooks,
            run=run,
            parameters=self.parameters(name),
            outputs=outputs,
            root=self.root,
            code=self.code[name],
        )

    def new_manifest(self):
        """Return the manifest of this run, with no notebook in it yet."""
        return {
            "study": {
                "name": self.name,
                "file": self.path.name,
                "title": self.study.title.model_dump(),
                "question": self.study.question and self.study.question.model_dump(),
                "language": self.language,
                "seed": self.seed,
                "data": self.dataset["name"],
                "parameters": self.overlaid,
            },
            "dataset": self.dataset,
            "versions": self.versions,
            "notebooks": {},
            "started": say_now(),
            "finished": None,
        }

    def new_entry(self, step):
        """Return a notebook's entry of the manifest, as long as it has not run."""
        notebook = step.notebook
        return {
            "state": "left out" if step.reason else "not reached",
            "reason": step.reason,
            "title": notebook.title,
            "parameters": self.parameters(notebook.name),
            "needs": list(notebook.needs),
            "makes": list(notebook.makes),
            "sha256": notebook.sha256,
            "seconds": None,
            "outputs": {},
            "made_from": None,
        }

    @property
    def _engine(self):
        """The engine where the study names one; which machine is its master changes no result."""
        return {"engine": self.study.engine} if self.study.engine else {}

    def _find_notebook(self, text):
        found = next((name for name in self.notebooks if text in (name, name[:2])), None)
        if found is None:
            there = tuple(self.notebooks)
            raise StudyError(say("no_notebook_among", name=repr(text), there=there))
        return found

    def _check_overlay(self, parameters):
        if not isinstance(parameters, dict):
            declared = {name: notebook.parameters for name, notebook in self.notebooks.items()}
            parameters = read_settings(parameters, declared)
        checked, complaints = {}, []
        for name, values in parameters.items():
            if name not in self.notebooks:
                hint = hint_near(name, self.notebooks)
                complaints.append(say("overlay_notebook", name=name, hint=hint))
                continue
            checked[name], refused = check_parameters(values, self.notebooks[name].parameters)
            complaints += [
                say("placed", place=f"{name}.{parameter}", said=said) for parameter, said in refused
            ]
        if complaints:
            raise StudyError(reduce(lambda a, b: say("and_line", said=a, note=b), complaints))
        return checked
