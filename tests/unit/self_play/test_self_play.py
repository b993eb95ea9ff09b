"""Self-play: what is kept, what chooses among it, and what comes back."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.empirical import EmpiricalGame, simulate_missing
from coffee_fast.seeding import derive_seed
from coffee_fast.self_play import judging
from coffee_fast.self_play.judging import judge


@pytest.fixture(scope="module")
def found(tiny_model, tiny):
    return cf.self_play_snapshots(tiny_model, tiny, seed=3)


@pytest.fixture(scope="module")
def solution(tiny_model, tiny):
    return cf.anchored_self_play(tiny_model, tiny, seed=3)


@pytest.fixture(scope="module")
def cloned():
    rng = np.random.default_rng(3)
    return cf.NetworkPolicy([(rng.normal(scale=0.1, size=(109, 41)), np.zeros(109))], kind="softmax")


def test_history_has_a_row_for_each_update(found, tiny):
    expected = {"returns": (6, 2), "disagreement": (6,), "kl_weight": (6,), "learning_rate": (6,)}
    expected |= dict.fromkeys(("kl", "kl_per_episode", "entropy", "step_kl", "value_error", "clipped"), (6, 1))
    assert {name: rows.shape for name, rows in found.history.items()} == expected | {"num_decisions": (6, 1)}
    assert all(rows.dtype == np.float64 and np.isfinite(rows).all() for rows in found.history.values())
    np.testing.assert_array_equal(found.history["kl_weight"], [tiny.kl_weight_at(update) for update in range(6)])


def test_adversaries_have_figures_of_their_own(tiny_model, tiny):
    found = cf.self_play_snapshots(tiny_model, dataclasses.replace(tiny, risk_aversion=1.0), seed=3)
    assert found.history["adversary_kl"].shape == (6, 1)
    assert (found.history["adversary_kl"][1:] > 0).all()
    assert {found.history[name].shape for name in ("kl", "entropy", "num_decisions")} == {(6, 1)}
    np.testing.assert_array_equal(*found.history["returns"].T)  # both seats are of the one role that met the adversary


def test_one_player_alone_has_nobody_to_be_averse_to(tiny, tmp_path):
    (tmp_path / "alone.efg").write_text(
        'EFG 2 R "alone" { "one" }\np "" 1 1 "" { "a" "b" } 0\nt "" 1 "" { 1 }\nt "" 2 "" { 2 }\n'
    )
    tree = cf.GameTree(f"gambit:{tmp_path}/alone.efg")
    with pytest.raises(cf.errors.ConfigError, match="risk_aversion .* must be 0 in a game of one player, got 2"):
        cf.anchored_self_play(tree, dataclasses.replace(tiny, risk_aversion=2.0), seed=0)


def test_snapshots_are_the_averaged_policies_of_their_updates(found, tiny, tiny_model):
    assert found.updates == (5, 6)
    np.testing.assert_array_equal(found.kl_weights, found.history["kl_weight"][[4, 5]])
    assert [[policy.kind for policy in own] for own in found.snapshots] == [["softmax"]] * 2
    assert found.by_role == (tuple(own[0] for own in found.snapshots),)
    last = cf.self_play_snapshots(tiny_model, dataclasses.replace(tiny, averaging=0.0), seed=3)
    average = [weights for weights, _ in found.snapshots[1][0].layers]
    assert not np.array_equal(average[0], last.snapshots[1][0].layers[0][0])


def test_the_solution_is_the_snapshot_of_the_least_pessimistic_regret(found, solution, tiny, tiny_model):
    history = solution.history
    chosen = int(history["snapshot_pessimistic_regret"].sum(axis=1).argmin())
    np.testing.assert_array_equal(history["snapshot_chosen"], np.eye(2)[chosen])
    np.testing.assert_array_equal(solution.pessimistic_regret, history["snapshot_pessimistic_regret"][chosen])
    np.testing.assert_array_equal(solution.model_regret, history["snapshot_model_regret"][chosen])
    assert (history["snapshot_pessimistic_regret"] >= history["snapshot_model_regret"]).all()
    ((weights, _), *_), ((same, _), *_) = solution.policies[0].layers, found.snapshots[chosen][0].layers
    np.testing.assert_array_equal(weights, same)
    assert (solution.status, solution.solver["kind"], solution.num_solver_iterations) == ("complete", "self_play", 6)
    assert solution.probabilities.tolist() == [1.0]
    by_hand = simulate_missing(
        EmpiricalGame(2), tiny_model, solution.policies, tiny.num_simulations, seed=derive_seed(3, "payoffs")
    )
    np.testing.assert_array_equal(solution.table.payoffs(0), by_hand.table().payoffs(0))


def test_a_snapshot_that_loses_to_its_response_is_not_chosen(monkeypatch, found, tiny, tiny_model):
    """Tables that say what a response gains against each snapshot."""
    gains = iter([3.0, 1.0])

    def table(*_):
        gain = next(gains)
        return cf.PayoffTable.symmetric([[[0.0, 0.0], [gain, 0.0]], [[-1.0, 0.0], [gain, 0.0]]])

    monkeypatch.setattr(judging, "_table", table)
    from coffee_fast.psro.execution import Execution

    judgement = judge(found.snapshots, tiny_model, tiny, 3, Execution())
    assert judgement.chosen == 1
    np.testing.assert_allclose(judgement.model_regret, [[3.5, 3.5], [1.5, 1.5]])
    np.testing.assert_allclose(judgement.pessimistic_regret, [[4.0, 4.0], [2.0, 2.0]])


def test_in_a_tree_regrets_are_exact_and_nothing_is_trained(tiny):
    tree = cf.GameTree("openspiel:kuhn_poker")
    config = dataclasses.replace(tiny, judge=dataclasses.replace(tiny.judge, num_steps=10**9))
    solution = cf.anchored_self_play(tree, config, seed=0)
    np.testing.assert_array_equal(solution.model_regret, cf.exact_regret(tree, solution).regret)
    assert [len(mixture.policies) for mixture in solution.by_role] == [1, 1]
    assert solution.history["returns"].shape == (6, 2)


def test_a_solution_keeps_its_history_in_its_file(solution, tmp_path):
    solution.save(tmp_path / "solution")
    again = cf.Solution.load(tmp_path / "solution")
    assert set(again.history) == set(solution.history)
    for name, rows in solution.history.items():
        np.testing.assert_array_equal(again.history[name], rows)
    assert again.solver == solution.solver
    played = [
        cf.simulate(cf.load_game("generalized_bargaining"), own.mixtures, num_episodes=20, seed=1).returns
        for own in (solution, again)
    ]
    np.testing.assert_array_equal(*played)


def test_a_solution_without_a_history_has_none_in_its_file(model, config, tmp_path):
    cf.coffee_psro(model, config, seed=3).solve().save(tmp_path / "solution")
    assert '"history"' not in (tmp_path / "solution" / "solution.json").read_text()
    assert cf.Solution.load(tmp_path / "solution").history is None


def test_self_play_in_the_true_game_has_no_disagreement(game, tiny):
    solution = cf.anchored_self_play(game, tiny, seed=0)
    assert solution.table.num_members == 1
    assert not solution.history["disagreement"].any()


def test_learning_starts_at_the_reference_and_a_large_weight_holds_it_there(game, tiny, cloned):
    config = dataclasses.replace(tiny, num_updates=30, num_episodes=200, reference="cloned")
    config = dataclasses.replace(config, learning_rate=0.01, learning_rate_end=0.01)
    kl = {}
    for weight in (0.01, 20.0):
        anchored = dataclasses.replace(config, kl_weight=weight, kl_weight_end=weight)
        found = cf.self_play_snapshots(game, anchored, seed=0, reference=cloned)
        kl[weight] = found.history["kl"][:, 0]
        assert kl[weight][0] < 1e-6  # of the first episodes
        assert found.updates == (0, *config.snapshot_updates[1:])
        for own, given in zip(found.by_role[0][0].layers, cloned.layers, strict=True):
            np.testing.assert_array_equal(own[0], given[0])
            np.testing.assert_array_equal(own[1], given[1])
    assert kl[20.0][-1] < 0.1 * kl[0.01][-1]


def test_a_reference_of_another_temperature_and_size_is_started_from(game, tiny):
    rng = np.random.default_rng(0)
    sizes = (41, 12, 10, 109)
    layers = [
        (0.3 * rng.standard_normal((after, before)).astype(np.float32), np.zeros(after, np.float32))
        for before, after in itertools.pairwise(sizes)
    ]
    reference = cf.NetworkPolicy(layers, kind="softmax", temperature=0.5)
    config = dataclasses.replace(tiny, reference="cloned", kl_weight=0.1, kl_weight_end=0.1)
    for risk_aversion in (0.0, 1.0):  # adversaries start there, too
        own = dataclasses.replace(config, risk_aversion=risk_aversion)
        found = cf.self_play_snapshots(game, own, seed=0, reference=reference)
        assert found.history["kl"][0, 0] < 1e-4 < found.history["kl"][-1, 0]
        states = rng.standard_normal((5, 41)).astype(np.float32)
        legal = np.ones((5, 109), np.uint8)
        started = found.by_role[0][0].probabilities(states, legal)
        np.testing.assert_allclose(started, reference.probabilities(states, legal), rtol=1e-5, atol=1e-7)


def test_players_whom_nothing_betters_in_the_model_are_given_back(tiny):
    """Kuhn poker's equilibrium, as a network that reads its one-hot inputs."""
    tree = cf.GameTree("openspiel:kuhn_poker")
    found = cf.mirror_descent(tree, kl_weight=1.0, final_kl_weight=1e-3, num_iterations=3000)
    references = [as_network(tree, player, found) for player in range(2)]
    config = dataclasses.replace(tiny, reference="cloned", kl_weight=0.01, kl_weight_end=0.01, learning_rate=0.05)
    solution = cf.anchored_self_play(tree, config, seed=0, reference=references)
    assert solution.history["snapshot_chosen"].tolist() == [1.0, *np.zeros(config.num_snapshots)]
    assert cf.exact_regret(tree, solution.mixtures).nash_conv < 0.01
    assert solution.history["snapshot_pessimistic_regret"][1:].sum(axis=1).min() > 0.01


def as_network(tree, player, profile):
    """A player's strategy as a softmax policy, of whose hidden units one is 1 in each situation and the others 0."""
    states = tree.information_states[tree.information_set_players == player].astype(np.float32)
    legal = np.ones((len(states), tree.spec.num_actions), np.uint8)
    play = profile.mixtures[player].policies[0].probabilities(states, legal)
    find = (2.0 * states - 1.0, 1.0 - states.sum(axis=1))
    return cf.NetworkPolicy((find, (np.log(play + 1e-9).T, np.zeros(len(play.T)))), kind="softmax")


@pytest.mark.parametrize(
    ("reference", "given", "message"),
    [
        (
            "uniform",
            cf.UniformRandom(),
            "reference must be None where config.reference is 'uniform', got UniformRandom",
        ),
        ("cloned", None, "must be a NetworkPolicy of kind 'softmax' .* got None; clone_roles makes such"),
        ("cloned", cf.UniformRandom(), "must be a NetworkPolicy of kind 'softmax'"),
        ("cloned", cf.NetworkPolicy([(np.zeros((109, 41)), np.zeros(109))]), "of kind 'softmax' .* got NetworkPolicy"),
        (
            "cloned",
            cf.NetworkPolicy([(np.zeros((109, 40)), np.zeros(109))], kind="softmax"),
            "from 41 inputs to 109 actions, got NetworkPolicy",
        ),
        ("cloned", [], "must be a NetworkPolicy"),
    ],
)
def test_what_is_no_reference_is_refused(game, tiny, reference, given, message):
    config = dataclasses.replace(tiny, reference=reference)
    for function in (cf.anchored_self_play, cf.self_play_snapshots):
        with pytest.raises(cf.InvalidArgumentError, match=f"{function.__name__}: reference must be ") as caught:
            function(game, config, 0, reference=given)
        assert caught.match(message)


def test_roles_have_a_reference_each(tiny):
    tree = cf.GameTree("openspiel:kuhn_poker")
    policy = cf.NetworkPolicy([(np.zeros((2, 11)), np.zeros(2))], kind="softmax")
    config = dataclasses.replace(tiny, reference="cloned")
    with pytest.raises(cf.InvalidArgumentError, match="reference must be 2 of NetworkPolicy, one a role, of kind"):
        cf.self_play_snapshots(tree, config, 0, reference=policy)
    assert len(cf.self_play_snapshots(tree, config, 0, reference=[policy, policy]).by_role) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": "bargaining"}, "model must be a game or a DynamicsEnsemble, got 'bargaining'"),
        ({"config": {}}, "config must be a SelfPlayConfig, got {}"),
        ({"seed": -1}, "seed must lie in"),
        ({"num_threads": -1}, "num_threads must be an integer >= 0"),
    ],
)
def test_wrong_arguments_are_named(game, tiny, arguments, message):
    with pytest.raises(cf.InvalidArgumentError, match=message):
        cf.anchored_self_play(**{"model": game, "config": tiny, "seed": 0} | arguments)
