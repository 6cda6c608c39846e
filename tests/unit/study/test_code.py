from crmlab.study.code import hash_code


def test_imports_are_followed_into_functions_and_through_packages():
    found = hash_code("from crmlab.study import open_study")
    assert {"crmlab/study/artefacts.py", "crmlab/data/catalog.py", "crmlab/atlas/terms.py"} <= set(
        found
    )
    assert "crmlab/study/runner.py" not in found
    assert not any(name.startswith("crmlab/plots") for name in found)


def test_tables_beside_a_module_and_modules_named_when_it_runs_are_counted():
    found = hash_code("from crmlab.data import load_dataset")
    assert {"crmlab/data/tables.csv", "crmlab/data/cards/cdnow.yaml"} <= set(found)
    assert "crmlab/data/adapters/online_retail.py" in found


def test_module_beside_the_notebook_is_counted_and_its_change_seen(tmp_path):
    helper = tmp_path / "helper.py"
    helper.write_text("import other\n", "utf-8")
    (tmp_path / "other.py").write_text("n = 1\n", "utf-8")
    before = hash_code("import helper", tmp_path)
    assert list(before) == ["./helper.py", "./other.py"]
    (tmp_path / "other.py").write_text("n = 22\n", "utf-8")
    after = hash_code("import helper", tmp_path, known=before)
    assert after["./helper.py"] == before["./helper.py"]
    assert after["./other.py"] != before["./other.py"]


def test_known_answer_holds_without_parsing_as_long_as_no_file_changed(tmp_path, monkeypatch):
    (tmp_path / "helper.py").write_text("n = 1\n", "utf-8")
    before = hash_code("import helper", tmp_path)
    monkeypatch.setattr("ast.parse", None)
    assert hash_code("import helper", tmp_path, known=before) == before


def test_source_that_is_no_python_builds_on_nothing():
    assert hash_code("this is (not Python") == {}


def test_helper_that_has_gone_is_no_longer_known(tmp_path):
    (tmp_path / "helper.py").write_text("n = 1\n", "utf-8")
    before = hash_code("import helper", tmp_path)
    (tmp_path / "helper.py").unlink()
    assert hash_code("import helper", tmp_path, known=before) == {}
