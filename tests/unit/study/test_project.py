"""Folders made by `crmlab new`, and copies of a project in one language."""

import errno
import json
import re
from pathlib import Path

import pytest

from crmlab.atlas import concept_coverage
from crmlab.study.artefacts import RunContext
from crmlab.study.configuration import find_root, load_study
from crmlab.study.languages import say_missing_language, text_languages
from crmlab.study.manifest import hash_files
from crmlab.study.notebooks import read_notebooks
from crmlab.study.project import create_project, refresh_copy

OTHER = {"en": "zh", "zh": "en"}


@pytest.fixture(scope="module", params=["en", "zh"])
def made(request, tmp_path_factory):
    """A new folder in one language, whose name has a space and Chinese characters."""
    folder = tmp_path_factory.mktemp("parent") / f"我的 lab-{request.param}"
    return create_project(folder, language=request.param)


@pytest.fixture
def language(made):
    return made.name[-2:]


def cells(path):
    return json.loads(path.read_text("utf-8"))["cells"]


def source(cell):
    return "".join(cell["source"])


def tags(cell):
    return cell["metadata"].get("tags", [])


def change(path, old, new):
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_new_folder_is_a_project(made):
    assert find_root(made / "notebooks") == made


def test_no_text_of_the_other_language_is_left(made, language):
    assert text_languages(made) == [language]
    for path in (made / "notebooks").glob("*.ipynb"):
        assert not [cell for cell in cells(path) if OTHER[language] in tags(cell)]


def test_texts_of_the_language_and_code_are_those_of_the_original(made, root, language):
    def kept(path):
        return [source(c) for c in cells(path) if OTHER[language] not in tags(c)]

    for path in (made / "notebooks").glob("*.ipynb"):
        assert [source(cell) for cell in cells(path)] == kept(root / "notebooks" / path.name)


def test_contracts_are_those_of_the_original(made, root, language):
    def contract(notebook):
        n = notebook
        return n.needs, n.makes, n.optional, n.reads, n.parameters, n.code, n.title[language]

    ours, theirs = (read_notebooks(folder / "notebooks") for folder in (made, root))
    assert list(ours) == list(theirs)
    assert [*map(contract, ours.values())] == [*map(contract, theirs.values())]


def test_studies_load_in_the_language(made, root, language):
    studies = sorted((made / "studies").glob("*.yaml"))
    assert [p.name for p in studies] == sorted(p.name for p in (root / "studies").glob("*.yaml"))
    assert {load_study(path).language for path in studies} == {language}


def test_notebook_opened_by_hand_speaks_the_language(made, language):
    context = RunContext.by_hand(made / "notebooks")
    assert (context.language, context.root) == (language, str(made))


def test_sample_is_the_bundled_one(made, root):
    assert hash_files(made / "data" / "sample") == hash_files(root / "data" / "sample")


@pytest.mark.parametrize("page", ["README.md", "reports/README.md"])
def test_page_is_in_the_language_and_its_links_lead_somewhere(made, language, page):
    text = (made / page).read_text("utf-8")
    assert bool(re.search(r"[\u4e00-\u9fff]", text)) == (language == "zh")
    assert all(
        (made / page).parent.joinpath(link).exists() for link in re.findall(r"]\((.+?)\)", text)
    )


def test_reports_pages_of_both_languages_name_the_same_files(root):
    named = [
        re.sub("笔记本|名称|网格名|NOTEBOOK|NAME|GRID", "*", line.split("|")[1])
        for page in ("README.md", "README.zh.md")
        for line in (root / "reports" / page).read_text("utf-8").splitlines()
        if line.startswith("| `")
    ]
    half = len(named) // 2
    assert half > 3
    assert named[:half] == named[half:]


def test_coverage_is_that_of_the_repository_but_for_the_tests(made, root):
    here, there = concept_coverage(made), concept_coverage(root)
    assert here.rows() == there.rows()
    assert (here.has_tests, there.has_tests) == (False, True)


def test_coverage_of_a_new_folder_misses_a_section_that_was_taken_out(tmp_path):
    made = create_project(tmp_path / "crm", language="zh")
    change(made / "notebooks" / "00_start_here.ipynb", "### 数据挖掘是一个过程", "### 别的")
    broken = concept_coverage(made).broken
    assert [home.reason for home in broken]
    assert all("Data mining is a process" in home.reason for home in broken)


def test_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("two years of work")
    with pytest.raises(
        ValueError, match=r"is not empty: it holds thesis\.txt\. Nothing was changed"
    ):
        create_project(tmp_path)
    assert hash_files(tmp_path).keys() == {"thesis.txt"}


def test_file_in_the_folders_place_is_left_alone(tmp_path):
    (tmp_path / "crm").write_text("a file")
    with pytest.raises(ValueError, match="is a file; name a folder"):
        create_project(tmp_path / "crm")


def test_unknown_language_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no language 'fr'; expected one of en, zh"):
        create_project(tmp_path / "crm", language="fr")
    assert not (tmp_path / "crm").exists()


def test_empty_current_folder_is_filled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert create_project(".") == tmp_path
    assert hash_files(".") == hash_files(create_project(tmp_path.with_name("other")))


@pytest.mark.parametrize("is_there", [True, False])
@pytest.mark.parametrize("step", ["write_bytes", "rename"])
def test_folder_appears_whole_or_not_at_all(tmp_path, monkeypatch, step, is_there):
    folder = tmp_path / "crm"
    if is_there:
        folder.mkdir()
    done, act = [], getattr(Path, step)

    def fail_at_last(path, *words):
        done.append(path)
        if len(done) == (5 if step == "write_bytes" else 3 if is_there else 1):
            raise OSError(errno.ENOSPC, "No space left on device")
        return act(path, *words)

    monkeypatch.setattr(Path, step, fail_at_last)
    with pytest.raises(ValueError, match="could not be made: No space left on device"):
        create_project(folder)
    assert [*tmp_path.rglob("*")] == [folder] * is_there


def test_reader_of_a_missing_language_is_told_how_to_get_it(made, root, language):
    told = say_missing_language(made, OTHER[language])
    assert f"run `crmlab new FOLDER --lang {OTHER[language]}`" in told
    assert say_missing_language(made, language) is None
    assert say_missing_language(root, language) is None


@pytest.fixture
def copy(project):
    """The Chinese copy of the small project of three notebooks."""
    (project / "studies" / "sample.yaml").write_text("title: x\nlanguage: en\ndata: sample\n")
    return refresh_copy(project, "zh").folder


def test_copy_is_a_project_in_one_language_beside_the_notebooks(project, copy):
    assert copy == project / "lab-zh"
    assert find_root(copy / "notebooks") == copy
    assert text_languages(copy) == ["zh"]
    assert load_study(copy / "studies" / "sample.yaml").language == "zh"
    assert load_study(copy / "studies" / "shop.yaml").data == str(project / "shop")


def test_copy_opened_again_is_left_as_it_is(project, copy):
    before = hash_files(copy)
    assert refresh_copy(project, "zh").kept == ()
    assert hash_files(copy) == before


def test_copy_follows_the_project(project, copy, add_notebook):
    add_notebook("50_new", "pass")
    (project / "notebooks" / "40_ask.ipynb").unlink()
    change(project / "notebooks" / "20_count.ipynb", "factor", "coefficient")
    assert refresh_copy(project, "zh").kept == ()
    assert list(read_notebooks(copy / "notebooks")) == ["20_count", "30_share", "50_new"]
    assert "coefficient" in (copy / "notebooks" / "20_count.ipynb").read_text("utf-8")


def test_file_changed_by_hand_is_kept_and_told_of_when_the_project_moves_on(project, copy):
    ours = copy / "notebooks" / "20_count.ipynb"
    change(ours, "factor", "my_factor")
    edited = ours.read_bytes()
    assert refresh_copy(project, "zh").kept == ()
    change(project / "notebooks" / "20_count.ipynb", "factor", "coefficient")
    for _ in range(2):
        assert refresh_copy(project, "zh").kept == ("notebooks/20_count.ipynb",)
        assert ours.read_bytes() == edited
    ours.rename(ours.with_name("mine.ipynb"))
    assert refresh_copy(project, "zh").kept == ()
    assert "coefficient" in ours.read_text("utf-8")


def test_file_changed_by_hand_stays_when_it_leaves_the_project(project, copy):
    ours = copy / "notebooks" / "40_ask.ipynb"
    change(ours, "pass", "print()")
    (project / "notebooks" / "40_ask.ipynb").unlink()
    assert refresh_copy(project, "zh").kept == ("notebooks/40_ask.ipynb",)
    assert "print()" in ours.read_text("utf-8")


def test_notebook_that_was_only_run_does_not_count_as_changed(project, copy):
    ours = copy / "notebooks" / "20_count.ipynb"
    document = json.loads(ours.read_text("utf-8"))
    document["metadata"]["language_info"] = {"name": "python", "version": "3.11.7"}
    document["cells"][-1] |= {"execution_count": 1, "outputs": [{"output_type": "stream"}]}
    ours.write_text(json.dumps(document), "utf-8")
    run = ours.read_bytes()
    assert refresh_copy(project, "zh").kept == ()
    assert ours.read_bytes() == run
    change(project / "notebooks" / "20_count.ipynb", "factor", "coefficient")
    assert refresh_copy(project, "zh").kept == ()
    assert "coefficient" in ours.read_text("utf-8")


def test_copy_whose_record_is_damaged_loses_nothing(project, copy):
    change(copy / "notebooks" / "20_count.ipynb", "factor", "my_factor")
    (copy / ".crmlab.json").write_text('{"notebooks/20')
    assert refresh_copy(project, "zh").kept == ("notebooks/20_count.ipynb",)
    assert "my_factor" in (copy / "notebooks" / "20_count.ipynb").read_text("utf-8")


def test_folder_of_the_copys_name_that_is_none_is_refused(project):
    (project / "lab-zh").mkdir()
    (project / "lab-zh" / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="no copy that crmlab made: rename it"):
        refresh_copy(project, "zh")
    assert hash_files(project / "lab-zh").keys() == {"notes.txt"}


def test_copy_in_a_language_without_texts_is_refused(made, language):
    with pytest.raises(ValueError, match=f"crmlab new FOLDER --lang {OTHER[language]}"):
        refresh_copy(made, OTHER[language])


def test_damaged_notebook_is_named(project):
    (project / "notebooks" / "20_count.ipynb").write_text("{")
    with pytest.raises(ValueError, match=r"20_count\.ipynb is not a Jupyter notebook"):
        refresh_copy(project, "zh")
