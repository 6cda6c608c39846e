import pytest

from crmlab.study.notebooks import find_maker, plan_steps, read_notebook, read_notebooks


def order(project, tables, **options):
    steps = plan_steps(read_notebooks(project / "notebooks"), tables, **options)
    return [step.notebook.name for step in steps if step.reason is None]


def reasons(project, tables):
    steps = plan_steps(read_notebooks(project / "notebooks"), tables)
    return {step.notebook.name: step.reason["en"] for step in steps if step.reason}


def test_contract_is_read_from_metadata_and_titles_from_the_tagged_cells(project):
    notebook = read_notebook(project / "notebooks" / "20_count.ipynb")
    assert (notebook.needs, notebook.makes) == (("orders",), ("counts",))
    assert notebook.title == {"en": "Title of 20_count", "zh": "20_count 的标题"}
    assert notebook.parameters["factor"].high == 9


def test_notebook_runs_after_the_one_that_makes_what_it_needs(project, add_notebook):
    # 10_late stands first by name and needs what 20_count makes.
    add_notebook("10_late", "pass", needs=["counts"])
    names = order(project, ["orders"])
    assert names.index("20_count") < names.index("10_late")


def test_optional_artefact_orders_but_does_not_exclude(project, add_notebook):
    add_notebook("10_late", "pass", optional=["counts"])
    assert order(project, ["orders"]).index("10_late") > 0
    assert order(project, []) == ["10_late"]


def test_notebook_without_its_table_is_left_out_and_so_is_what_needs_it(project):
    assert reasons(project, []) == {
        "20_count": "the data set has no table “orders”",
        "30_share": "it needs “counts” from 20_count, which was left out",
        "40_ask": "the data set has no table “survey”",
    }


def test_wanted_notebook_brings_what_it_needs(project, add_notebook):
    add_notebook("50_other", "pass")
    assert order(project, ["orders"], wanted=["30_share"]) == ["20_count", "30_share"]


def test_maker_is_found_by_artefact_and_by_name(project):
    notebooks = read_notebooks(project / "notebooks")
    assert find_maker("counts", notebooks).name == "20_count"
    assert find_maker("20_count", notebooks).name == "20_count"
    assert find_maker("orders", notebooks) is None


def test_circle_of_needs_is_refused_and_shown(project, add_notebook):
    add_notebook("50_a", "pass", needs=["60_b"])
    add_notebook("60_b", "pass", needs=["50_a"])
    with pytest.raises(ValueError, match=r"need each other: .*50_a.*60_b"):
        order(project, [])


def test_need_that_nobody_makes_is_refused_with_the_nearest_name(project, add_notebook):
    add_notebook("50_a", "pass", needs=["count"])
    with pytest.raises(ValueError, match=r"50_a needs 'count'.*did you mean 'counts'"):
        read_notebooks(project / "notebooks")


def test_two_makers_of_one_artefact_are_refused(project, add_notebook):
    add_notebook("50_a", "pass", makes=["counts"])
    with pytest.raises(ValueError, match="50_a makes 'counts', but so does 20_count"):
        read_notebooks(project / "notebooks")


def test_unknown_key_in_the_contract_is_refused(project, add_notebook):
    path = add_notebook("50_a", "pass")
    path.write_text(path.read_text("utf-8").replace('"makes"', '"make"'), "utf-8")
    with pytest.raises(ValueError, match="unknown key 'make' in the crmlab metadata; did you mean"):
        read_notebooks(project / "notebooks")


def test_file_that_is_no_notebook_is_refused(project):
    (project / "notebooks" / "50_a.ipynb").write_text("not json", "utf-8")
    with pytest.raises(ValueError, match=r"50_a.ipynb is not a Jupyter notebook"):
        read_notebooks(project / "notebooks")
