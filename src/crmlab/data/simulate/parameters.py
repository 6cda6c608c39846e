"""What the simulated population is made with: every parameter, its meaning, its default.

Who asks: the teacher who wants another population ("what if nobody were loyal?"), and the test
or notebook that holds an estimate against the truth. Vocabulary: a *latent* is a standardised
value of a customer that no table shows; a *path coefficient* is the effect of one latent on
another in standard deviations; *weeks* are spans of seven days.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType

__all__ = [
    "CONSTRUCTS",
    "PATH_COEFFICIENTS",
    "SimulationParameters",
    "implied_variances",
]

CONSTRUCTS = (
    "image",
    "expectation",
    "perceived_quality",
    "perceived_value",
    "satisfaction",
    "loyalty",
)
"""The six latents of the satisfaction index in causal order: each depends on earlier ones only."""

PATH_COEFFICIENTS: Mapping[tuple[str, str], float] = MappingProxyType(
    {
        ("image", "expectation"): 0.50,
        ("image", "perceived_quality"): 0.30,
        ("image", "perceived_value"): 0.15,
        ("image", "satisfaction"): 0.20,
        ("expectation", "perceived_quality"): 0.40,
        ("expectation", "perceived_value"): 0.10,
        ("expectation", "satisfaction"): 0.10,
        ("perceived_quality", "perceived_value"): 0.55,
        ("perceived_quality", "satisfaction"): 0.35,
        ("perceived_value", "satisfaction"): 0.30,
        ("satisfaction", "loyalty"): 0.65,
    }
)
"""The eleven paths (from, to) of the China customer satisfaction index, with the sizes used."""


def implied_variances(
    path_coefficients: Mapping[tuple[str, str], float] = PATH_COEFFICIENTS,
) -> dict[str, float]:
    r"""Return the variance left to each latent's own disturbance so that its total variance is 1.

    Parameters
    ----------
    path_coefficients : mapping of (str, str) to float
        Standardised effect of the first latent on the second.

    Returns
    -------
    dict of str to float
        For each of `CONSTRUCTS`, :math:`\psi_j = 1 - \sum_{k,l} \beta_{kj}\beta_{lj} r_{kl}`, with
        :math:`r_{kl}` the correlation of its antecedents that the paths imply. 1 for a latent
        that depends on none; 0 or below where the paths explain more than there is.

    Examples
    --------
    >>> variances = implied_variances()
    >>> variances["image"], variances["expectation"], round(variances["loyalty"], 4)
    (1.0, 0.75, 0.5775)
    """
    correlation = {(construct, construct): 1.0 for construct in CONSTRUCTS}
    variances = {}
    for position, construct in enumerate(CONSTRUCTS):
        earlier = CONSTRUCTS[:position]
        effects = [(cause, path_coefficients.get((cause, construct), 0.0)) for cause in earlier]
        for other in earlier:
            shared = math.fsum(effect * correlation[cause, other] for cause, effect in effects)
            correlation[construct, other] = correlation[other, construct] = shared
        explained = math.fsum(effect * correlation[cause, construct] for cause, effect in effects)
        variances[construct] = 1.0 - explained
    return variances


@dataclass(frozen=True)
class SimulationParameters:
    r"""Everything the population is drawn from; the defaults make the bundled sample.

    Attributes
    ----------
    rate_shape, rate_scale : float
        r and α of BG/NBD: λ, orders a week while alive, is Gamma with shape r and mean r/α.
    dropout_a, dropout_b : float
        a and b of BG/NBD: p, the probability of leaving after each repeat order, is Beta(a, b).
    spend_shape, spend_heterogeneity, spend_scale : float
        p, q and γ of gamma-gamma: an order's value is Gamma with shape p around the customer's
        mean pγ/Gamma(q); the mean over customers is pγ/(q - 1), in money.
    rate_satisfaction, dropout_satisfaction : float
        Correlation of the satisfaction latent with the normal score of λ and of p.
    dropout_loyalty : float
        Correlation of the loyalty latent's own part (what satisfaction does not explain) with
        the normal score of p. λ and p stay independent, as BG/NBD assumes.
    path_coefficients : mapping
        Effects between the satisfaction latents; keys as in `PATH_COEFFICIENTS`.
    relational_share : float
        Share of relational customers; they are those least likely to leave, in tendency.
    share_joined_before : float
        Share of customers acquired before the window, within `weeks_before` weeks of it.
    weeks_before : float
        Length of that earlier time.
    margin_rate : float
        Gross margin rate of a customer who does not look at prices at all; it falls by
        `margin_price_effect` over the range of price sensitivity.
    margin_price_effect : float
        See `margin_rate`.
    return_share : float
        Probability that an order is returned, in whole or in part.
    n_campaigns : int
        Campaigns, evenly spread over the window, 1 to 100; closer than `response_days`, their
        days of response overlap.
    contact_share, holdout_share : float
        Share of recently active customers chosen for a campaign, and share of the chosen that is
        held out at random.
    uplift_base, uplift_price : float
        Probability that a contact brings an order of its own within `response_days` from a
        customer who is alive: ``uplift_base + uplift_price * price_sensitivity``.
    response_days : int
        A response is an order on the day of the contact or the following days, so many in all;
        1 to 28.
    campaign_discount : float
        Share of its value by which the margin of an order brought by a contact is smaller.
    survey_share : float
        Share of the customers who ordered before the survey that answers it, at random.
    survey_position : float
        Where in the window the survey starts (0 first day, 1 last day).
    mode_effect : float
        Points that an interviewer, on the telephone or face to face, adds to every answer.
    anonymous_share, missing_share : float
        Share of respondents without customer_id, and of answers left out.
    question_share : float
        Probability that an order is followed by a question to service.
    complaint_logit, complaint_satisfaction : float
        The odds of a complaint after an order are
        exp(`complaint_logit` + `complaint_satisfaction` × satisfaction).
    recovery_satisfaction : float
        Correlation of a complaint's recovery with satisfaction's own part (what quality, value,
        image and expectation do not explain): well-recovered customers are more satisfied.
    recovery_log_hours : float
        Points of recovery lost for each doubling of the time to the first answer.
    account_cost, order_cost, ticket_cost : float
        Cost to serve in money: a customer's account over the window, an order or return, a
        ticket; times the customer's service intensity, which is lognormal.
    intensity_sigma : float
        Standard deviation of the logarithm of service intensity.

    Examples
    --------
    >>> SimulationParameters(holdout_share=0.5).holdout_share
    0.5
    >>> SimulationParameters(holdout_share=1.5)
    Traceback (most recent call last):
        ...
    ValueError: holdout_share is 1.5; expected a share from 0 to 1.
    """

    rate_shape: float = 0.9
    rate_scale: float = 5.0
    dropout_a: float = 0.8
    dropout_b: float = 8.0
    spend_shape: float = 6.0
    spend_heterogeneity: float = 4.0
    spend_scale: float = 130.0
    rate_satisfaction: float = 0.25
    dropout_satisfaction: float = -0.40
    dropout_loyalty: float = -0.25
    path_coefficients: Mapping[tuple[str, str], float] = field(
        default_factory=lambda: PATH_COEFFICIENTS
    )
    relational_share: float = 0.40
    share_joined_before: float = 0.45
    weeks_before: float = 78.0
    margin_rate: float = 0.45
    margin_price_effect: float = 0.20
    return_share: float = 0.04
    n_campaigns: int = 8
    contact_share: float = 0.48
    holdout_share: float = 0.25
    uplift_base: float = 0.04
    uplift_price: float = 0.16
    response_days: int = 14
    campaign_discount: float = 0.10
    survey_share: float = 0.42
    survey_position: float = 0.70
    mode_effect: float = 0.0
    anonymous_share: float = 0.03
    missing_share: float = 0.003
    question_share: float = 0.028
    complaint_logit: float = -3.7
    complaint_satisfaction: float = -0.8
    recovery_satisfaction: float = 0.60
    recovery_log_hours: float = 0.5
    account_cost: float = 20.0
    order_cost: float = 24.0
    ticket_cost: float = 60.0
    intensity_sigma: float = 0.9

    def __post_init__(self):
        positive = (
            "rate_shape",
            "rate_scale",
            "dropout_a",
            "dropout_b",
            "spend_shape",
            "spend_heterogeneity",
            "spend_scale",
            "weeks_before",
            "intensity_sigma",
        )
        correlations = (
            "rate_satisfaction",
            "dropout_satisfaction",
            "dropout_loyalty",
            "recovery_satisfaction",
        )
        shares = [
            name
            for name in (parameter.name for parameter in fields(self))
            if name.endswith(("_share", "_position", "margin_rate", "_discount"))
            or name.startswith(("share_", "uplift_"))
        ]
        for name in positive:
            _refuse_unless(self, name, lambda value: 0 < value < math.inf, "a number above 0")
        for name in shares:
            _refuse_unless(self, name, lambda value: 0 <= value <= 1, "a share from 0 to 1")
        for name in correlations:
            _refuse_unless(self, name, lambda value: -1 < value < 1, "a correlation from -1 to 1")
        for name in ("account_cost", "order_cost", "ticket_cost"):
            _refuse_unless(self, name, lambda value: 0 <= value < math.inf, "money, 0 or more")
        _refuse_unless(self, "mode_effect", lambda value: -9 <= value <= 9, "points from -9 to 9")
        for name, most in (("n_campaigns", 100), ("response_days", 28)):
            _refuse_unless(
                self,
                name,
                lambda value, most=most: isinstance(value, int) and 1 <= value <= most,
                f"a whole number, 1 to {most}",
            )
        _refuse_unless(
            self,
            "margin_price_effect",
            lambda v: 0 <= v <= self.margin_rate,
            "a share from 0 to margin_rate",
        )
        if self.uplift_base + self.uplift_price > 1:
            raise ValueError(
                f"uplift_base + uplift_price is {self.uplift_base + self.uplift_price}; expected "
                "a probability, at most 1."
            )
        self._refuse_paths()

    def _refuse_paths(self) -> None:
        unknown = [path for path in self.path_coefficients if path not in PATH_COEFFICIENTS]
        if unknown:
            raise ValueError(
                f"path_coefficients: {unknown[0]} is no path of the model; expected any of "
                f"{', '.join(f'{cause} → {effect}' for cause, effect in PATH_COEFFICIENTS)}."
            )
        for construct, variance in implied_variances(self.path_coefficients).items():
            if not variance > 0:
                raise ValueError(
                    f"path_coefficients: the paths into {construct} explain {1 - variance:.3f} of "
                    "its variance; expected less than 1. Make these paths smaller."
                )
        if self.dropout_residual <= 0:
            raise ValueError(
                "rate_satisfaction, dropout_satisfaction and dropout_loyalty explain all of the "
                "drop-out; expected them closer to 0."
            )

    @property
    def dropout_rate_effect(self) -> float:
        """What keeps λ and p independent: the effect of λ's own part on the normal score of p."""
        return (
            -self.rate_satisfaction
            * self.dropout_satisfaction
            / math.sqrt(1 - self.rate_satisfaction**2)
        )

    @property
    def dropout_residual(self) -> float:
        """The variance of the normal score of p that is the customer's own."""
        return 1 - math.fsum(
            (
                self.dropout_satisfaction**2,
                self.dropout_loyalty**2,
                self.dropout_rate_effect**2,
            )
        )


def _refuse_unless(parameters, name: str, is_good, expected: str) -> None:
    value = getattr(parameters, name)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not is_good(value):
        raise ValueError(f"{name} is {value!r}; expected {expected}.")
