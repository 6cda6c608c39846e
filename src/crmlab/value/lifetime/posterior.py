"""Posterior of the BG/NBD: how probable each set of parameters is, instead of one best set.

Who asks: whoever has few customers, or earlier knowledge of such customers, and wants the
uncertainty of the parameters carried into every forecast. The sampling is done by the package
pymc-marketing, an extra (`bayes`), with its own weak priors: Weibull distributions for r and α, a
uniform mean and a Pareto sum for a and b. With thousands of customers the data outweigh them, and
the posterior means come to the estimates of maximum likelihood.

Source of the model: Fader, Hardie & Lee (2005), doi:10.1287/mksc.1040.0098.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd

from crmlab.value.lifetime.bg_nbd import BgNbd
from crmlab.value.lifetime.repeat_orders import read_repeat_orders, refuse_hopeless

__all__ = ["sample_bg_nbd_posterior"]

_OLDEST = (3, 12)


def sample_bg_nbd_posterior(summary, *, seed, n_draws=1000, n_warm_up=1000, n_chains=2):
    """Return draws from the posterior of the BG/NBD's parameters.

    Parameters
    ----------
    summary : pandas.DataFrame
        One row per customer, see `crmlab.value.lifetime.repeat_orders`.
    seed : int
    n_draws, n_warm_up : int
        Of each chain: those kept, and those before them that are thrown away.
    n_chains : int
        Chains, at least 2, so that one can be told from another.

    Returns
    -------
    pandas.DataFrame
        `chain`, `draw`, `r`, `alpha` (weeks), `a` and `b`. Each row makes a `BgNbd`.

    Raises
    ------
    ValueError
        If the summary cannot be read or is hopeless (as `FitError`), or there are too few draws.
    ImportError
        If pymc-marketing is not installed; the message says how to install it.

    References
    ----------
    Fader, Hardie & Lee (2005), doi:10.1287/mksc.1040.0098
    """
    x, t_x, age = read_repeat_orders(summary)
    refuse_hopeless(x, age, model=BgNbd.name)
    for name, value, least in [
        ("n_draws", n_draws, 10),
        ("n_warm_up", n_warm_up, 10),
        ("n_chains", n_chains, 2),
    ]:
        if not (isinstance(value, int) and value >= least):
            raise ValueError(f"{name} is {value!r}; expected a whole number, at least {least}")
    clv = _open_package()
    model = clv.BetaGeoModel(
        sampler_config={
            "draws": n_draws,
            "tune": n_warm_up,
            "chains": n_chains,
            "random_seed": seed,
            "progressbar": False,
        }
    )
    table = pd.DataFrame({"customer_id": range(len(x)), "frequency": x, "recency": t_x, "T": age})
    model.fit(data=table)
    drawn = {name: model.idata.posterior[name].to_numpy() for name in BgNbd.parameters}
    chain, draw = np.indices((n_chains, n_draws))
    return pd.DataFrame(
        {name: values.ravel() for name, values in ({"chain": chain, "draw": draw} | drawn).items()}
    )


def _open_package():
    """Return pymc_marketing.clv, or say what to install and on which Python."""
    try:
        from pymc_marketing import clv
    except ImportError as error:
        needed = ".".join(map(str, _OLDEST))
        python = (
            f"it needs Python {needed} or newer, and this is {sys.version.split()[0]}: make an "
            f"environment with a newer Python (`uv venv --python {needed}`) and there "
            if sys.version_info < _OLDEST
            else ""
        )
        raise ImportError(
            "The posterior is sampled by pymc-marketing, which is not installed; "
            f"{python}`pip install 'crmlab[bayes]'`. Without it, `fit_repeat_model(BgNbd, ...)` "
            "gives the estimates and their standard errors by maximum likelihood."
        ) from error
    return clv
