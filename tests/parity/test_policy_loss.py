"""The twin's gradient against differences of the twin's loss; the kernel's is held to it by test_policy_learner."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from coffee_fast._reference.policy_loss import (
    PolicyLoss,
    Rows,
    divergence,
    generalized_advantages,
    log_uniform,
    loss,
    loss_gradient,
    masked_log_softmax,
)


def rows_of(rng, num_rows=6, num_actions=5):
    legal = (rng.random((num_rows, num_actions)) < 0.6).astype(np.uint8)
    legal[:, 2] = 1
    actions = np.array([rng.choice(np.flatnonzero(row)) for row in legal])
    log_old, log_reference = (masked_log_softmax(rng.normal(size=(num_rows, num_actions)), legal) for _ in range(2))
    return Rows(legal, actions, rng.normal(size=num_rows), log_old, log_reference)


@pytest.mark.parametrize("update", ["clipped", "mirror_descent"])
@pytest.mark.parametrize("kl_weight", [0.0, 0.7])
def test_gradient_is_that_of_the_loss(update, kl_weight):
    rng = np.random.default_rng(3)
    rows, options = rows_of(rng), PolicyLoss(update, clip=0.2, step_size=0.4, kl_weight=kl_weight)
    logits = rng.normal(size=rows.legal.shape)
    found = loss_gradient(options, rows, logits)
    for place in np.ndindex(logits.shape):
        values = []
        for step in (1e-6, -1e-6):
            moved = logits.copy()
            moved[place] += step
            values.append(loss(options, rows, moved))
        assert found[place] == pytest.approx((values[0] - values[1]) / 2e-6, abs=1e-6)


def test_divergences():
    legal = np.array([[1, 1, 0, 1]], dtype=np.uint8)
    assert_allclose(divergence(log_uniform(legal), log_uniform(legal), legal), 0.0, atol=1e-15)
    certain = masked_log_softmax(np.array([[50.0, 0.0, 99.0, 0.0]]), legal)
    assert_allclose(divergence(certain, log_uniform(legal), legal), np.log(3), atol=1e-9)


def test_advantages():
    rewards, values = np.array([1.0, 2.0, -1.0, 5.0]), np.array([0.5, 1.0, 2.0, 3.0])
    is_last = np.array([0, 1, 0, 1], dtype=np.uint8)
    advantages, returns = generalized_advantages(rewards, values, is_last, 1.0)
    assert_allclose(returns, [3.0, 2.0, 4.0, 5.0])  # with lambda 1 they are what was earned from then on
    assert_allclose(advantages, returns - values)
    advantages, _ = generalized_advantages(rewards, values, is_last, 0.0)
    assert_allclose(advantages, [1.0 + 1.0 - 0.5, 2.0 - 1.0, -1.0 + 3.0 - 2.0, 5.0 - 3.0])
