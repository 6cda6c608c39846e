"""Growth, what it leaves after service, and who is able and willing."""

import numpy as np
import pandas as pd
import pytest

from crmlab.value.potential import (
    BUYING_READINESS,
    assign_buying_readiness,
    estimate_wallet,
    growth_potential,
)

VALUE = pd.DataFrame(
    {
        "current_value": [50.0, 0.0, 90.0],
        "potential_value": [80.0, 10.0, 40.0],
        "discounted_orders": [2.0, 0.5, 1.0],
    },
    index=list("abc"),
)
COST = pd.Series([60.0, np.nan, 300.0], index=list("abc"))
ORDERS = pd.Series([6, 1, 4], index=list("abc"))


def test_growth_and_net_potential_by_hand():
    table = growth_potential(VALUE, COST, ORDERS)
    assert table["growth"].tolist() == [30.0, 10.0, -50.0]
    assert table.loc["a", "net_potential"] == 80 - 2 * 10
    assert table.loc["c", "net_potential"] == 40 - 1 * 75  # dearer to serve than it brings
    assert table.loc["b", ["cost_per_order", "net_potential"]].isna().all()


def test_without_cost_potential_is_net():
    free = growth_potential(VALUE, 0 * COST.fillna(0), ORDERS)
    assert free["net_potential"].tolist() == VALUE["potential_value"].tolist()


def test_nobody_without_orders_has_a_cost_per_order():
    assert growth_potential(VALUE, COST, 0 * ORDERS)["cost_per_order"].isna().all()


def test_wallet_by_hand():
    spent = pd.Series([300.0, 120.0, 0.0, 50.0])
    share = pd.Series([0.6, np.nan, 0.5, 0.0])
    found = estimate_wallet(spent, share)
    assert found[0] == 500
    assert found[1:].isna().all()
    assert (estimate_wallet(spent, pd.Series([1.0] * 4))[:2] == spent[:2]).all()


def test_each_customer_stands_in_one_field():
    ability = pd.Series([900.0, 900, 100, 100, np.nan, 900])
    willing = pd.Series([9.0, 2, 9, 2, 9, np.nan])
    found = assign_buying_readiness(ability, willing, able_from=500, willing_from=7)
    assert found.astype("str").tolist() == [*BUYING_READINESS.values(), *["cannot_tell"] * 2]
    at_the_cut = assign_buying_readiness(ability[:1], willing[:1], able_from=900, willing_from=9)
    assert at_the_cut.astype("str").tolist() == ["able_and_willing"]


def test_refusals_and_inputs_left_alone():
    before = VALUE.copy()
    growth_potential(VALUE, COST, ORDERS)
    pd.testing.assert_frame_equal(VALUE, before)
    with pytest.raises(ValueError, match="'current_value' is missing"):
        growth_potential(VALUE.drop(columns="current_value"), COST, ORDERS)
    with pytest.raises(ValueError, match="differ in their customers"):
        growth_potential(VALUE, COST.head(2), ORDERS)
    with pytest.raises(ValueError, match="numbers from 0 up"):
        growth_potential(VALUE, -COST, ORDERS)
    with pytest.raises(ValueError, match="divide percentages by 100"):
        estimate_wallet(pd.Series([1.0]), pd.Series([46.0]))
    with pytest.raises(ValueError, match="different indices"):
        assign_buying_readiness(COST, ORDERS.head(1), able_from=1, willing_from=1)
    with pytest.raises(ValueError, match="able_from=nan"):
        assign_buying_readiness(COST, ORDERS, able_from=np.nan, willing_from=1)
