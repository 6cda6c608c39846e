import pytest

from crmlab.study.configuration import StudyError, find_root, load_study


def refuse(project, text):
    path = project / "studies" / "bad.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(StudyError) as error:
        load_study(path)
    return str(error.value).replace(str(path), "bad.yaml")


def test_study_is_read_with_its_parameters_checked(project):
    path = project / "studies" / "good.yaml"
    path.write_text(
        "title: {en: Shop, zh: 店}\ndata: ../shop\nlanguage: zh\nseed: 7\n"
        "parameters:\n  20_count:\n    factor: 3\n",
        "utf-8",
    )
    study = load_study(path)
    assert study.parameters == {"20_count": {"factor": 3}}
    assert (study.language, study.seed, study.title.zh) == ("zh", 7, "店")
    assert study.data == str((project / "shop").resolve())


def test_title_in_one_language_serves_both(project):
    study = load_study(project / "studies" / "shop.yaml")
    assert (study.title.en, study.title.zh) == ("A shop", "A shop")


HEAD = "title: x\ndata: ../shop\n"
COUNT = HEAD + "parameters:\n  20_count:\n    "


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (HEAD + "langage: zh", "bad.yaml:3: langage: unknown key; did you mean 'language'?"),
        (HEAD + "language: fr", "bad.yaml:3: language: input should be 'en' or 'zh', found 'fr'"),
        (HEAD + "seed: -1", "bad.yaml:3: seed: input should be greater than or equal to 0"),
        (HEAD + "seed: one", "bad.yaml:3: seed: input should be a valid integer, found 'one'"),
        ("title: x", "data: missing; every study has it"),
        ("title: {en: x, cn: y}\ndata: ../shop", "title.cn: unknown key"),
        ("title: x\ndata: cdnaw", "bad.yaml:2: data: 'cdnaw' is neither a data set of the catalog"),
        ("title: x\ndata: cdnaw", "did you mean 'cdnow'?"),
        (
            HEAD + "notebooks: [20_cuont]",
            "bad.yaml:3: notebooks.0: no notebook '20_cuont'; did you mean '20_count'?",
        ),
        (
            HEAD + "parameters:\n  20_cont: {}",
            "bad.yaml:4: parameters.20_cont: no notebook; did you mean '20_count'?",
        ),
        (
            COUNT + "facter: 2",
            "bad.yaml:5: parameters.20_count.facter: unknown parameter; did you mean 'factor'?",
        ),
        (COUNT + "factor: 99", "bad.yaml:5: parameters.20_count.factor: 99 is outside 1..9"),
        (COUNT + "factor: two", "'two' is not of type int"),
        ("title: x\ntitle: y\ndata: ../shop", "bad.yaml:2: title is given twice"),
        ("title: [x", "bad.yaml is not valid YAML"),
        ("", "found None"),
        ("title: 客户".encode("gbk"), "bad.yaml is not UTF-8 text"),
    ],
)
def test_bad_study_is_refused_with_its_place_and_the_nearest_name(project, text, complaint):
    assert complaint in refuse(project, text)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("langage: zh", "bad.yaml:4: langage: 未知的键；是否指 'language'？"),
        ("seed: one", "bad.yaml:4: seed: 应为整数，实为 'one'"),
        (
            "engine: spark",
            "'duckdb'、'pyspark'、'pandas' 之一，实为 'spark'",
        ),
        ("notebooks: [20_cuont]", "没有笔记本 '20_cuont'；是否指 '20_count'？"),
        (
            "parameters: {20_count: {facter: 2}}",
            "未知的参数；是否指 'factor'？（此",
        ),
        ("parameters: {20_count: {factor: 99}}", "factor: 99 不在 1 至 9 之间"),
        ("parameters: {20_count: {factor: two}}", "factor: 'two' 不是 int 类型"),
    ],
)
def test_a_chinese_study_is_complained_of_in_chinese(project, text, complaint):
    assert complaint in refuse(project, f"{HEAD}language: zh\n{text}")


def test_a_language_asked_for_goes_before_the_study_s_own(project):
    path = project / "studies" / "bad.yaml"
    path.write_text("title: x\nlanguage: zh\n", "utf-8")
    with pytest.raises(StudyError, match="data: missing; every study has it"):
        load_study(path, language="en")


def test_every_complaint_is_told_at_once(project):
    text = "title: x\ndata: cdnaw\nparameters:\n  20_count:\n    facter: 2\n    factor: 99\n"
    assert len(refuse(project, text).splitlines()) == 3


def test_missing_study_file_is_refused_with_the_nearest_name(project):
    with pytest.raises(StudyError, match=r"no study file .*shp.yaml; did you mean 'shop'\?"):
        load_study(project / "studies" / "shp.yaml")


def test_study_outside_a_project_belongs_to_the_current_folders(project, tmp_path_factory):
    study = tmp_path_factory.mktemp("elsewhere") / "mine.yaml"
    study.write_text(f"title: x\ndata: {project / 'shop'}\n", "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        assert load_study(study).data == str((project / "shop").resolve())


def test_root_is_found_from_inside_and_missed_outside(project, tmp_path_factory):
    assert find_root(project / "notebooks" / "20_count.ipynb") == project.resolve()
    with pytest.raises(StudyError, match="is not inside a crmlab project"):
        find_root(tmp_path_factory.mktemp("elsewhere"))
