"""The page of a sweep: which numbers moved, how far and with what, in the report's design."""

import json

from crmlab.drawing import draw_figure
from crmlab.study.artefacts import write_whole
from crmlab.study.sweep_table import choose_results, measure_ranges
from crmlab.study.wording import (
    NO_BREAK,
    load_words,
    name_term,
    say_duration,
    say_number,
    text_in,
)

__all__ = ["say_ranges", "write_sweep"]

FLOAT_SHARE = ("float", "share")


def write_sweep(sweep, table, *, draw, language, names=()):
    """Write a sweep's figures and its page, `index.html`.

    Parameters
    ----------
    sweep : crmlab.study.sweep.Sweep
    table : pandas.DataFrame
        Result of `crmlab.study.sweep_table.gather_numbers`.
    draw : callable
        `crmlab.plots.sweep.draw_sweep`.
    language : {"en", "zh"}
    names : iterable of str
        Results to draw; see `choose_results`.

    Returns
    -------
    pathlib.Path
        The page. Figures of an earlier page that it does not show are removed.
    """
    from crmlab.report.sheet import write_sheet

    chosen = choose_results(sweep, table, names)
    figures = [_make_figure(sweep, table, *pair, draw, language) for pair in chosen]
    _remove_others(sweep.folder / "figures", {figure["name"] for figure in figures})
    ranges = measure_ranges(table)
    is_chosen = [pair in chosen for pair in zip(ranges["notebook"], ranges["result"], strict=True)]
    page = sweep.folder / "index.html"
    write_sheet(
        page,
        "sweep.html.j2",
        language=language,
        title=text_in(sweep.plan.study.title.model_dump(), language),
        question=sweep.plan.study.question and sweep.plan.study.question.model_dump()[language],
        axes=_say_axes(sweep, language),
        n_points=len(sweep.outcomes),
        n_failed=sum(outcome.state == "failed" for outcome in sweep.outcomes.values()),
        is_interrupted=sweep.is_interrupted,
        figures=figures,
        ranges=say_ranges(sweep, ranges[is_chosen], language),
        others=say_ranges(sweep, ranges[[not chosen for chosen in is_chosen]], language),
        points=_say_points(sweep, language),
        made=_say_making(sweep, language),
    )
    return page


def say_ranges(sweep, ranges, language):
    """Return rows of chapter, number, smallest value and where, largest value and where.

    Parameters
    ----------
    sweep : crmlab.study.sweep.Sweep
    ranges : pandas.DataFrame
        Result of `measure_ranges`.
    language : {"en", "zh"}
    """
    points = {point.name: point for point in sweep.grid.points()}
    return [
        (
            row.notebook.partition("_")[0],
            name_term(row.result, language),
            _say_result(sweep, row.smallest, row.unit, language),
            _say_point(sweep, points[row.at_smallest], language),
            _say_result(sweep, row.largest, row.unit, language),
            _say_point(sweep, points[row.at_largest], language),
        )
        for row in ranges.itertuples()
    ]


def _make_figure(sweep, table, notebook, result, draw, language):
    from crmlab.report.outputs import embed_figure

    x, line, others = _assign_axes(sweep.grid)
    numbers = table[(table["notebook"] == notebook) & (table["result"] == result)]
    rows = _arrange(sweep, numbers, x, line, others, language)
    panels = dict(list(rows.groupby("panel", sort=False)))
    words = load_words(language)
    texts = {
        "x": _name_axis(x, language),
        "line": _name_axis(line, language) if line else "",
        "mean": words["sweep_mean"],
        "range": words["sweep_range"],
    }
    unit = x.parameter.unit if x.parameter else ""
    name = f"{notebook}-{result}"
    stem = sweep.folder / "figures" / name
    _save(draw(panels, result, words=texts, x_unit=unit), stem)
    source, size = embed_figure(stem)
    return {
        "name": name,
        "number": notebook.partition("_")[0],
        "caption": name_term(result, language),
        "source": source,
        "size": size,
        "heads": list(dict.fromkeys(zip(rows["panel"], rows["line"], strict=True))),
        "x": texts["x"],
        "line": texts["line"],
        "rows": _tabulate(sweep, rows, numbers["unit"].iloc[0], x, language),
    }


def _assign_axes(grid):
    """Return the axis to draw along, the one to draw lines for (or None), and the others."""
    axes = [axis for axis in grid.parameter_axes if len(axis.values) > 1]
    if not axes:
        # Only the seed varies, or one parameter has one value.
        return grid.axes[-1], None, []
    numbers = [axis for axis in axes if axis.parameter.type in ("int", "float")]
    x = (numbers or axes)[0]
    axes.remove(x)
    return x, axes[0] if axes else None, axes[1:]


def _arrange(sweep, numbers, x, line, others, language):
    """Return one row per point: where it is drawn, as the plot takes it."""
    points = {point.name: point.settings for point in sweep.grid.points()}
    settings = [points[name] for name in numbers["point"]]
    is_number = x.parameter is None or x.parameter.type in ("int", "float")
    return numbers.assign(
        x=[s[x.name] if is_number else _say_setting(x, s[x.name]) for s in settings],
        line=[_say_setting(line, s[line.name]) if line else "" for s in settings],
        panel=[_say_settings(others, s, language) for s in settings],
        seed=[0 if x.notebook is None else s.get("seed", 0) for s in settings],
    )


def _tabulate(sweep, rows, unit, x, language):
    """Return a row per value of x: what it is, then for each line the mean and the range."""
    heads = list(dict.fromkeys(zip(rows["panel"], rows["line"], strict=True)))
    table = []
    for value, group in rows.astype({"x": object}).groupby("x", sort=False):
        cells = []
        for panel, line in heads:
            part = group.loc[(group["panel"] == panel) & (group["line"] == line), "value"].dropna()
            cells.append(_say_spread(sweep, part, unit, language))
        table.append((_say_setting(x, value), cells))
    return table


def _say_spread(sweep, values, unit, language):
    if values.empty:
        return "–", ""
    low, mean, high = (
        _say_result(sweep, number, unit, language)
        for number in (values.min(), values.mean(), values.max())
    )
    return mean, "" if low == high else f"{low} … {high}"


def _save(figure, stem):
    import matplotlib.pyplot as plt

    for kind, drawn in draw_figure(figure, ["svg", "png"]).items():
        path = stem.with_name(f"{stem.name}.{kind}")
        write_whole(path, lambda draft, content=drawn: draft.write_bytes(content))
    plt.close(figure)


def _remove_others(folder, names):
    for path in folder.glob("*") if folder.is_dir() else ():
        if path.stem not in names and path.suffix in (".svg", ".png"):
            path.unlink()


def _say_axes(sweep, language):
    """Return for each axis its short name, and a line of what it is and its values."""
    colon, comma = ("：", "、") if language == "zh" else (": ", ", ")
    return [
        (
            axis.name if axis.notebook else load_words(language)["seed"],
            _name_axis(axis, language)
            + colon
            + comma.join(_say_setting(axis, value) for value in axis.values),
        )
        for axis in sweep.grid.axes
    ]


def _say_points(sweep, language):
    rows = []
    for point in sweep.grid.points():
        outcome = sweep.outcomes[point.name]
        seconds = outcome.seconds
        rows.append(
            {
                "settings": [
                    _say_setting(axis, point.settings[axis.name]) for axis in sweep.grid.axes
                ],
                "state": outcome.state,
                "error": outcome.error,
                "seconds": "" if seconds is None else say_duration(seconds, language),
                "folder": point.name,
            }
        )
    return rows


def _say_making(sweep, language):
    words = load_words(language)
    plan = sweep.plan
    study = f"{plan.name}.yaml"
    rows = [(words["compare_study"], study), (words["sweep_grid"], sweep.grid.path.name)]
    rows.append((words["data_set"], text_in(plan.dataset["title"], language)))
    if "seed" not in [axis.name for axis in sweep.grid.axes]:
        rows.append((words["seed"], plan.seed))
    rows += [("crmlab", plan.versions["crmlab"]), ("Python", plan.versions["python"])]
    return rows


def _say_result(sweep, value, unit, language):
    currency = sweep.plan.dataset["currency"]
    return say_number(value, unit, language=language, currency=currency)


def _say_point(sweep, point, language):
    return _say_settings(sweep.grid.axes, point.settings, language)


def _say_settings(axes, settings, language):
    between = "，" if language == "zh" else ", "
    return between.join(
        f"{_short_name(axis, language)} = {_say_setting(axis, settings[axis.name])}".replace(
            " ", NO_BREAK
        )
        for axis in axes
    )


def _say_setting(axis, value):
    if axis.parameter is not None and (axis.parameter.type, axis.parameter.unit) == FLOAT_SHARE:
        return f"{100 * value:g}%"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _short_name(axis, language):
    return load_words(language)["seed"].lower() if axis.notebook is None else axis.name


def _name_axis(axis, language):
    """Return what an axis is: the parameter's meaning, and the name by which it is set."""
    if axis.parameter is None:
        return load_words(language)["seed"]
    meaning = {"en": axis.parameter.en, "zh": axis.parameter.zh}[language] or axis.parameter.en
    meaning = meaning[:1].upper() + meaning[1:]
    return f"{meaning}（{axis.name}）" if language == "zh" else f"{meaning} ({axis.name})"
