"""Whether a log is random: what like states and actions led to."""

from __future__ import annotations

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.models.figures_of_log import repeats


def unlike(dataset):
    """The counts of a log that are not zero, but for how often anything is repeated."""
    return {name for name, count in repeats(dataset).items() if count and name != "num_repeated"}


def test_a_coin_between_two_moves_is_found(toy_log):
    random, same = (repeats(toy_log(60, is_random=is_random)) for is_random in (True, False))
    assert random["num_unlike_states"] > 20
    assert random["num_repeated"] > 100
    assert random["num_unlike_ends"] == random["num_unlike_rewards"] == random["num_unlike_views"] == 0
    assert same["num_repeated"] > 100
    assert unlike(toy_log(60, is_random=False)) == set()


def test_counts_are_those_of_a_slow_count(toy_log):
    log = toy_log(40, is_random=True)
    after = {}
    for state, action, following in zip(log.state, log.action, log.next_state, strict=True):
        after.setdefault((*state.tolist(), int(action)), []).append(following.tolist())
    groups = [group for group in after.values() if len(group) > 1]
    assert repeats(log)["num_repeated"] == sum(map(len, groups))
    assert repeats(log)["num_unlike_states"] == sum(
        len(group) for group in groups if any(following != group[0] for following in group)
    )


@pytest.mark.parametrize("num_trajectories", [40, 400, 2000])
def test_bargaining_has_none(num_trajectories):
    game = cf.load_game("generalized_bargaining")
    for is_mirrored in (True, False):
        log = cf.generate_dataset(game, num_trajectories=num_trajectories, seed=2, mirrored=is_mirrored)
        assert unlike(log) == set()


def test_the_card_in_the_middle_of_leduc_is_found():
    pyspiel = pytest.importorskip("pyspiel")
    game, rng, rows = pyspiel.load_game("leduc_poker"), np.random.default_rng(0), []
    for trajectory in range(150):
        state = game.new_initial_state()
        while not state.is_terminal():
            if state.is_chance_node():
                cards, chances = zip(*state.chance_outcomes(), strict=True)
                state.apply_action(int(rng.choice(cards, p=chances)))
                continue
            views = [state.information_state_tensor(player) for player in range(2)]
            action, player = int(rng.choice(state.legal_actions())), state.current_player()
            state.apply_action(action)
            reward = state.returns() if state.is_terminal() else [0.0, 0.0]
            rows.append((trajectory, np.concatenate(views), views, action, player, reward))
    names = ("trajectory", "state", "observation", "action", "acting_player", "reward")
    size = len(rows[0][1])
    spec = cf.GameSpec("leduc", 2, 3, np.eye(3), size, size // 2, history_start=size // 2, max_episode_length=8)
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    assert unlike(cf.TrajectoryDataset.from_transitions(spec, columns)) == {"num_unlike_states"}


def test_what_the_state_leaves_out_is_found(toy_log):
    def forget(*entries):
        def change(states):
            states = states.copy()
            states[:, entries] = 0
            return states

        return change

    assert "num_unlike_states" in unlike(toy_log(60, is_random=False, state=forget(1, 3)))  # the first number
    assert "num_unlike_rewards" in unlike(toy_log(60, is_random=False, state=forget(2, 3)))  # the lamp
    assert "num_unlike_views" in unlike(toy_log(60, is_random=False, state=forget(4)))  # what it is worth
    assert "num_unlike_ends" in unlike(toy_log(60, is_random=False, state=forget(0)))  # moves made


def test_random_payoffs_are_told_apart_from_random_states(toy_log):
    rng = np.random.default_rng(1)
    factors = rng.choice([0.5, 1.5], size=(240, 1))
    noisy = toy_log(60, is_random=False, reward=lambda rewards: rewards * factors)
    assert unlike(noisy) == {"num_unlike_rewards"}


def test_what_is_measured_imprecisely_is_not_random(toy_log):
    rng = np.random.default_rng(1)
    jitter = toy_log(60, is_random=False, reward=lambda rewards: rewards + rng.normal(0, 1e-3, rewards.shape))
    assert unlike(jitter) == set()
