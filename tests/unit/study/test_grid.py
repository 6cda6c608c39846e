import pytest

from crmlab.study.configuration import StudyError
from crmlab.study.grid import load_grid
from crmlab.study.notebooks import read_notebooks

WORDS = "word: str = 'a'  # word / 词; ; a|b/c|c"


@pytest.fixture
def grid(project):
    """Write a grid file and load it."""

    def load(text):
        path = project / "grid.yaml"
        path.write_text(text, encoding="utf-8")
        return load_grid(path, read_notebooks(project / "notebooks"))

    return load


def test_points_are_every_combination_and_are_named_by_their_values(grid):
    found = grid("seed: [1, 2]\nparameters: {20_count: {factor: [3, 4]}}\n")
    assert found.name == "grid"
    assert [point.name for point in found.points()] == [
        "factor=3,seed=1",
        "factor=3,seed=2",
        "factor=4,seed=1",
        "factor=4,seed=2",
    ]
    assert found.overlay(found.points()[1]) == ({"20_count": {"factor": 3}}, 2)


def test_without_seeds_the_study_keeps_its_own(grid):
    found = grid("parameters: {20_count: {factor: [3]}}\n")
    assert found.overlay(found.points()[0]) == ({"20_count": {"factor": 3}}, None)


def test_point_keeps_its_name_when_the_grid_grows(grid):
    before = {point.name for point in grid("seed: [2]\n").points()}
    assert before < {point.name for point in grid("seed: [1, 2, 3]\n").points()}


def test_parameter_of_two_notebooks_is_called_by_its_notebook(grid, add_notebook):
    add_notebook("25_other", "pass", parameters="factor: int = 1  # factor / 倍数; ; 1..9")
    found = grid("parameters: {20_count: {factor: [1]}, 25_other: {factor: [2]}}\n")
    assert [axis.name for axis in found.axes] == ["20_count.factor", "25_other.factor"]
    overlaid = {"20_count": {"factor": 1}, "25_other": {"factor": 2}}
    assert found.overlay(found.points()[0])[0] == overlaid


def test_odd_and_long_values_make_plain_names_that_differ(grid, add_notebook):
    add_notebook("25_other", "pass", parameters=f"{WORDS}\nx: list[int] = [0]  # x / 数; ; 0..999")
    rows = [[n] * 60 for n in (123, 124)]
    found = grid(f"parameters: {{25_other: {{word: ['b/c', c], x: {rows}}}}}\n")
    names = [point.name for point in found.points()]
    assert len(set(names)) == 4
    assert all(len(name) < 100 and "/" not in name for name in names)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("sed: [1]\n", "grid.yaml:1: sed: unknown key; did you mean 'seed'?"),
        ("seed: 1\n", "grid.yaml:1: seed: expected a list of values, found 1"),
        ("seed: []\n", "seed: expected a list of values, found []"),
        ("seed: [1, 1]\n", "seed.1: 1 is given twice"),
        ("seed:\n- 1\n- -1\n", "grid.yaml:3: seed.1: -1 is outside"),
        ("seed: [a]\n", "seed.0: 'a' is not of type int"),
        (
            "parameters:\n  20_cuont: {factor: [1]}\n",
            "grid.yaml:2: parameters.20_cuont: no notebook; did you mean '20_count'?",
        ),
        (
            "parameters:\n  20_count:\n    factr: [1]\n",
            "grid.yaml:3: parameters.20_count.factr: unknown parameter; did you mean 'factor'? "
            "(this notebook has: factor)",
        ),
        ("parameters: {20_count: {factor: [2, 10]}}\n", "factor.1: 10 is outside 1..9"),
        ("parameters: {20_count: [1]}\n", "expected parameters with lists of values, found [1]"),
        ("parameters: [1]\n", "expected notebooks, found [1]"),
        ("{}\n", "nothing varies; give lists under `seed` or `parameters`"),
        ("- 1\n", "expected `seed:` and `parameters:`, each with lists of values"),
    ],
)
def test_grid_that_cannot_be_swept_is_refused_with_its_place(grid, text, complaint):
    with pytest.raises(StudyError) as refusal:
        grid(text)
    assert complaint in str(refusal.value)


def test_missing_grid_file_is_told_with_the_nearest_name(project):
    (project / "seeds.yaml").write_text("seed: [1]\n")
    with pytest.raises(StudyError, match=r"no grid file .*sedes.yaml; did you mean 'seeds'"):
        load_grid(project / "sedes.yaml", {})
