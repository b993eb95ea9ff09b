"""The entropic certainty equivalent: the sure payoff that a risk-averse player holds equal to an uncertain one."""

from __future__ import annotations

import numpy as np

from coffee_fast.typing import Float64


def entropic_certainty_equivalent(values: Float64, weights: Float64, risk_aversion: float) -> Float64:
    r"""Return :math:`-\frac{1}{\tau} \log \sum_m w_m e^{-\tau v_m}` over the last axis of ``values``.

    The mean for :math:`\tau \to 0`, the least value for :math:`\tau \to \infty`, above the mean for :math:`\tau < 0`.
    Where :math:`|\tau|` times the range is below 1e-6, the logarithm would lose all digits, so it is
    :math:`mean - \tau \, var / 2`.
    """
    mean = (weights * values).sum(axis=-1)
    if risk_aversion == 0.0:
        return np.asarray(mean)
    deviation = values - mean[..., None]
    series = mean - 0.5 * risk_aversion * (weights * deviation**2).sum(axis=-1)
    with np.errstate(divide="ignore"):
        exponent = -risk_aversion * deviation + np.log(weights)
    top = exponent.max(axis=-1)
    exact = mean - (top + np.log(np.exp(exponent - top[..., None]).sum(axis=-1))) / risk_aversion
    is_small = np.abs(risk_aversion) * (values.max(axis=-1) - values.min(axis=-1)) < 1e-6
    return np.asarray(np.where(is_small, series, exact))
