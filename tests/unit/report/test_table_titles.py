import pytest

from crmlab.report.table_titles import title_table


def table(heads, rows, keys=(), n_labels=1):
    keys = [*keys, *[""] * len(heads)]
    head = "".join(f'<th title="{key}">{text}</th>' for key, text in zip(keys, heads, strict=False))
    kinds = ["th"] * n_labels + ["td"] * len(heads or rows[0])
    body = "".join(
        "<tr>" + "".join(f"<{k}>{c}</{k}>" for k, c in zip(kinds, row, strict=False)) + "</tr>"
        for row in rows
    )
    head = f"<thead><tr>{head}</tr></thead>" if heads else ""
    return f"<table>{head}<tbody>{body}</tbody></table>"


LOYAL = [["Loyal", 1, 2, 3]]


@pytest.mark.parametrize(
    ("told", "title"),
    [
        (table(["Segment", "Rank", "Share"], LOYAL), "Rank and share, by segment"),
        # Counts and intervals go by the way, units are left out, names keep their capital.
        (
            table(["Feature", "Orders", "Kano class", "Gain (CNY)"], LOYAL, ["f", "n_orders"]),
            "Kano class and gain, by feature",
        ),
        (table(["Segment", "Orders"], LOYAL, ["segment", "n_orders"]), "Orders, by segment"),
        (table(["C", "α (now)", "α (then)"], LOYAL), "α (now) and α (then), by C"),
        (table(["A", "Bees", "Cees", "Dees", "Ees"], LOYAL), "Bees, cees, dees and more, by A"),
        # Heads that are values: quarters, the rows' own names, bare numbers.
        (
            table(["Indicator", "2024Q1", "2024Q2"], [["Sales", 1, 2], ["Churn rate", 1, 2]]),
            "Sales and churn rate, 2024Q1 to 2024Q2",
        ),
        (table(["From", "a", "b"], [["a", 1, 2], ["b", 3, 4]]), "Heading, by from"),
        (table(["Segment", "1", "2"], LOYAL), "Heading, by segment"),
        (table(["By silence", "Left"], LOYAL), "Left, by silence"),
        (
            table(["From", "To", "Path"], LOYAL, ["path_from", "path_to"], n_labels=2),
            "Heading – Path",
        ),
        (table([], [["Rows", 1], ["Cells", 2]]), "Rows and cells"),
        (table(["", "Customers"], [["Known", 1], ["New", 2]]), "Customers: known and new"),
        # Names that are lists themselves, and rows that only what is in brackets tells apart.
        (
            table(["A", "Calls and visits", "Fit, now"], [["a", 1, 2]]),
            "Calls and visits; fit, now, by A",
        ),
        (table([], [["SRMR (now)", 1], ["SRMR (then)", 2]]), "SRMR (now) and SRMR (then)"),
        (table(["symbol", "unit"], [["x", "m"]], n_labels=0), "Symbol and unit"),
        (table(["Segment", "Rank"], []), "Heading"),
        (table([], [["1", "2"]], n_labels=0), "Heading"),
        (table(["", ""], [["a", "1"]], n_labels=1), "A"),
    ],
)
def test_title_says_what_is_told_by_what(told, title):
    assert title_table(told, "Heading", "en") == title


def test_table_in_chinese_has_a_chinese_title_in_an_english_report():
    told = table(["客户群", "RFM 得分", "R²"], [["重要客户", 1, 2]])
    assert title_table(told, "Heading", "en") == "RFM 得分和 R²（按客户群）"
    told = table(["客户群", "饱和模型", "估计模型"], [["重要客户", 1, 2]])
    assert title_table(told, "Heading", "zh") == "饱和模型和估计模型（按客户群）"
