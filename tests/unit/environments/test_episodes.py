"""Episodes stepped by hand are those that are simulated, in games, trees and models."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import coffee_fast as cf
from coffee_fast.environments import Episodes
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.policies import NetworkPolicy
from coffee_fast.responses._initial_weights import initial_layers


@pytest.fixture(scope="module")
def model():
    log = cf.generate_dataset(cf.load_game("generalized_bargaining"), num_trajectories=60, seed=0)
    sizes = {"num_members": 2, "hidden_sizes": (8,), "num_steps": 20, "num_reward_steps": 20}
    return cf.DynamicsEnsemble.fit(log, cf.EnsembleConfig(**sizes), seed=0)


def games(model):
    return [
        cf.load_game("generalized_bargaining"),
        model,
        *(cf.load_game(f"openspiel:{name}") for name in ("leduc_poker", "goofspiel(num_cards=3,imp_info=True)")),
    ]


def test_they_are_the_episodes_of_a_simulation(model):
    for game in games(model):
        spec = game.spec
        policy = NetworkPolicy(initial_layers((spec.information_state_size, 8, spec.num_actions), 3, "torch"))
        played = cf.simulate(game, [policy] * spec.num_players, num_episodes=20, seed=5)
        episodes = Episodes(game, 20, seed=5)
        total, unsure = episodes.returns, np.zeros(20)
        while not episodes.is_over.all():
            is_on = ~episodes.is_over
            logits = np.where(episodes.legal_masks != 0, policy.network.forward(episodes.information_states), -np.inf)
            assert episodes.legal_masks[is_on].any(axis=1).all()
            assert not episodes.legal_masks[~is_on].any()
            rewards, disagreement = episodes.step(np.where(is_on, logits.argmax(axis=1), -9))
            total, unsure = total + rewards, unsure + disagreement
        assert_allclose(episodes.returns, played.returns, rtol=1e-12)
        assert_allclose(total, played.returns, rtol=1e-12)
        assert_allclose(unsure, played.disagreement, rtol=1e-12)


def test_places_do_not_matter_and_new_episodes_are_the_next():
    game = cf.load_game("openspiel:leduc_poker")
    many, one = Episodes(game, 5, seed=1), Episodes(game, 1, seed=1)
    for place in range(5):
        assert_array_equal(many.information_states[place], one.information_states[0])
        assert many.players[place] == one.players[0]
        one.begin([0])
    many.begin([3])  # the sixth
    assert_array_equal(many.information_states[3], one.information_states[0])


def test_only_what_is_over_begins_anew_by_default():
    episodes = Episodes(cf.load_game("openspiel:kuhn_poker"), 40, seed=0)
    rng = np.random.default_rng(0)
    while not episodes.is_over.any():
        episodes.step(rng.integers(2, size=40))
    goes_on = ~episodes.is_over
    before = episodes.information_states
    episodes.begin()
    assert not episodes.is_over.any()
    assert_array_equal(episodes.information_states[goes_on], before[goes_on])


def test_what_cannot_be_played_is_refused():
    episodes = Episodes(cf.load_game("generalized_bargaining"), 2, seed=0)
    before = episodes.information_states
    with pytest.raises(InvalidArgumentError, match="actions must be legal, got 999 in lane 1"):
        episodes.step([int(episodes.legal_masks[0].argmax()), 999])
    with pytest.raises(InvalidArgumentError, match=r"step: actions must be 2 integers, got \[0.5, 1\]"):
        episodes.step([0.5, 1])
    with pytest.raises(InvalidArgumentError, match="actions must be 2 integers"):
        episodes.step([0])
    with pytest.raises(InvalidArgumentError, match=r"which must be different numbers in \[0, 2\)"):
        episodes.begin([0, 0])
    assert_array_equal(episodes.information_states, before)
    with pytest.raises(InvalidArgumentError, match="must be a game or a DynamicsEnsemble"):
        Episodes("kuhn", 2, seed=0)
