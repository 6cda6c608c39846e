"""What is said of data: each sentence once, in both languages, completed by the same values."""

import ast
import csv
import pickle
import string

import pytest
from typer.testing import CliRunner

from crmlab.atlas.sentences import MESSAGES, load_messages, say, text_in
from crmlab.cli import app
from crmlab.data import load_dataset

PACKAGE = MESSAGES[0].parents[1]
READERS = [*PACKAGE.glob("data/loaders/*.py"), *PACKAGE.glob("cli/*.py")]
NAMES = "agreement catalog conversion dataset engine_limits engines faults fetch mapping"
NAMES += " order_lines own_card own_data problems scanned schema tables"
READERS += [PACKAGE / "data" / f"{name}.py" for name in NAMES.split()]


def blanks(sentence):
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def calls():
    """Yield the calls of `say` in the sources, and every text of theirs that may be a key."""
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield path, node.value, None
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say":
                key = node.args[0]
                if isinstance(key, ast.Constant):
                    yield path, key.value, node


def test_every_sentence_is_said_in_both_languages_with_the_same_blanks():
    english, chinese = load_messages("en"), load_messages("zh")
    for key, sentence in english.items():
        assert sentence, key
        assert chinese[key], key
        assert blanks(sentence) == blanks(chinese[key]), key


def test_no_key_stands_twice():
    keys = []
    for path in MESSAGES:
        with path.open(encoding="utf-8", newline="") as lines:
            keys += [row["key"] for row in csv.DictReader(lines)]
    assert len(set(keys)) == len(keys) == len(load_messages("en"))


def test_no_two_sentences_are_one():
    english = load_messages("en")
    apart = {"postgresql_out_of_reach", "yaml_dict_type", "yaml_model_type", "check_note"}
    known = {}
    for key, sentence in english.items():
        if key not in apart and len(sentence) > 12:
            assert known.setdefault(sentence, key) == key


def test_every_sentence_is_said_somewhere_and_none_is_missing():
    messages = load_messages("en")
    texts = set()
    for path, key, call in calls():
        texts.add(key)
        if call is None:
            continue
        assert key in messages, (path.name, key)
        named = [word.arg for word in call.keywords]
        if None not in named:  # else some are handed on
            assert set(named) == blanks(messages[key]), (path.name, key)
    families = ("kind_", "file_", "yaml_", "unit_price")
    idle = [key for key in messages if key not in texts and not key.startswith(families)]
    assert idle == []


def test_no_reader_has_a_sentence_of_its_own():
    # A sentence in code would be English in a Chinese report.
    for path in READERS:
        if path.parent.name == "cli":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                name, (first, *_) = node.exc.func.id, (*node.exc.args, None)
                own = isinstance(first, ast.Constant | ast.JoinedStr | ast.BinOp)
                assert not (name in ("ValueError", "FileNotFoundError") and own), ast.unparse(node)


def test_sentence_is_an_english_text_and_knows_the_chinese_with_all_its_parts():
    found = say("problem_rows", where="orders.amount", rows=say("rows_some", shown=("3", "5")))
    assert found == "orders.amount, rows 3, 5"
    assert text_in(found, "zh") == "orders.amount，第 3、5 行"
    assert text_in(say("row_one", n=3).but(n=4), "zh") == "第 4 行"
    again = pickle.loads(pickle.dumps(ValueError(found)))  # noqa: S301 - made above
    assert text_in(again, "zh") == "orders.amount，第 3、5 行"


@pytest.fixture
def damaged(tmp_path):
    (tmp_path / "sales.csv").write_text(
        "InvoiceNo,CustomerID,InvoiceDate,Amount\n1,7,2024-01-05,10\n2,7,2024-02-30,ten\n"
    )
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    return tmp_path


def test_check_speaks_chinese(damaged):
    rows = damaged / "rows.csv"
    words = ["data", "check", str(damaged), "--lang", "zh", "--rows", str(rows)]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 1
    for line in (
        "orders  来自 " + str(damaged / "sales.csv") + "  2 行，其中 1 行有问题",
        "orders.amount（1 行）：不接受值 'ten'；应为：有限的数值",
        "前几处：第 2 行：'ten'",
        "请改正这些值，或删去这些行。",
        "notes.csv 不是数据集的表，未读取：1",
        "有 2 类问题需要改正。",
    ):
        assert line in result.output
    assert "请改正这些值" in rows.read_text("utf-8-sig")
    gone = CliRunner().invoke(app, ["data", "check", str(damaged / "gone"), "--lang", "zh"])
    assert gone.exit_code == 2
    assert "没有这样的文件夹或文件" in gone.output


def test_draft_speaks_chinese(damaged):
    (damaged / "sales.csv").write_text(
        "InvoiceNo,CustomerID,InvoiceDate,Amount\n1,7,2024-01-05,¥10\n"
    )
    CliRunner().invoke(app, ["data", "check", str(damaged), "--lang", "zh", "--write"])
    draft = (damaged / "mapping.yaml").read_text("utf-8")
    assert "请逐行核对" in draft
    assert "“¥”按人民币" in draft
    assert load_dataset(damaged).currency == "CNY"


def test_study_refuses_its_data_in_its_own_language(damaged):
    (damaged / "notebooks").mkdir()
    (damaged / "studies").mkdir()
    (damaged / "shop").mkdir()
    (damaged / "shop" / "orders.csv").write_text(
        "order_id,customer_id,ordered_on,amount\n1,a,2024-01-05,x\n"
    )
    study = damaged / "studies" / "shop.yaml"
    study.write_text("title: shop\ndata: ../shop\nlanguage: zh\n")
    from crmlab.study.plan import Plan

    with pytest.raises(
        ValueError, match=r"orders\.csv：orders\.amount，第 1 行：不接受值 'x'；应为"
    ):
        Plan(study).load()
