"""Play and exact computation over a tree, against the twin, on random trees of three players with chance and luck."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast import _core
from coffee_fast._reference import game_tree as twin

NUM_PLAYERS, NUM_ACTIONS, NUM_OUTCOMES, DEPTH = 3, 4, 5, 6
SEEDS = range(4)


LUCK = -3
SIZES = {"num_players": NUM_PLAYERS, "num_actions": NUM_ACTIONS, "num_chance_outcomes": NUM_OUTCOMES}


def random_tree(seed, forgets=False, luck_share=0.0, num_members=1):
    """Arrays of a tree in which players see some of what happens, and all of their own moves unless they forget."""
    rng = np.random.default_rng(seed)
    columns = {name: [] for name in ("players", "num_children", "actions", "probabilities", "information_sets")}
    sets, rows = {}, []
    level = [(0, 1.0, [()] * NUM_PLAYERS)]  # action, probability, each player's memory
    for depth in range(DEPTH + 1):
        following = []
        for action, probability, memories in level:
            columns["actions"].append(action)
            columns["probabilities"].append(probability)
            player = -2 if depth == DEPTH or (depth > 2 and rng.random() < 0.2) else int(rng.integers(-1, NUM_PLAYERS))
            if luck_share and depth < 2:  # luck, and then a player
                player = LUCK if depth == 0 else 0
            elif player == -1 and rng.random() < luck_share:
                player = LUCK
            columns["players"].append(player)
            number, count = -1, 0
            if player >= 0:
                own = memories[player][-1:] if forgets else memories[player]
                number, count = sets.setdefault((player, own), (len(sets), int(rng.integers(1, NUM_ACTIONS + 1))))
            elif player in (-1, LUCK):
                count = int(rng.integers(1, NUM_OUTCOMES + 1))
            columns["information_sets"].append(number)
            columns["num_children"].append(count)
            rows.append([0] * NUM_PLAYERS if player < 0 else [number if i == player else 0 for i in range(NUM_PLAYERS)])
            weights = rng.dirichlet(np.ones(max(count, 1)))
            for move in range(count):
                signal = int(rng.integers(2))
                memory = [(*seen, (signal, move)) if i == player else seen for i, seen in enumerate(memories)]
                following.append((move, float(weights[move]) if player in (-1, LUCK) else 1.0, memory))
        level = following
    num_nodes = len(rows)
    types = {"players": np.int8, "probabilities": np.float64}
    return {
        **{name: np.array(values, types.get(name, np.int32)) for name, values in columns.items()},
        "observation_rows": np.array(rows, np.int32),
        "observations": rng.normal(size=(max(len(sets), 1), 2)).astype(np.float32),
        "payoffs": rng.normal(size=(6, NUM_PLAYERS * num_members)),
        "payoff_rows": rng.integers(6, size=num_nodes).astype(np.int32),
        "hidden_rows": rng.integers(3, size=num_nodes).astype(np.int32),
        "hidden": rng.normal(size=(3, 2)).astype(np.float32),
        **({"num_members": num_members} if num_members > 1 else {}),
    }


def core_of(arrays):
    return _core.GameTree(**SIZES, terminal_state_value=-1.0, **arrays)


def random_profiles(core, count, seed, pure_share=0.3):
    """Distributions at each information set, some of them pure, so that parts of the tree are never reached."""
    rng, starts = np.random.default_rng(seed), core.sequence_starts()
    profiles = np.zeros((count, core.num_sequences))
    for profile in profiles:
        for first, end in itertools.pairwise(starts):
            here = rng.dirichlet(np.ones(end - first))
            profile[first:end] = np.eye(end - first)[0] if rng.random() < pure_share else here
    return profiles


@pytest.fixture(scope="module", params=[*SEEDS, "luck"])
def pair(request):
    """A tree of chance that moves in the open; or one with luck before the first move too, and three members."""
    is_lucky = request.param == "luck"
    arrays = random_tree(4, luck_share=0.5, num_members=3) if is_lucky else random_tree(request.param)
    return core_of(arrays), twin.GameTree(**arrays)


def test_the_trees_are_worth_testing(pair):
    core, tree = pair
    assert core.num_nodes > 50
    assert core.num_information_sets > 10
    assert {-2, -1, 0, 1, 2} == set(tree.players.tolist()) - {LUCK}
    assert (tree.players[0] == LUCK) == (core.num_members == 3) == ((tree.players == LUCK).sum() > 5)
    assert core.num_nodes > core.num_information_sets + (tree.players < 0).sum()  # sets of several nodes
    assert core.forgetful_set == tree.forgetful_set() == -1


def test_sequences_equal_the_twins(pair):
    core, tree = pair
    np.testing.assert_array_equal(core.sequence_starts(), tree.sequence_starts)
    for number, parent in enumerate(core.parent_sequences().tolist()):
        node = int(np.flatnonzero(tree.sets == number)[0])
        player = int(tree.players[node])
        assert core.information_set_players()[number] == player
        assert parent == (tree.own_sequences(player)[node] or [-1])[-1]


def test_profile_values_equal_the_twins(pair):
    core, tree = pair
    for profile in random_profiles(core, 5, 0):
        np.testing.assert_allclose(core.profile_values(profile), twin.profile_values(tree, profile), atol=1e-12)


def test_best_responses_equal_the_twins(pair):
    core, tree = pair
    for profile in random_profiles(core, 5, 1, pure_share=0.0):
        for player, member in itertools.product(range(NUM_PLAYERS), range(-1, core.num_members)):
            value, actions = core.best_response(profile, player, member)
            expected, chosen = twin.best_response(tree, profile, player, member)
            assert value == pytest.approx(expected, abs=1e-12)
            np.testing.assert_array_equal(actions, chosen)


def test_a_best_response_earns_its_value_and_nothing_earns_more(pair):
    core, _ = pair

    def worth(profile):
        return core.profile_values(profile).reshape(NUM_PLAYERS, -1).mean(axis=1)

    starts, all_actions = core.sequence_starts(), core.sequence_actions()
    sets = np.repeat(np.arange(core.num_information_sets), np.diff(starts))
    others = random_profiles(core, 20, 3)
    for profile in random_profiles(core, 3, 2):
        for player in range(NUM_PLAYERS):
            own = core.information_set_players()[sets] == player
            value, actions = core.best_response(profile, player)
            best = np.where(own, all_actions == actions[sets], profile)
            assert worth(best)[player] == pytest.approx(value, abs=1e-12)
            for other in others:
                assert worth(np.where(own, other, profile))[player] <= value + 1e-12


@pytest.mark.parametrize("pure_share", [0.0, 0.6])
def test_behavior_of_mixtures_equals_the_twins(pair, pure_share):
    core, tree = pair
    policies, weights = random_profiles(core, 4, 4, pure_share), np.array([0.4, 0.3, 0.0, 0.3])
    for player in range(NUM_PLAYERS):
        behavior = core.mixture_behavior(player, policies, weights)
        np.testing.assert_allclose(behavior, twin.mixture_behavior(tree, player, policies, weights), atol=1e-12)


def test_the_behavior_of_a_mixture_earns_what_drawing_one_policy_an_episode_earns(pair):
    """Kuhn's theorem; the mean of the policies at each information set does not have this property."""
    core, _ = pair
    policies, weights = random_profiles(core, 3, 5), np.array([0.5, 0.2, 0.3])
    sets = np.repeat(np.arange(core.num_information_sets), np.diff(core.sequence_starts()))
    against = random_profiles(core, 1, 6)[0]
    differs = False
    for player in range(NUM_PLAYERS):
        own = core.information_set_players()[sets] == player
        drawn = sum(
            w * core.profile_values(np.where(own, policy, against)) for w, policy in zip(weights, policies, strict=True)
        )
        behavior = core.mixture_behavior(player, policies, weights)
        np.testing.assert_allclose(core.profile_values(np.where(own, behavior, against)), drawn, atol=1e-12)
        mean = np.where(own, weights @ policies, against)
        differs |= np.abs(core.profile_values(mean) - drawn).max() > 1e-6
    assert differs


def test_episodes_equal_the_twins(pair):
    core, tree = pair
    uniform = ([cf.UniformRandom().core], [1.0])
    out = _core.rollout(core, [uniform] * NUM_PLAYERS, 40, 7, record=True)
    steps = out["trajectories"]
    for episode in range(40):
        moves, returns, disagreement = twin.uniform_episode(tree, NUM_OUTCOMES, 7, episode)
        rows = slice(*steps["trajectory_offsets"][episode : episode + 2])
        assert steps["action"][rows].tolist() == moves
        np.testing.assert_allclose(out["returns"][episode], returns, atol=1e-12)
        assert out["disagreement"][episode] == pytest.approx(disagreement, abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_records_are_what_the_arrays_say(seed):
    core, tree = core_of(random_tree(seed)), twin.GameTree(**random_tree(seed))
    arrays = tree.arrays
    steps = _core.rollout(core, [([cf.UniformRandom().core], [1.0])] * NUM_PLAYERS, 20, 1, record=True)["trajectories"]
    masks = np.unpackbits(steps["legal_mask"], axis=1, count=NUM_ACTIONS, bitorder="little")
    for first, end in zip(steps["trajectory_offsets"][:-1], steps["trajectory_offsets"][1:], strict=True):
        node = 0
        for step in range(first, end):
            seen = arrays["observations"][arrays["observation_rows"][node]]
            assert steps["acting_player"][step] == tree.players[node]
            np.testing.assert_array_equal(steps["observation"][step], seen)
            hidden = arrays["hidden"][arrays["hidden_rows"][node]]
            np.testing.assert_array_equal(steps["state"][step], [*seen.ravel(), *hidden])
            legal = tree.actions[tree.children(node)].tolist()
            assert np.flatnonzero(masks[step]).tolist() == (legal if tree.players[node] >= 0 else [])
            node = tree.children(node)[legal.index(steps["action"][step])]
            np.testing.assert_allclose(steps["reward"][step], tree.payoffs[node], rtol=1e-6)
            assert steps["terminal"][step] == (tree.players[node] == -2)
        assert (steps["next_state"][end - 1] == -1.0).all()


def test_threads_and_chunks_change_no_bit(pair):
    core, _ = pair
    players = [([cf.UniformRandom().core], [1.0])] * NUM_PLAYERS
    once = _core.rollout(core, players, 300, 3)
    again = _core.rollout(core, players, 300, 3, num_threads=3, chunk_size=17)
    for name in ("returns", "lengths"):
        np.testing.assert_array_equal(once[name], again[name])


def test_who_forgets_is_named_and_refused():
    found = [core_of(random_tree(seed, forgets=True)) for seed in SEEDS]
    twins = [twin.GameTree(**random_tree(seed, forgets=True)) for seed in SEEDS]
    assert [core.forgetful_set for core in found] == [tree.forgetful_set() for tree in twins]
    core = next(core for core in found if core.forgetful_set >= 0)
    profiles = random_profiles(core, 2, 0)
    assert np.isfinite(core.profile_values(profiles[0])).all()
    for refused in (
        lambda: core.best_response(profiles[0], 0),
        lambda: core.mixture_behavior(0, profiles, np.array([0.5, 0.5])),
    ):
        with pytest.raises(cf.InvalidArgumentError, match=f"needs perfect recall.*set {core.forgetful_set} does not"):
            refused()


def spoiled(name, place, value):
    arrays = random_tree(0)
    arrays[name] = arrays[name].copy()
    arrays[name][place] = value
    return arrays


MALFORMED = {
    "a player beyond": ("players", 0, 3, "players must lie in [-3, 3), got 3 at node 0"),
    "an end with moves": ("players", 0, -2, "num_children must be 1 or more where someone is to move and 0 where"),
    "too many children": ("num_children", 1, 2**30, "got more at node 1"),
    "no such move": ("actions", 2, 9, "got 9 after"),
    "no such payoff": ("payoff_rows", 3, 6, "payoff_rows must lie in [0, 6), got 6 at node 3"),
    "no such observation": ("observation_rows", 0, -1, "observation_rows must lie in [0,"),
    "no such hidden row": ("hidden_rows", 0, 3, "hidden_rows must lie in [0, 3), got 3 at node 0"),
    "a payoff of NaN": ("payoffs", (0, 0), np.nan, "payoffs must be finite"),
    "an infinite observation": ("observations", (0, 0), np.inf, "observations must be finite"),
    "no probability": ("probabilities", 1, 0.0, "probabilities must"),
    "a set out of order": ("information_sets", slice(None), 10**6, "information_sets must be"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_arrays_are_refused(case):
    name, place, value, message = MALFORMED[case]
    with pytest.raises(cf.InvalidArgumentError) as caught:
        core_of(spoiled(name, place, value))
    assert message in str(caught.value)


@pytest.mark.parametrize("name", sorted(set(random_tree(0)) - {"observations", "hidden"}))
def test_arrays_of_other_lengths_are_refused(name):
    arrays = random_tree(0)
    arrays[name] = np.ascontiguousarray(arrays[name][..., :-1])  # of observations a column less is as good
    with pytest.raises(cf.InvalidArgumentError, match="num_children" if name == "players" else name):
        core_of(arrays)


def test_profiles_that_are_none_are_refused(pair):
    core, _ = pair
    profile = random_profiles(core, 1, 0)[0]
    for spoil, message in (
        (lambda p: p[:-1], "profile must have"),
        (lambda p: p * 0.5, "must sum to 1"),
        (lambda p: np.where(p == p.max(), np.nan, p), "must be nonnegative, got nan"),
    ):
        with pytest.raises(cf.InvalidArgumentError, match=message):
            core.profile_values(spoil(profile.copy()))
    with pytest.raises(cf.InvalidArgumentError, match="player must lie in"):
        core.best_response(profile, 3)
    with pytest.raises(cf.InvalidArgumentError, match="weights must sum to 1"):
        core.mixture_behavior(0, np.stack([profile, profile]), np.array([0.5, 0.4]))


def test_states_and_information_states_may_be_given():
    """Then a state is what is hidden alone, and policies are told what the information set says."""
    arrays = random_tree(0)
    num_sets = int(arrays["information_sets"].max()) + 1
    known = np.random.default_rng(1).normal(size=(num_sets, 5)).astype(np.float32)
    given = {"observations_in_state": False, "information_states": known, "max_episode_length": DEPTH + 3}
    core = _core.GameTree(**SIZES, terminal_state_value=-1.0, **arrays, **given)
    assert (core.state_size, core.information_state_size, core.max_episode_length) == (2, 5, DEPTH + 3)
    np.testing.assert_array_equal(core.information_states(), known)
    uniform = [([cf.UniformRandom().core], [1.0])] * NUM_PLAYERS
    steps = _core.rollout(core, uniform, 5, 1, record=True)["trajectories"]
    np.testing.assert_array_equal(steps["state"][0], arrays["hidden"][arrays["hidden_rows"][0]])
    plain = _core.rollout(core_of(arrays), uniform, 5, 1, record=True)["trajectories"]
    np.testing.assert_array_equal(plain["action"], steps["action"])
    for wrong, message in (
        ({"information_states": known[:-1]}, "information_states must have"),
        ({"max_episode_length": 2}, "max_episode_length must be at least"),
        ({"num_members": 2}, "payoffs must have 6 columns"),
        ({"information_states": known * np.float32(np.inf)}, "information_states must be finite"),
    ):
        with pytest.raises(cf.InvalidArgumentError, match=message):
            _core.GameTree(**SIZES, terminal_state_value=-1.0, **arrays, **(given | wrong))
    ends_by_luck = {"players": np.array([LUCK, -2], np.int8), "num_children": np.array([1, 0], np.int32)}
    with pytest.raises(cf.InvalidArgumentError, match="luck alone leads to its end at node 1"):
        core_of(
            {name: array[:2] if len(array) == len(arrays["players"]) else array for name, array in arrays.items()}
            | ends_by_luck
        )
    with pytest.raises(cf.InvalidArgumentError, match="member must lie in"):
        core.best_response(np.ones(core.num_sequences), 0, 1)
