"""Whether a model knows how much it knows: what it draws against what came, its members' spread against the truth."""

from __future__ import annotations

import numpy as np

from coffee_fast.models.limits import STANDARD_ERRORS
from coffee_fast.typing import Float32, Float64, Int64

LEAST_PROBABILITY = 1e-6  # what a log loss is measured with
NUM_BINS = 5  # of probabilities


def score(probabilities: Float64, classes: Int64, copies: float = 1.0) -> dict[str, float]:
    """How well probabilities ``[B, C]`` foretold classes ``[B]``.

    Parameters
    ----------
    copies
        Rows for each independent one: 2 where every episode comes with its mirror image.

    Returns
    -------
    dict
        ``accuracy``: share of the likeliest classes that came. ``log_loss``: its mean; ``base_log_loss``: that of the
        classes' frequencies themselves. ``calibration_error``: how much more or less often the classes came than was
        foretold, by class and fifth of the probability, half the sum over them. ``calibration_by_chance``: what that
        would hardly exceed (four standard errors) if the probabilities were exact.
    """
    taken = probabilities[np.arange(len(classes)), classes]
    frequencies = np.bincount(classes) / len(classes)
    fifth = np.minimum((probabilities * NUM_BINS).astype(np.int64), NUM_BINS - 1)
    cell = (fifth + NUM_BINS * np.arange(probabilities.shape[1])).ravel()
    came = classes[:, None] == np.arange(probabilities.shape[1])
    excess = np.bincount(cell, weights=(probabilities - came).ravel())
    variance = np.bincount(cell, weights=(probabilities * (1 - probabilities)).ravel()) * copies
    mean, deviation = np.sqrt(2 / np.pi * variance).sum(), np.sqrt((1 - 2 / np.pi) * variance.sum())
    return {
        "accuracy": float((probabilities.argmax(axis=1) == classes).mean()),
        "log_loss": float(-np.log(np.maximum(taken, LEAST_PROBABILITY)).mean()),
        "base_log_loss": float(-np.log(frequencies[classes]).mean()),
        "calibration_error": float(np.abs(excess).sum() / (2 * len(classes))),
        "calibration_by_chance": float((mean + STANDARD_ERRORS * deviation) / (2 * len(classes))),
    }


def coverage(member_rewards: Float64, rewards: Float32) -> dict[str, float]:
    """How often rewards ``[B, N]`` lie within the range of the members' ``[B, N, E]``, and how often they should.

    Were the truth like one more member, it would be the least or the greatest of ``E + 1`` in 2 of ``E + 1`` cases.
    """
    num_members = member_rewards.shape[2]
    if num_members < 2:
        return {}
    least, most = (part.astype(np.float32) for part in (member_rewards.min(axis=2), member_rewards.max(axis=2)))
    return {
        "covered": float(((least <= rewards) & (rewards <= most)).mean()),
        "covered_if_calibrated": (num_members - 1) / (num_members + 1),
    }
