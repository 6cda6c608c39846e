import json

import pandas as pd
import pytest

from crmlab.study.artefacts import CONTEXT_VARIABLE, OpenStudy, RunContext, open_study


@pytest.fixture
def context(project):
    return RunContext(
        root=str(project),
        data=str(project / "shop"),
        language="en",
        seed=1,
        report=str(project / "reports" / "shop"),
        output=str(project / "reports" / "shop" / ".work" / "20_count"),
        command="crmlab run studies/shop.yaml",
    )


@pytest.fixture
def study(context):
    return OpenStudy("20_count", context)


def finish(study):
    study.save("counts", pd.DataFrame({"customer_id": ["a", "b"], "n": [2, 1]}))


def published(context, name="20_count"):
    with open(f"{context.output}/results/{name}.json", encoding="utf-8") as file:
        return json.load(file)


def test_table_of_the_data_set_is_loaded(study):
    assert study.load("orders")["amount"].tolist() == [10, 20, 5]


def test_changing_a_loaded_table_leaves_the_data_set_as_it_was(study):
    orders = study.load("orders")
    orders.loc[:, "amount"] = 0.0
    assert study.load("orders")["amount"].sum() == 35


def test_saved_artefact_is_loaded_back_by_the_notebook_that_needs_it(study, context):
    finish(study)
    assert OpenStudy("30_share", context).load("counts")["n"].tolist() == [2, 1]


def test_published_numbers_are_loaded_by_the_notebooks_name(study, context):
    finish(study)
    study.publish(results={"n_customers": 2})
    assert OpenStudy("30_share", context).load("20_count") == {"n_customers": 2}


def test_result_is_published_with_its_unit_and_the_finding_in_both_languages(study, context):
    finish(study)
    shown = study.say(en="two customers", zh="两位客户")
    study.publish(results={"n_customers": 2})
    document = published(context)
    assert "two customers" in shown.data
    assert document["results"] == {"n_customers": {"value": 2, "unit": "customers"}}
    assert document["finding"] == {"en": "two customers", "zh": "两位客户"}


def test_reader_is_told_in_the_language_of_the_study_and_nothing_is_published_of_it(study, context):
    assert study.tell(en="no survey", zh="没有调查").data == "no survey"
    study.language = "zh"
    assert study.tell(en="no survey", zh="没有调查").data == "没有调查"
    finish(study)
    study.publish(results={"n_customers": 2})
    assert "finding" not in published(context) or not published(context)["finding"]


def test_equal_figures_are_equal_bytes(study, context):
    import matplotlib.pyplot as plt

    from crmlab.atlas import load_terms
    from crmlab.plots import set_style

    set_style("zh")
    name = next(term.key for term in load_terms().values() if term.kind == "figure")
    finish(study)
    seen = set()
    for _ in range(2):
        figure, ax = plt.subplots()
        ax.plot([1, 2], label="客户")
        ax.legend()
        study.publish(results={}, figures={name: figure})
        plt.close(figure)
        folder = f"{context.output}/figures/20_count"
        seen.add(tuple(open(f"{folder}/{name}.{s}", "rb").read() for s in ("svg", "png")))  # noqa: SIM115
    set_style("en")
    assert len(seen) == 1


def test_missing_artefact_names_its_maker_and_the_command(context):
    with pytest.raises(ValueError, match="'counts' is made by the notebook 20_count") as error:
        OpenStudy("30_share", context).load("counts")
    assert "crmlab run studies/shop.yaml --until 20_count" in str(error.value)


def test_missing_table_names_the_tables_there_are(context):
    with pytest.raises(ValueError, match="no table 'survey'; it has: orders"):
        OpenStudy("40_ask", context).load("survey")


def test_undeclared_name_is_refused(study):
    with pytest.raises(ValueError, match="20_count uses 'survey' without declaring it"):
        study.load("survey")


def test_artefact_not_promised_is_refused(study):
    with pytest.raises(ValueError, match="does not promise 'count'; did you mean 'counts'"):
        study.save("count", pd.DataFrame())


def test_promised_artefact_not_saved_is_refused(study):
    with pytest.raises(ValueError, match="20_count promises counts and did not save it"):
        study.publish(results={})


def test_index_that_would_be_lost_is_refused(study):
    with pytest.raises(ValueError, match=r"counts has an index.*reset_index"):
        study.save("counts", pd.DataFrame({"n": [1]}, index=["a"]))


@pytest.mark.parametrize("value", [float("inf"), "2", True, None])
def test_number_that_is_not_finite_is_refused(study, value):
    finish(study)
    with pytest.raises(ValueError, match=r"result 'n_customers' is .*; publish finite numbers"):
        study.publish(results={"n_customers": value})


def test_result_not_defined_for_the_data_is_named_and_has_no_number(study, context):
    finish(study)
    study.publish(results={"n_customers": float("nan")})
    document = published(context)
    assert document["results"] == {}
    assert document["undefined"] == ["n_customers"]


def test_headline_names_results_that_are_there(study, context):
    finish(study)
    study.publish(results={"n_customers": 2}, headline=["n_customers", "gini"])
    assert published(context)["headline"] == ["n_customers"]


def test_result_without_a_term_is_refused_with_the_nearest(study):
    finish(study)
    with pytest.raises(KeyError, match="no term 'n_custmers' in the atlas; did you mean"):
        study.publish(results={"n_custmers": 1})


def test_notebook_that_does_not_exist_is_refused(context):
    with pytest.raises(ValueError, match="no notebook '20_cuont'; did you mean '20_count'"):
        OpenStudy("20_cuont", context)


def test_random_numbers_depend_on_seed_and_notebook_alone(study, context):
    assert study.rng.random() == study.rng.random()
    assert study.rng.random() != OpenStudy("30_share", context).rng.random()


def test_context_reaches_a_notebook_through_the_environment(context, monkeypatch):
    monkeypatch.setenv(CONTEXT_VARIABLE, context.to_json())
    assert open_study("20_count").load("orders").shape[0] == 3


def test_notebook_opened_alone_runs_on_the_sample_and_writes_beside_its_report(root, monkeypatch):
    monkeypatch.delenv(CONTEXT_VARIABLE, raising=False)
    monkeypatch.chdir(root / "notebooks")
    study = open_study("20_customer_value")
    assert study.dataset.name == "sample"
    assert study._context.output.endswith("sample-by-hand")
