"""The structures of national satisfaction indices: who moves whom, before any data.

Who asks: whoever measures satisfaction by a standard and must say which one. A *structure* is the
constructs and the paths between them; the items come later, from the study's own item table. In the
Chinese standard the constructs are 品牌形象 (brand image), 预期质量 (expected quality), 感知质量
(perceived quality), 感知价值 (perceived value), 顾客满意度 (satisfaction), 顾客忠诚 (loyalty).

Sources: GB/T 19038-2009, Guidelines for model and methods of customer satisfaction measurement,
Standards Press of China; C. Fornell, M. D. Johnson, E. W. Anderson, J. Cha & B. E. Bryant (1996),
The American Customer Satisfaction Index: nature, purpose, and findings, Journal of Marketing 60(4),
7-18, doi:10.1177/002224299606000403; M. Tenenhaus, V. Esposito Vinzi, Y.-M. Chatelin & C. Lauro
(2005), doi:10.1016/j.csda.2004.03.005 (ECSI); M. D. Johnson, A. Gustafsson, T. W. Andreassen,
L. Lervik & J. Cha (2001), The evolution and future of national customer satisfaction index models,
Journal of Economic Psychology 22(2), 217-245, doi:10.1016/S0167-4870(01)00030-7 (complaint handling
as a cause of satisfaction and loyalty).
"""

from dataclasses import dataclass

from crmlab.atlas.terms import nearest
from crmlab.pls import PathModel, reflective, single_item

__all__ = [
    "ACSI",
    "CCSI",
    "CCSI_COMPLAINTS",
    "ECSI",
    "INDEX_MODELS",
    "IndexModel",
    "index_model",
    "specify_index",
]


@dataclass(frozen=True)
class IndexModel:
    """The structure of a satisfaction index, checked when it is built.

    Parameters
    ----------
    name : str
        Key of the structure, such as `ccsi`.
    constructs : tuple of (str, str)
        Each construct, and what a study's item table calls it in its column `construct`.
    paths : tuple of str
        As `crmlab.pls.PathModel` takes them.
    target : str
        The construct that is the index.

    Raises
    ------
    ValueError
        If the paths form a cycle, name no construct, or leave a construct out; if nothing leads
        to the target.

    Examples
    --------
    >>> chain = (("expected_quality", "expectation"), ("satisfaction", "satisfaction"))
    >>> print(IndexModel("short", chain, ("expected_quality -> satisfaction",)).structure)
    expected_quality (single item: expectation)
    satisfaction (single item: satisfaction)
    expected_quality -> satisfaction
    """

    name: str
    constructs: tuple[tuple[str, str], ...]
    paths: tuple[str, ...]
    target: str = "satisfaction"

    def __post_init__(self):
        object.__setattr__(self, "constructs", tuple((str(c), str(a)) for c, a in self.constructs))
        object.__setattr__(self, "paths", tuple(self.paths))
        targets = {target for _, target in self.structure.pairs}
        if self.target not in targets:
            raise ValueError(
                f"no path of {self.name!r} leads to its target {self.target!r}: add one, or choose "
                f"the target among {', '.join(sorted(targets))}"
            )

    @property
    def structure(self):
        """The paths alone, each construct a number that is known: to draw, or to fit to a truth.

        The columns it reads are the item table's names of the constructs, which are also those of
        the true values of a simulated study.
        """
        return PathModel([single_item(c, asked) for c, asked in self.constructs], self.paths)


_SIX = (
    ("image", "image"),
    ("expected_quality", "expectation"),
    ("perceived_quality", "perceived_quality"),
    ("perceived_value", "perceived_value"),
    ("satisfaction", "satisfaction"),
    ("loyalty", "loyalty"),
)
_ELEVEN = (
    "image -> expected_quality, perceived_quality, perceived_value, satisfaction",
    "expected_quality -> perceived_quality, perceived_value, satisfaction",
    "perceived_quality -> perceived_value, satisfaction",
    "perceived_value -> satisfaction",
    "satisfaction -> loyalty",
)

CCSI = IndexModel("ccsi", _SIX, _ELEVEN)
"""China: each of the four causes moves every later one and satisfaction, which moves loyalty."""

CCSI_COMPLAINTS = IndexModel(
    "ccsi_complaints",
    (*_SIX, ("complaint", "complaint")),
    (*_ELEVEN, "complaint -> satisfaction, loyalty"),
)
"""Dissatisfaction is not the end: how complaints were handled moves satisfaction and loyalty."""

ACSI = IndexModel(
    "acsi",
    (*_SIX[1:5], ("customer_complaints", "complaint"), _SIX[5]),
    (
        "expected_quality -> perceived_quality, perceived_value, satisfaction",
        "perceived_quality -> perceived_value, satisfaction",
        "perceived_value -> satisfaction",
        "satisfaction -> customer_complaints, loyalty",
        "customer_complaints -> loyalty",
    ),
)
"""America: no image; satisfaction moves complaints and loyalty."""

ECSI = IndexModel(
    "ecsi",
    (*_SIX[:5], ("complaint", "complaint"), _SIX[5]),
    (
        "image -> expected_quality, satisfaction, loyalty",
        "expected_quality -> perceived_quality, perceived_value, satisfaction",
        "perceived_quality -> perceived_value, satisfaction",
        "perceived_value -> satisfaction",
        "satisfaction -> complaint, loyalty",
        "complaint -> loyalty",
    ),
)
"""Europe, as fitted to the mobile telephony data by Tenenhaus et al. (2005): twelve paths."""

INDEX_MODELS = {model.name: model for model in (CCSI, ACSI, ECSI, CCSI_COMPLAINTS)}


def index_model(name):
    """Return the structure of a name.

    Parameters
    ----------
    name : str
        One of `INDEX_MODELS`.

    Raises
    ------
    ValueError
        If there is none of that name; says the nearest one.

    Examples
    --------
    >>> len(index_model("ccsi").structure.pairs)
    11
    """
    if name not in INDEX_MODELS:
        raise ValueError(
            f"no satisfaction index is named {name!r}{nearest(name, INDEX_MODELS)}: choose one of "
            f"{', '.join(INDEX_MODELS)}"
        )
    return INDEX_MODELS[name]


def specify_index(model, items):
    """Return the path model of a structure with a study's items.

    Parameters
    ----------
    model : IndexModel
    items : pandas.DataFrame
        One row per item: `item` and `construct`, what it measures; other columns are ignored.

    Returns
    -------
    crmlab.pls.PathModel
        Reflective constructs in the order of the structure; one of a single item is that item.

    Raises
    ------
    ValueError
        If a construct has no item (names it and says what the table knows), or the table lists
        an item twice.

    Examples
    --------
    >>> import pandas as pd
    >>> asked = ["image", "expectation", "perceived_quality", "perceived_value", "satisfaction"]
    >>> items = pd.DataFrame({"item": ["i", "e", "q", "v", "s"], "construct": asked})
    >>> specify_index(CCSI, items)
    Traceback (most recent call last):
        ...
    ValueError: the survey asks nothing about loyalty, which ccsi needs: the items table knows \
image, expectation, perceived_quality, perceived_value, satisfaction. Write in its column \
`construct` what each item measures, or choose another model.
    """
    lost = [column for column in ("item", "construct") if column not in items]
    if lost:
        raise ValueError(f"the items table has no column {lost[0]!r}: one row is one question")
    known = items["construct"].dropna().unique()
    missing = [asked for _, asked in model.constructs if asked not in known]
    if missing:
        raise ValueError(
            f"the survey asks nothing about {', '.join(missing)}, which {model.name} needs: the "
            f"items table knows {', '.join(map(str, known)) or 'no construct'}. Write in its "
            "column `construct` what each item measures, or choose another model."
        )
    constructs = []
    for name, asked in model.constructs:
        ours = items.loc[items["construct"] == asked, "item"].tolist()
        twice = sorted({item for item in ours if ours.count(item) > 1})
        if twice:
            raise ValueError(
                f"the items table lists {twice[0]!r} twice under {asked!r}: keep one of the rows"
            )
        constructs.append(single_item(name, ours[0]) if len(ours) == 1 else reflective(name, ours))
    return PathModel(constructs, model.paths)
