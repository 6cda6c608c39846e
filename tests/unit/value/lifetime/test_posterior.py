"""The door to the posterior: open where pymc-marketing is, a plain word on what to do elsewhere."""

import sys

import numpy as np
import pytest

from crmlab.value.lifetime import BgNbd, FitError, sample_bg_nbd_posterior, simulate_bg_nbd


@pytest.fixture(scope="module")
def drawn():
    return simulate_bg_nbd(BgNbd(0.8, 6.0, 1.2, 6.0), np.full(300, 52.0), seed=5)


def test_without_the_package_it_says_what_to_install(drawn, monkeypatch):
    monkeypatch.setitem(sys.modules, "pymc_marketing", None)
    with pytest.raises(
        ImportError, match=r"pip install 'crmlab\[bayes\]'.*maximum likelihood"
    ) as no:
        sample_bg_nbd_posterior(drawn, seed=1)
    is_told_of_python = "needs Python 3.12 or newer, and this is" in str(no.value)
    assert is_told_of_python == (sys.version_info < (3, 12))


def test_hopeless_data_and_settings_are_refused_before_the_package_is_asked_for(drawn):
    once = drawn.assign(n_repeat_orders=0, last_order_age_weeks=0.0)
    with pytest.raises(FitError, match="only 0 of 300 customers bought again"):
        sample_bg_nbd_posterior(once, seed=1)
    with pytest.raises(ValueError, match="n_chains is 1; expected a whole number, at least 2"):
        sample_bg_nbd_posterior(drawn, seed=1, n_chains=1)


def test_posterior_of_many_customers_lies_around_the_estimates(drawn):
    pytest.importorskip("pymc_marketing", reason="the extra `bayes` is not installed")
    from crmlab.value.lifetime import fit_repeat_model

    fitted = fit_repeat_model(BgNbd, drawn)
    draws = sample_bg_nbd_posterior(drawn, seed=1, n_draws=200, n_warm_up=300)
    assert draws.shape == (400, 6)
    for name in ("r", "alpha"):
        error = fitted.estimates.standard_errors[name]
        assert abs(draws[name].median() - getattr(fitted, name)) < error
