import pytest
from fontTools.ttLib import TTFont

from crmlab.report.fonts import write_font


@pytest.mark.parametrize("face", ["sans", "serif"])
def test_font_holds_the_characters_asked_for_and_no_others(tmp_path, face):
    path = write_font("客户价值 Gini，", tmp_path, face=face)
    with TTFont(path) as font:
        assert set(font.getBestCmap()) == {ord(c) for c in "客户价值 Gini，"}
    assert path.stat().st_size < 10_000


def test_characters_the_face_lacks_are_passed_over(tmp_path):
    with TTFont(write_font("客\U0001f600", tmp_path)) as font:
        assert set(font.getBestCmap()) == {ord("客")}


def test_font_keeps_its_copyright_and_licence(tmp_path):
    with TTFont(write_font("客", tmp_path)) as font:
        assert "Adobe" in font["name"].getDebugName(0)
        assert "Open Font License" in font["name"].getDebugName(13)


def test_same_characters_give_the_same_file_and_bytes_in_any_order(tmp_path):
    first = write_font("客户", tmp_path / "a")
    second = write_font("户客户", tmp_path / "b")
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()
    assert write_font("客", tmp_path / "a").name != first.name


def test_font_already_there_is_not_made_again(tmp_path):
    path = write_font("客户", tmp_path)
    before = path.stat().st_mtime_ns
    assert write_font("客户", tmp_path) == path
    assert path.stat().st_mtime_ns == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
