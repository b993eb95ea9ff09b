"""A game, and a kind of policy, of somebody's own: one file each, and everything plays them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.games import registry

# ---- all of a toy game

SPEC = cf.GameSpec(
    name="race",
    num_players=2,
    num_actions=2,
    action_vectors=[[0], [1]],
    observation_size=3,  # steps of mine, steps of the other, luck
    history_start=3,
    state_size=6,
    max_episode_length=6,
    is_symmetric=True,
    state_swap=(3, 4, 5, 0, 1, 2),
    rewards="every_step",
)


class Race:
    """In turn, walk one step or draw for two; whoever has come further after three moves each gets 1 from the other."""

    def reset(self, random):
        return {"moves": np.zeros(len(random), int), "steps": np.zeros((len(random), 2)), "luck": random.uniform()}

    def player(self, state):
        return state["moves"] % 2

    def legal_actions(self, state):
        return np.ones((len(state["moves"]), 2), bool)

    def observe(self, state):
        return np.stack([np.column_stack([state["steps"][:, [i, 1 - i]], state["luck"]]) for i in (0, 1)], axis=1)

    def step(self, state, actions, random):
        walked = np.where(actions == 0, 1.0, 2.0 * (random.uniform() < 0.4 + 0.2 * state["luck"]))
        steps = state["steps"].copy()
        steps[np.arange(len(walked)), state["moves"] % 2] += walked
        done = state["moves"] == 5
        won = np.where(done, np.sign(steps[:, 0] - steps[:, 1]), 0.0)
        return {**state, "moves": state["moves"] + 1, "steps": steps}, np.stack([won, -won], axis=1), done


@pytest.fixture(scope="module")
def game():
    cf.register_game("race", lambda: cf.games.from_simulator(SPEC, Race()))
    yield cf.load_game("race")
    del registry._FACTORIES["race"]


# ----


ORACLE = cf.DDQN(hidden_sizes=(8,), num_steps=400, replay_capacity=512, min_replay=128, batch_size=8)


def test_a_toy_game_is_logged(game):
    log = cf.generate_dataset(game, num_trajectories=40, seed=1)
    assert (log.num_trajectories, log.is_mirrored, len(log.action)) == (40, True, 240)
    profiles = cf.generate_dataset(game, [("uniform_random", cf.UniformRandom())], 7, seed=1, mirrored=False)
    assert profiles.num_independent_episodes == 7


def test_responses_to_it_are_the_same_bits_whether_or_not_interrupted(game, tmp_path):
    opponents = cf.Mixture((cf.UniformRandom(),), [1.0])
    start = {"seed": 3, "reward_scale": game.reward_scale}
    objective = cf.responses.ResponseObjective()
    whole, first, second = (ORACLE.start(game, opponents, objective, **start) for _ in range(3))
    whole.advance_to(400)
    first.advance_to(233)
    second.restore(first.export_state())
    second.advance_to(400)
    for one, other in zip(whole.layers(), second.layers(), strict=True):
        np.testing.assert_array_equal(one[0], other[0])


def test_it_is_judged_and_searched(game):
    found = cf.true_regret(game, cf.Mixture((cf.UniformRandom(),), [1.0]), seed=1, response=ORACLE, num_simulations=60)
    assert np.isfinite(found.regret).all()
    config = cf.PSROConfig(num_iterations=1, num_simulations=20, response=ORACLE)
    result = cf.online_psro(game, config, seed=1, num_threads=2)
    assert result.model_fingerprint == game.fingerprint
    same = cf.online_psro(game, config, seed=1)
    np.testing.assert_array_equal(result.table.payoffs(0), same.table.payoffs(0))


# ---- all of a toy kind of policy


@dataclass(frozen=True)
class Timid:
    """Plays uniformly with probability ``doubt``, else the action of lowest number."""

    num_features: int
    num_actions: int
    doubt: float = 0.2

    @cached_property
    def core(self):
        weights = np.zeros((self.num_actions, self.num_features), np.float32)
        lowest = cf.NetworkPolicy(((weights, -np.arange(self.num_actions, dtype=np.float32)),))
        return cf.PerStepMixture((lowest, cf.UniformRandom()), (1 - self.doubt, self.doubt)).core


def test_a_toy_kind_of_policy_plays(game):
    timid = Timid(game.spec.information_state_size, game.spec.num_actions)
    played = cf.simulate(game, [timid, cf.Mixture((timid,), [1.0])], num_episodes=300, seed=0, record=True)
    assert played.trajectories["action"].mean() == pytest.approx(0.1, abs=0.03)
    assert cf.generate_dataset(game, timid, 20, seed=0).action.mean() < 0.3
    with pytest.raises(cf.InvalidArgumentError, match="to be saved, got Timid"):
        cf.Solution.extract([timid], cf.PayoffTable.symmetric([[0.0]]), cf.meta_solvers.Uniform()).save("nowhere")
