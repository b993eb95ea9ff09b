"""What self-play is told: schedules, what fits together, what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

import coffee_fast as cf


def test_the_weight_falls_geometrically_and_the_learning_rate_linearly():
    config = cf.SelfPlayConfig(num_updates=5, kl_weight=0.8, kl_weight_end=0.05, num_snapshots=1)
    weights = [config.kl_weight_at(update) for update in range(5)]
    np.testing.assert_allclose(weights, [0.8, 0.4, 0.2, 0.1, 0.05])
    rates = [config.learning_rate_at(update) for update in range(5)]
    np.testing.assert_allclose(rates, np.linspace(config.learning_rate, config.learning_rate_end, 5))


def test_a_single_update_has_the_first_values():
    config = cf.SelfPlayConfig(num_updates=1, num_snapshots=1)
    assert (config.kl_weight_at(0), config.learning_rate_at(0)) == (config.kl_weight, config.learning_rate)


@pytest.mark.parametrize(
    ("num_updates", "num_snapshots"), [(1, 1), (2, 1), (3, 2), (10, 5), (11, 6), (150, 4), (151, 7)]
)
def test_snapshots_lie_evenly_in_the_last_half_and_the_last_is_the_end(num_updates, num_snapshots):
    updates = cf.SelfPlayConfig(num_updates=num_updates, num_snapshots=num_snapshots).snapshot_updates
    assert len(updates) == num_snapshots
    assert updates[-1] == num_updates
    assert updates[0] > num_updates // 2
    gaps = np.diff([num_updates // 2, *updates])
    assert gaps.min() >= 1
    assert np.ptp(gaps) <= 1


def test_nothing_anchors_at_weight_zero():
    assert cf.SelfPlayConfig(kl_weight=0, kl_weight_end=0).kl_weight_at(3) == 0.0


def test_a_configuration_survives_json():
    config = cf.SelfPlayConfig(
        hidden_sizes=(32,), update="mirror_descent", reference="cloned", judge=cf.DDQNTorch(num_steps=60_000)
    )
    assert cf.SelfPlayConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"num_updates": 0}, "num_updates must be an integer >= 1"),
        (
            {"num_updates": 150, "num_snapshots": 76},
            "num_snapshots must be at most 75, as many",
        ),
        ({"risk_aversion": -1.0}, "risk_aversion must be a finite number >= 0"),
        ({"learning_rate_end": 0.0}, "learning_rate_end must be a finite number > 0"),
        ({"kl_weight_end": 0.0}, "kl_weight and kl_weight_end must both be above 0, .* got 0.3 and 0"),
        ({"kl_weight": 0, "kl_weight_end": 0, "reference": "cloned"}, "kl_weight must be above 0 where reference"),
        (
            {"coverage_weight": 0.1, "uncertainty_penalty": 0},
            "coverage_weight must be 0 without",
        ),
        ({"coverage_weight": 1.0}, "coverage_weight must be below 1"),
        ({"averaging": 1.0}, "averaging must be below 1"),
        ({"update": "ppo"}, "update must be one of clipped, mirror_descent, got 'ppo'"),
        ({"reference": "clone"}, "did you mean 'cloned'"),
        ({"kl_in_rewards": 1}, "kl_in_rewards must be True or False"),
        ({"learning_rate": 0.0}, "learning_rate must be a finite number > 0"),
        ({"gae_lambda": 1.1}, "gae_lambda must be a finite number >= 0 and <= 1"),
        ({"hidden_sizes": 8}, "hidden_sizes must be a list"),
        ({"hidden_sizes": (8, 0)}, r"hidden_sizes\[1\] must be an integer >= 1"),
        ({"judge": "ddqn"}, "judge must be an object with a method respond"),
        ({"num_simulations": 1}, "num_simulations must be an integer >= 2"),
    ],
)
def test_impossible_values_are_refused(fields, message):
    with pytest.raises(cf.ConfigError, match=f"SelfPlayConfig: .*{message}"):
        cf.SelfPlayConfig(**fields)
