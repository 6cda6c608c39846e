"""A population of the simulator, with its truth, for every test of recovery here."""

import pandas as pd
import pytest


def make_panel(histories, name="n_visits", start="2024-01-01"):
    """Return a panel of customers a, b, ... who all end in the same month."""
    last = max(len(history) for history in histories)
    months = pd.date_range(start, periods=last, freq="MS")
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "customer_id": f"{number:04d}",
                    "month_on": months[last - len(history) :],
                    name: list(history),
                }
            )
            for number, history in enumerate(histories)
        ],
        ignore_index=True,
    )


@pytest.fixture(scope="session")
def population():
    from crmlab.data.simulate import simulate_population

    return simulate_population(300, seed=8)


@pytest.fixture(scope="session")
def panel_of():
    return make_panel
