"""What the simulated population is made with: every parameter, its meaning, its default.

Who asks: the teacher who wants another population ("what if nobody were loyal?"), and the test
or notebook that holds an estimate against the truth. What each parameter does, its range and its
values in the presets stand in ``parameters.csv`` beside this module;
`crmlab.data.simulate.describe_parameters` shows them. Vocabulary: a *latent* is a standardised
value of a customer that no table shows; a *path coefficient* is the effect of one latent on
another in standard deviations; *weeks* are spans of seven days.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from crmlab.data.simulate.ranges import PARAMETER_ROWS, refuse_unless_in_range

__all__ = ["CONSTRUCTS", "PATH_COEFFICIENTS", "SimulationParameters", "implied_variances"]

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
    """Everything the population is drawn from; the defaults make the bundled sample.

    Attributes
    ----------
    rate_shape, rate_scale, ... : float
        The rows of `describe_parameters`, with the range and the effect of each.

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
    business_share: float = 0.0548
    order_channels: tuple[str, ...] = ("web", "app", "store")
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
    trust_satisfaction: float = 0.60
    commitment_trust: float = 0.45
    commitment_loyalty: float = 0.35
    ties_orientation: float = 0.35
    ties_level: float = 0.0
    alternatives_dropout: float = 0.40
    alternatives_level: float = 0.0
    factor_reliability: float = 0.50
    exploration_weeks: float = 10.0
    formation_weeks: float = 18.0
    decline_share: float = 0.25
    links_per_customer: float = 6.0
    community_size: int = 40
    community_mixing: float = 0.20
    homophily: float = 0.30
    contagion_odds: float = 4.0
    contagion_days: int = 90
    calls_per_link: float = 12.0
    n_staff: int = 120
    readiness_level: float = 0.0
    discount_base: float = 0.06
    discount_price: float = 0.54
    launch_position: float = 0.25
    adoption_pace: float = 1.0
    requests_per_year: float = 1.2

    def __post_init__(self):
        for row in PARAMETER_ROWS:
            refuse_unless_in_range(row, getattr(self, row["parameter"]))
        if self.margin_price_effect > self.margin_rate:
            raise ValueError(
                f"margin_price_effect is {self.margin_price_effect}; expected a share from 0 to "
                f"margin_rate, which is {self.margin_rate}."
            )
        if self.uplift_base + self.uplift_price > 1:
            raise ValueError(
                f"uplift_base + uplift_price is {self.uplift_base + self.uplift_price}; expected "
                "a probability, at most 1."
            )
        if self.discount_base + self.discount_price > 1:
            raise ValueError(
                f"discount_base + discount_price is {self.discount_base + self.discount_price}; "
                "expected a probability, at most 1."
            )
        if not 0 < self.decline_share < 1:
            raise ValueError(
                f"decline_share is {self.decline_share}; expected a share between 0 and 1."
            )
        if self.commitment_residual <= 0:
            raise ValueError(
                "commitment_trust and commitment_loyalty explain all of commitment; expected them "
                "closer to 0."
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

    @property
    def commitment_residual(self) -> float:
        """The variance of commitment that is the customer's own."""
        return 1 - self.commitment_trust**2 - self.commitment_loyalty**2
