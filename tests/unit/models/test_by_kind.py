"""Models whose entries are of kinds, and models of games with hidden luck, from log to play."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.games import GAMES
from tests.unit.models.test_hidden_luck import Climb

import coffee_fast as cf
from coffee_fast.errors import ConfigError
from coffee_fast.models.config import EnsembleConfig
from coffee_fast.models.parts import Examples
from coffee_fast.models.views import choose_looks, least_that_predicts

CONFIG = EnsembleConfig(
    num_members=2,
    num_steps=250,
    num_reward_steps=50,
    network="product",
    product_sizes=(24, 24),
    learning_rate=1e-2,
    normalization="per_dimension",
    entries="by_kind",
)


@pytest.fixture(scope="module", params=["negotiation", "prices"])
def fitted(request):
    log = cf.generate_dataset(GAMES[request.param](), num_trajectories=250, seed=0)
    return request.param, cf.DynamicsEnsemble.fit(log, CONFIG, seed=1)


def test_followed_games_are_the_games_that_were_played(fitted):
    name, model = fitted
    other = cf.generate_dataset(GAMES[name](), num_trajectories=60, seed=7)
    first, players = other.trajectory_offsets[:-1], other.acting_player.astype(np.int32)
    starts = (other.state[first], other.observation[first].reshape(len(first), -1), other.legal_masks()[first])
    followed = model.core.follow(other.trajectory_offsets, *starts, players, other.action)
    np.testing.assert_allclose(followed["states"], other.state, rtol=1e-5)
    np.testing.assert_allclose(followed["observations"], other.observation, rtol=1e-5)
    np.testing.assert_array_equal(followed["legal_masks"], other.legal_masks())


def test_no_network_looks_at_what_it_need_not_see(fitted):
    _, model = fitted
    assert model.arrays["mask.sees"].tolist() == [0]  # the mover's own observation says what it may do
    assert model.arrays.get("view.sees", np.zeros(2)).tolist() == [0, 0]
    assert "shared.0.0.weight" not in model.arrays


def test_the_report_says_what_was_found(fitted, tmp_path):
    _, model = fitted
    assert any("stays as it was" in line for line in model.fit_report.kinds)
    model.save(tmp_path / "model")
    assert cf.DynamicsEnsemble.load(tmp_path / "model").fit_report.kinds == model.fit_report.kinds


def test_bits_are_of_the_seed_alone():
    log = cf.generate_dataset(GAMES["poker"](), num_trajectories=40, seed=0)
    few = dataclasses.replace(CONFIG, num_steps=4, num_reward_steps=4, chance_codes=2)
    one, threads, other = (
        cf.DynamicsEnsemble.fit(log, few, seed, num_threads=count).fingerprint
        for seed, count in ((1, 1), (1, 2), (2, 1))
    )
    assert one == threads != other


class Halves(Climb):
    """From the ground; what luck adds is a half, which no action does."""

    def reset(self, random):
        return super().reset(random) | {"height": np.zeros(len(random))}


def halves(luck):
    spec = cf.GameSpec(
        "halves", 2, 2, np.eye(2), state_size=4, observation_size=2, history_start=2, max_episode_length=4
    )
    return cf.generate_dataset(cf.games.from_simulator(spec, Halves(luck)), num_trajectories=300, seed=0)


def odd_halves(model):
    """Share of episodes that end on a half, if any does; and of those that end on neither a half nor a whole."""
    result = cf.simulate(model, ["uniform_random"] * 2, num_episodes=2000, seed=3)
    twice = 2 * result.returns[:, 0]
    return (np.round(twice) % 2 == 1).mean(), (np.abs(twice - np.round(twice)) > 0.2).mean()


LUCKY = dataclasses.replace(CONFIG, num_steps=400, num_reward_steps=600, entries="by_kind", chance_codes=2)


def test_hidden_luck_is_drawn_as_often_as_it_came():
    model = cf.DynamicsEnsemble.fit(halves([0.0, 0.5, 0.5]), LUCKY, seed=1)
    odd, other = odd_halves(model)
    truth = sum(p for count, p in enumerate((1 / 81, 8 / 81, 24 / 81, 32 / 81, 16 / 81)) if count % 2)
    assert odd == pytest.approx(truth, abs=0.06)
    assert other < 0.02
    assert model.fit_report.codes_explained > 0.95
    assert not {reason.figure for reason in model.fit_report.verdict.reasons} & {"num_unlike_states", "drawn"}
    played = cf.simulate(model, ["uniform_random"] * 2, num_episodes=500, seed=4)
    assert len(np.unique(np.round(played.returns[:, 0]))) > 3


def test_without_codes_a_state_follows_that_never_was():
    log = halves([0.0, 0.5])
    model = cf.DynamicsEnsemble.fit(log, dataclasses.replace(LUCKY, chance_codes=0, entries="predicted"), seed=1)
    rows = np.flatnonzero(log.terminal == 0)
    players = log.acting_player[rows].astype(np.int32)
    following = model.core.next_states(log.state[rows], log.action[rows], players, 1 - players)
    heights = 2 * following[:, 1]
    assert (np.abs(heights - np.round(heights)) > 0.3).mean() > 0.8  # a quarter higher, where it was a half or nothing


def test_codes_that_nothing_needs_are_not_used():
    model = cf.DynamicsEnsemble.fit(halves([0.0]), dataclasses.replace(LUCKY, num_steps=60), seed=1)
    assert "code.0.0.weight" not in model.arrays
    assert model.fit_report.codes_explained is None
    assert any("chance_codes=2 is not used" in line for line in model.fit_report.kinds)


@pytest.mark.parametrize("changes", [{"entries": "by_kind"}, {"chance_codes": 2}])
def test_what_is_drawn_needs_drawn_ends(changes):
    with pytest.raises(ConfigError, match="ends must be 'auto' or 'probability' with"):
        EnsembleConfig(ends="state", **changes)


def test_the_least_that_predicts_is_taken():
    assert least_that_predicts([1.0, 0.5, 0.52, 0.48], 0.0) == 1
    assert least_that_predicts([0.0005, 0.0], 1e-3) == 0

    class Says:
        def __init__(self, name, outputs):
            self.name, self.said = name, outputs

        def outputs(self, inputs):
            return np.array([self.said])

    truth = Examples(np.zeros((2, 1)), np.array([[1.0, 0.0], [0.0, 1.0]]), np.zeros(2))
    parts = [Says("mask 1", truth.targets), Says("end", None), Says("mask 0", 1 - truth.targets)]
    assert choose_looks(parts, {"mask 0": truth, "mask 1": truth})["mask.sees"].tolist() == [1]
    assert [part.name for part in parts] == ["mask", "end", "mask 0"]
