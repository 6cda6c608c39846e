r"""BG/NBD with covariates: what is known of customers beforehand shifts their rates.

Who asks: whoever wants to know whether customers of one channel, region or income buy more often
or leave sooner, and whoever must value customers of whom little has been seen yet. For customer i
with covariates :math:`z_i`, counted from their means,

.. math:: \alpha_i = \alpha e^{-\gamma_\lambda' z_i}, \qquad a_i = a e^{\gamma_a' z_i},
          \qquad b_i = b e^{\gamma_b' z_i}.

The mean purchase rate r / α is thus multiplied by :math:`e^{\gamma_\lambda}` for each unit of a
covariate; r, α, a and b are those of a customer with mean covariates. Covariates may be anything
that was so when the customer came and does not change; what the customer did later is no
covariate but what is to be explained. With all coefficients 0 this is the BG/NBD.

Source: P. S. Fader & B. G. S. Hardie (2007), Incorporating time-invariant covariates into the
Pareto/NBD and BG/NBD models, http://www.brucehardie.com/notes/019/.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype
from scipy.special import expit

from crmlab.atlas.sentences import say
from crmlab.value.lifetime.bg_nbd import (
    BgNbd,
    log_likelihood_of_each,
    log_odds_left,
    orders_while_alive,
)
from crmlab.value.lifetime.likelihood import FAR, Estimates, FitError, maximize_likelihood
from crmlab.value.lifetime.repeat_model import fit_repeat_model
from crmlab.value.lifetime.repeat_orders import COLUMNS, as_weeks, each_row, read_repeat_orders

__all__ = ["CovariateBgNbd", "fit_bg_nbd_with_covariates"]

_EFFECTS = ("purchase_rate", "leaving", "staying")  # on λ through α, on a, on b
_BASE = ("r", "alpha", "a", "b")


@dataclass(frozen=True)
class CovariateBgNbd:
    """The BG/NBD model in which covariates shift purchase rates and the chance of leaving.

    Attributes
    ----------
    r, alpha, a, b : float
        As in `BgNbd`, of a customer whose covariates are at their centres; above 0.
    covariates : tuple of str
        Columns of the summary.
    centres : tuple of float
        What each covariate is counted from.
    purchase_rate, leaving, staying : tuple of float
        Coefficient of each covariate for the purchase rate, for a and for b.
    estimates : Estimates or None
        Standard errors and likelihood, where the model was fitted; the coefficients are named
        ``purchase_rate: covariate`` and so on.

    Examples
    --------
    Customers who came by referral buy at one and a half times the rate of the others:

    >>> import numpy as np
    >>> model = CovariateBgNbd(
    ...     0.8, 6.0, 1.2, 6.0, ("is_referred",), (0.0,), (float(np.log(1.5)),), (0.0,), (0.0,)
    ... )
    >>> two = pd.DataFrame({"is_referred": [0, 1], "n_repeat_orders": 0,
    ...                     "last_order_age_weeks": 0.0, "age_weeks": 0.0})
    >>> soon = model.expected_future_orders(two, weeks=0.01)
    >>> round(float(soon[1] / soon[0]), 3)
    1.5
    """

    r: float
    alpha: float
    a: float
    b: float
    covariates: tuple[str, ...]
    centres: tuple[float, ...]
    purchase_rate: tuple[float, ...]
    leaving: tuple[float, ...]
    staying: tuple[float, ...]
    estimates: Estimates | None = field(default=None, repr=False)

    name: ClassVar[str] = "BG/NBD with covariates"

    def __post_init__(self):
        BgNbd(self.r, self.alpha, self.a, self.b)
        for name in ("centres", *_EFFECTS):
            if len(getattr(self, name)) != len(self.covariates):
                raise ValueError(
                    f"{self.name}: {name} has {len(getattr(self, name))} numbers; expected one "
                    f"for each of {len(self.covariates)} covariates"
                )

    def parameters_of(self, summary):
        """Return r, α, a and b of each customer.

        Parameters
        ----------
        summary : pandas.DataFrame
            With the covariates as columns.

        Returns
        -------
        pandas.DataFrame
            `r`, `alpha` (weeks), `a`, `b`; index of `summary`.
        """
        z = _read_covariates(summary, self.covariates) - np.array(self.centres)
        point = (self.r, self.alpha, self.a, self.b)
        each = _of_each(point, z, (self.purchase_rate, self.leaving, self.staying))
        return pd.DataFrame(dict(zip(_BASE, each, strict=True)), index=summary.index)

    def probability_alive(self, summary):
        """Return the probability that each customer has not left, P(alive | x, t_x, T, z).

        Parameters
        ----------
        summary : pandas.DataFrame
            See `crmlab.value.lifetime.repeat_orders`; with the covariates as columns.

        Returns
        -------
        numpy.ndarray of float, shape (n_customers,)
        """
        seen = each_row(*read_repeat_orders(summary))
        return expit(-log_odds_left(self._point_of(summary), *seen, 0))

    def expected_future_orders(self, summary, *, weeks):
        """Return the purchases expected of each customer after the end of observation.

        Parameters
        ----------
        summary : pandas.DataFrame
            See `crmlab.value.lifetime.repeat_orders`; with the covariates as columns.
        weeks : float or array_like of float
            Length of the time ahead, 0 or more; a scalar or one per customer.

        Returns
        -------
        numpy.ndarray of float, shape (n_customers,)
        """
        x, _, age = read_repeat_orders(summary)
        r, alpha, a, b = self._point_of(summary)
        ahead = orders_while_alive(as_weeks(weeks), r + x, alpha + age, a, b + x)
        return self.probability_alive(summary) * ahead

    def log_likelihood(self, summary):
        """Return the log-likelihood of each customer.

        Parameters
        ----------
        summary : pandas.DataFrame
            See `crmlab.value.lifetime.repeat_orders`; with the covariates as columns.

        Returns
        -------
        numpy.ndarray of float, shape (n_customers,)
        """
        seen = each_row(*read_repeat_orders(summary))
        return log_likelihood_of_each(self._point_of(summary), *seen, 0)[0]

    def effects(self, *, level=0.95):
        """Return what each covariate does, with intervals.

        Parameters
        ----------
        level : float
            Of the interval, above 0 and below 1.

        Returns
        -------
        pandas.DataFrame
            One row per covariate: `covariate`; `rate_ratio`, by what one unit more multiplies the
            mean purchase rate, with `lower` and `upper`; and `leaving_probability`, the mean
            probability of leaving after a purchase with one unit more than the centre.

        Raises
        ------
        ValueError
            If the model was not fitted.
        """
        if self.estimates is None:
            raise ValueError(f"{self.name} was not fitted; there are no errors to report")
        table = self.estimates.table(level=level).set_index("parameter")
        rows = table.loc[[f"purchase_rate: {name}" for name in self.covariates]]
        a, b = self.a * np.exp(self.leaving), self.b * np.exp(self.staying)
        return pd.DataFrame(
            {
                "covariate": self.covariates,
                "rate_ratio": np.exp(rows["estimate"].to_numpy()),
                "lower": np.exp(rows["lower"].to_numpy()),
                "upper": np.exp(rows["upper"].to_numpy()),
                "leaving_probability": a / (a + b),
            }
        )

    def _point_of(self, summary):
        return tuple(self.parameters_of(summary).to_numpy().T)


def fit_bg_nbd_with_covariates(summary, covariates):
    """Return the BG/NBD with covariates, fitted by maximum likelihood.

    Parameters
    ----------
    summary : pandas.DataFrame
        One row per customer, see `crmlab.value.lifetime.repeat_orders`; with the covariates as
        columns of numbers or truth values, without gaps. A category is told by columns of 0 and
        1, one fewer than it has values (``pandas.get_dummies(..., drop_first=True)``).
    covariates : sequence of str
        Those columns. Each shifts the purchase rate, a and b.

    Returns
    -------
    CovariateBgNbd
        With `estimates`. Compare its likelihood with that of `BgNbd` by `likelihood_ratio`: it
        has three parameters more for each covariate.

    Raises
    ------
    ValueError
        If a covariate is missing, not numeric, has gaps, is the same for everybody or follows
        from the others; if the summary cannot be read; or (as `FitError`) the model, or the
        BG/NBD without covariates, cannot be fitted.

    References
    ----------
    Fader & Hardie (2007), http://www.brucehardie.com/notes/019/

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from crmlab.value.lifetime import simulate_bg_nbd
    >>> is_referred = np.arange(4000) % 2
    >>> truth = SimpleNamespace(r=0.8, alpha=6 * np.exp(-0.5 * is_referred), a=1.2, b=6.0,
    ...                         early_exits=0)
    >>> summary = simulate_bg_nbd(truth, np.full(4000, 52.0), seed=1)
    >>> model = fit_bg_nbd_with_covariates(summary.assign(is_referred=is_referred), ["is_referred"])
    >>> bool(abs(model.purchase_rate[0] - 0.5) < 0.2)
    True
    """
    names = (covariates,) if isinstance(covariates, str) else tuple(covariates)
    z = _read_covariates(summary, names)
    centres, scales = _refuse_useless(z, names)
    plain = fit_repeat_model(BgNbd, summary)
    seen = each_row(*read_repeat_orders(summary))
    z = (z - centres) / scales  # of like size, so that the search goes straight

    def log_likelihood(point):
        base, shifts = point[:4], point[4:].reshape(3, -1)
        each = _of_each(base, z, shifts)
        value, slopes = log_likelihood_of_each(each, *seen, 0)
        # By the logarithm of α, a and b of each customer.
        slopes[1:] *= np.stack(each[1:])
        whole = np.concatenate([slopes[:1].sum(axis=1), slopes[1:].sum(axis=1) / base[1:]])
        signs = np.array([[-1.0], [1.0], [1.0]])
        by_shift = signs * np.einsum("ij,jk->ik", slopes[1:], z)
        return value.sum(), np.concatenate([whole, by_shift.ravel()])

    coefficients = tuple(f"{effect}: {name}" for effect in _EFFECTS for name in names)
    found = maximize_likelihood(
        log_likelihood,
        (*_BASE, *coefficients),
        [[*plain.point, *np.zeros(len(coefficients))]],
        n_customers=len(z),
        model=CovariateBgNbd.name,
        hints=BgNbd.hints,
        signed=coefficients,
    )
    _refuse_undetermined(found, z)
    unit = dict(zip(coefficients, np.tile(scales, 3).tolist(), strict=True))
    values = {name: value / unit.get(name, 1) for name, value in dict(found.values).items()}
    estimates = Estimates(
        values=values,
        standard_errors={n: error / unit.get(n, 1) for n, error in found.standard_errors.items()},
        log_likelihood=found.log_likelihood,
        n_customers=found.n_customers,
        signed=coefficients,
    )
    shifts = np.array([values[name] for name in coefficients]).reshape(3, -1)
    return CovariateBgNbd(
        *(values[name] for name in _BASE),
        covariates=names,
        centres=tuple(centres.tolist()),
        **{effect: tuple(row) for effect, row in zip(_EFFECTS, shifts.tolist(), strict=True)},
        estimates=estimates,
    )


def _refuse_undetermined(found, z):
    """Refuse a fit in which leaving runs off to never or at once for some of the customers.

    The limits are those within which the parameters of the BG/NBD are taken for found.
    """
    point = np.array(list(dict(found.values).values()))
    each = np.array(_of_each(point[:4], z, point[4:].reshape(3, -1)))
    is_far = (np.abs(np.log(each[2:])) > FAR).any(axis=0)
    if is_far.any() or not np.isfinite(list(found.standard_errors.values())).all():
        why = say("value_leaving_undetermined", n=int(is_far.sum()), n_all=len(z))
        raise FitError.of(CovariateBgNbd.name, why)


def _of_each(base, z, shifts):
    """Return r, α, a and b of each customer, arrays of shape (n_customers,)."""
    r, alpha, a, b = base
    faster, leaving, staying = (np.einsum("ij,j", z, np.asarray(shift)) for shift in shifts)
    return (
        np.full(len(z), r),
        alpha * np.exp(-faster),
        a * np.exp(leaving),
        b * np.exp(staying),
    )


def _read_covariates(summary, names):
    """Return the covariates, shape (n_customers, n_covariates), or say what is wrong with one."""
    if not names or len(set(names)) < len(names):
        raise ValueError(f"covariates are {list(names)}; expected one or more, each named once")
    for name in names:
        if name in COLUMNS:
            raise ValueError(f"covariate {name!r} is what the model explains; leave it out")
        if name not in summary.columns:
            raise ValueError(f"covariate {name!r} is no column of the summary")
        column = summary[name]
        if not (is_numeric_dtype(column) or is_bool_dtype(column)):
            raise ValueError(
                f"covariate {name!r} holds {column.dtype}, such as {column.iloc[0]!r}; expected "
                "numbers or truth values. Turn a category into columns of 0 and 1 with "
                "pandas.get_dummies(..., drop_first=True)."
            )
        is_gap = ~np.isfinite(column.to_numpy(dtype="float64", na_value=np.nan))
        if is_gap.any():
            raise ValueError(
                f"covariate {name!r} is missing or infinite for {is_gap.sum()} of {len(column)} "
                f"customers, first in row {int(is_gap.argmax()) + 1}. Leave these customers out, "
                "or make 'unknown' a category of its own."
            )
    return np.column_stack([summary[name].to_numpy(dtype="float64") for name in names])


def _refuse_useless(z, names):
    """Return the mean and spread of each covariate; refuse those that say nothing new."""
    centres, scales = z.mean(axis=0), z.std(axis=0)
    before = np.ones((len(z), 1))
    for column, centre, scale, name in zip(z.T, centres, scales, names, strict=True):
        if not scale > 1e-12 * max(1.0, abs(centre)):
            value = float(column[0])
            raise FitError(say("value_covariate_constant", name=name, value=value, n=len(column)))
        unit = (column - centre) / scale
        left = unit - before @ np.linalg.lstsq(before, unit, rcond=None)[0]
        if np.sqrt((left**2).mean()) < 1e-6:
            earlier = [say("value_quoted", name=one) for one in names[: before.shape[1] - 1]]
            raise FitError(say("value_covariate_follows", name=name, earlier=earlier))
        before = np.column_stack([before, unit])
    return centres, scales
