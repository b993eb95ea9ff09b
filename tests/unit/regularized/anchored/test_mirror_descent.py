"""Mirror descent in game trees: its fixed points against other solvers and closed forms, laws, and what is refused."""

from __future__ import annotations

import itertools
import json
from types import SimpleNamespace

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast._reference.anchored_mirror_descent import anchored_mirror_descent
from coffee_fast.regularized import AnchoredProfile, gane, mirror_descent

pyspiel = pytest.importorskip("pyspiel")
NOTHING = np.zeros(0)


@pytest.fixture(scope="module")
def kuhn():
    return cf.GameTree("openspiel:kuhn_poker")


def matrix_tree(payoffs):
    """The tree of a table of payoffs, one array a player."""
    game = pyspiel.create_tensor_game([np.ravel(array).tolist() for array in payoffs], list(np.shape(payoffs[0])))
    return cf.GameTree(pyspiel.load_game(game) if isinstance(game, str) else game)


def random_payoffs(shape, seed):
    return list(np.random.default_rng(seed).normal(size=(len(shape), *shape)))


def played(tree, found):
    """``[Q]`` of a profile."""
    return sum(tree.sequence_probabilities("test", player, found) for player in range(tree.spec.num_players))


def one_move_policies(tree, found):
    """The only distribution of each player, in a tree of one decision a player."""
    return [found.policies[player].action_probabilities[0] for player in range(tree.spec.num_players)]


@pytest.mark.parametrize("shape", [(2, 2), (3, 4), (2, 3, 2), (2, 2, 2, 2)])
@pytest.mark.parametrize("kl_in_rewards", [True, False])
def test_one_decision_a_player_is_ganes_game(shape, kl_in_rewards):
    payoffs = random_payoffs(shape, 1)
    rng = np.random.default_rng(2)
    reference = [rng.dirichlet(np.ones(size)) for size in shape]
    tree = matrix_tree(payoffs)
    first = tree.information_states
    anchors = [cf.TablePolicy(first[i : i + 1], pad(x, tree)) for i, x in enumerate(reference)]
    settings = {"kl_weight": 0.8, "num_iterations": 20_000, "tolerance": 1e-16, "kl_in_rewards": kl_in_rewards}
    found = mirror_descent(tree, reference=anchors, **settings)
    expected = gane(cf.PayoffTable.from_arrays(payoffs), kl_weight=0.8, reference=reference, tolerance=1e-15)
    assert found.status == expected.status == "converged"
    for mine, other in zip(one_move_policies(tree, found), expected.mixtures, strict=True):
        np.testing.assert_allclose(mine[: len(other)], other, atol=1e-6)
    assert found.gap.max() <= 1e-16


def pad(row, tree):
    return np.pad(row, (0, tree.spec.num_actions - len(row)))[None]


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 2)])
def test_its_steps_there_are_those_of_anchored_mirror_descent(shape):
    payoffs, num_steps, weight, size = random_payoffs(shape, 3), 7, 0.3, 0.9
    tree = matrix_tree(payoffs)
    uniform = [np.full((1, count), -np.log(count)) for count in shape]
    expected = anchored_mirror_descent(
        [array[None] for array in payoffs],
        uniform,
        np.full((1, len(shape)), weight),
        num_iterations=num_steps + 1,  # of which the first is that of the reference
        step_size=np.array([size]),
    )
    found = mirror_descent(tree, kl_weight=weight, step_size=size, num_iterations=num_steps, tolerance=1e-300)
    for mine, other in zip(one_move_policies(tree, found), expected.last, strict=True):
        np.testing.assert_allclose(mine[: other.shape[1]], other[0], atol=1e-12)


def test_the_fixed_point_is_a_logit_equilibrium_of_agents(kuhn):
    """Each decision is an agent's, who answers what the player earns by its actions, given that it is reached."""
    weight = 0.1
    found = mirror_descent(kuhn, kl_weight=weight, kl_in_rewards=False, num_iterations=20_000, tolerance=1e-14)
    assert found.status == "converged"
    policy, starts = played(kuhn, found), kuhn.sequence_starts
    _, _, reach = kuhn.core.decision_values(np.log(policy), np.log(policy), 1.0, False)
    for number, player in enumerate(kuhn.information_set_players):
        here = slice(starts[number], starts[number + 1])
        earned = []
        for action in range(2):
            deviating = policy.copy()
            deviating[here] = np.eye(2)[action]
            earned.append(kuhn.core.profile_values(deviating)[player] / (reach[number] * weight))
        answer = np.exp(earned - np.max(earned))
        np.testing.assert_allclose(policy[here], answer / answer.sum(), atol=1e-6)


def test_where_the_kl_counts_in_rewards_no_policy_gains_in_payoff_less_kl(kuhn):
    weight = 0.1
    found = mirror_descent(kuhn, kl_weight=weight, num_iterations=20_000, tolerance=1e-14)
    policy, starts, uniform = played(kuhn, found), kuhn.sequence_starts, np.full(kuhn.core.num_sequences, np.log(0.5))

    def worth(profile):
        _, _, reach = kuhn.core.decision_values(np.log(profile), uniform, weight, True)
        paid = reach * kuhn.set_sums(profile * (np.log(profile) - uniform))
        players = kuhn.information_set_players
        penalties = [weight * paid[players == player].sum() for player in range(2)]
        return kuhn.core.profile_values(profile) - penalties

    at_rest, rng, gained = worth(policy), np.random.default_rng(0), []
    for player, share in itertools.product(range(2), [0.003, 0.1, 1.0]):
        own = np.repeat(kuhn.information_set_players == player, np.diff(starts))
        for _ in range(30):
            other = rng.dirichlet(np.ones(2), size=len(starts) - 1).ravel()
            mixed = np.where(own, (1 - share) * policy + share * other, policy)
            gained.append(worth(mixed)[player] - at_rest[player])
    assert -0.5 < max(gained) <= 1e-12
    agents = mirror_descent(kuhn, kl_weight=weight, kl_in_rewards=False, num_iterations=20_000)
    assert np.abs(played(kuhn, agents) - policy).max() > 0.01  # another fixed point


def test_a_falling_weight_comes_near_the_equilibrium_of_kuhn_poker(kuhn):
    found = mirror_descent(kuhn, final_kl_weight=0.001, num_iterations=20_000)
    assert found.nash_conv < 1e-3
    np.testing.assert_allclose(found.values, [-1 / 18, 1 / 18], atol=1e-3)
    np.testing.assert_allclose(found.regret, cf.exact_regret(kuhn, found).regret, atol=1e-12)
    np.testing.assert_allclose(found.values, cf.exact_regret(kuhn, found).values, atol=1e-12)
    for way in ("kl_weight", "nash_conv"):
        assert (np.diff(found.history[way]) < 0.0).all()
    assert found.kl_weight == pytest.approx(0.001)
    assert found.status == "max_iterations"


def test_a_reference_that_moves_leads_to_an_equilibrium_at_any_weight(kuhn):
    still = mirror_descent(kuhn, kl_weight=0.15, num_iterations=2000)
    moved = mirror_descent(kuhn, kl_weight=0.15, num_iterations=2000, reference_period=100)
    assert moved.nash_conv < 1e-6 < 1e-2 < still.nash_conv
    np.testing.assert_allclose(moved.values, [-1 / 18, 1 / 18], atol=1e-6)
    assert moved.status == "max_iterations"
    assert mirror_descent(kuhn, kl_weight=0.15, num_iterations=3000, reference_period=100).status == "converged"
    early = mirror_descent(kuhn, kl_weight=2.0, num_iterations=200, reference_period=100)
    assert early.gap.max() < 1e-11  # at rest around a reference that is far from where it leads
    assert early.nash_conv > 0.1
    assert early.status == "max_iterations"
    by_hand, reference = None, "uniform"
    for _ in range(3):
        by_hand = mirror_descent(kuhn, reference=reference, kl_weight=0.15, num_iterations=10, tolerance=1e-300)
        reference = by_hand
    once = mirror_descent(kuhn, kl_weight=0.15, num_iterations=30, reference_period=10)
    np.testing.assert_allclose(played(kuhn, once), played(kuhn, by_hand), atol=1e-12)
    np.testing.assert_allclose(once.gap, by_hand.gap, rtol=1e-9)


def test_three_players_come_near_an_equilibrium():
    tree = cf.GameTree("openspiel:kuhn_poker(players=3)")
    found = mirror_descent(tree, kl_weight=0.2, num_iterations=3000, reference_period=100)
    assert found.nash_conv < 2e-3 < cf.exact_regret(tree, "uniform_random").nash_conv
    assert len(found.policies) == len(found.mixtures) == 3
    np.testing.assert_allclose(found.values.sum(), 0.0, atol=1e-12)


def test_alone_a_player_gets_to_the_soft_optimum(scripted_game):
    """Whose value is known backwards: weight log mean e^(value / weight), the mean by the reference."""
    script = (
        *("chance", (0.3, ("move", 0, "a|1", ("end", (1.0,)), ("move", 0, "b|2", ("end", (5.0,)), ("end", (-2.0,)))))),
        (0.7, ("move", 0, "c|3", ("pay", (0.5,), ("end", (2.0,))), ("end", (2.0,)))),
    )
    tree = cf.GameTree(scripted_game(script, num_players=1))
    weight = 0.7
    found = mirror_descent(tree, kl_weight=weight, num_iterations=5000, tolerance=1e-15)

    def soft(*values):
        return weight * np.log(np.mean(np.exp(np.array(values) / weight)))

    later = soft(5.0, -2.0)
    rows = {name: found.policies[0].action_probabilities[i] for i, name in enumerate(tree.information_set_names)}
    for name, values in (("a", (1.0, later)), ("b", (5.0, -2.0)), ("c", (2.5, 2.0))):
        np.testing.assert_allclose(rows[name][:2], np.exp((np.array(values) - soft(*values)) / weight) / 2, atol=1e-6)
    assert found.status == "converged"
    greedy = mirror_descent(tree, kl_weight=0.01, num_iterations=5000)
    assert greedy.nash_conv < 1e-6
    np.testing.assert_allclose(greedy.values, [0.3 * 5.0 + 0.7 * 2.5], atol=1e-6)


def test_where_nobody_moves_there_is_nothing_to_find(scripted_game):
    tree = cf.GameTree(scripted_game(("chance", (0.25, ("end", (4.0, 0.0))), (0.75, ("end", (0.0, 2.0))))))
    found = mirror_descent(tree)
    np.testing.assert_allclose(found.values, [1.0, 1.5])
    assert (found.nash_conv, found.gap.tolist(), found.status) == (0.0, [0.0, 0.0], "converged")
    assert cf.exact_regret(tree, found).nash_conv == 0.0
    idle = cf.GameTree(scripted_game(("move", 1, "a|1", ("end", (0.0, 1.0)), ("end", (0.0, 2.0)))))
    found = mirror_descent(idle, kl_weight=0.05, averaging=True)
    assert found.policies[0].action_probabilities.shape == (0, 3)
    assert found.nash_conv < 0.1


@pytest.mark.parametrize("settings", [{}, {"reference_period": 7}, {"averaging": True}, {"kl_in_rewards": False}])
def test_units_and_origins_of_payoffs_do_not_matter(settings):
    payoffs = random_payoffs((3, 3), 5)
    one = mirror_descent(matrix_tree(payoffs), kl_weight=0.5, step_size=0.6, num_iterations=40, **settings)
    other = mirror_descent(
        matrix_tree([10.0 * payoffs[0] + 3.0, 10.0 * payoffs[1] - 2.0]),
        **{"kl_weight": 5.0, "step_size": 0.06, "num_iterations": 40, **settings},
    )
    for mine, yours in zip(one.policies, other.policies, strict=True):
        np.testing.assert_allclose(mine.action_probabilities, yours.action_probabilities, atol=1e-10)
    np.testing.assert_allclose(10.0 * one.gap, other.gap, rtol=1e-6, atol=1e-12)


def test_defaults_are_in_units_of_the_payoffs():
    payoffs = random_payoffs((3, 3), 6)
    one, ten = (mirror_descent(matrix_tree([s * array for array in payoffs]), num_iterations=50) for s in (1.0, 10.0))
    for mine, yours in zip(one.policies, ten.policies, strict=True):
        np.testing.assert_allclose(mine.action_probabilities, yours.action_probabilities, atol=1e-10)
    assert ten.kl_weight == pytest.approx(10.0 * one.kl_weight)
    assert one.history["kl_weight"][0] == pytest.approx(100.0 * one.kl_weight)


def test_players_alike_play_alike():
    row = np.random.default_rng(7).normal(size=(4, 4))
    found = mirror_descent(matrix_tree([row, row.T]), num_iterations=200)
    first, second = (policy.action_probabilities for policy in found.policies)
    np.testing.assert_allclose(first, second, atol=1e-12)


def test_a_large_weight_keeps_to_the_reference(kuhn):
    rng = np.random.default_rng(3)
    rows = rng.dirichlet(np.ones(2), size=12)
    anchors = [cf.TablePolicy(kuhn.information_states[part], rows[part]) for part in (slice(3), slice(3, 9))]
    own = [kuhn.information_set_players == player for player in range(2)]
    anchors = [cf.TablePolicy(kuhn.information_states[sets], rows[sets]) for sets in own]
    found = mirror_descent(kuhn, reference=anchors, kl_weight=1e6)
    for player in range(2):
        np.testing.assert_allclose(found.policies[player].action_probabilities, rows[own[player]], atol=1e-5)
    assert found.status == "converged"
    by_seats = mirror_descent(kuhn, reference=SimpleNamespace(mixtures=found.mixtures), kl_weight=1e6)
    np.testing.assert_allclose(played(kuhn, by_seats), played(kuhn, found), atol=1e-5)


def test_the_average_plays_as_one_iteration_drawn_an_episode(kuhn):
    settings = {"kl_weight": 0.05, "step_size": 1.5, "tolerance": 1e-300}
    iterates = [mirror_descent(kuhn, num_iterations=count, **settings) for count in range(1, 6)]
    average = mirror_descent(kuhn, num_iterations=6, averaging=True, **settings)
    for player in range(2):
        policies = [cf.UniformRandom(), *(found.policies[player] for found in iterates)]
        drawn = cf.Mixture(tuple(policies), np.full(6, 1 / 6))
        expected = kuhn.behavior(player, drawn)
        np.testing.assert_allclose(kuhn.behavior(player, average), expected, atol=1e-12)


def test_a_small_constant_weight_does_not_settle_and_says_so(kuhn):
    settings = {"kl_weight": 0.01, "step_size": 2.0, "num_iterations": 1000}
    last, average = (mirror_descent(kuhn, averaging=averaging, **settings) for averaging in (False, True))
    assert last.status == average.status == "max_iterations"
    assert last.gap.max() > 0.1
    assert average.nash_conv < last.nash_conv / 3


def test_what_is_returned_is_what_was_seen_last(kuhn):
    found = mirror_descent(kuhn, kl_weight=0.5, num_iterations=500, num_evaluations=4)
    history = found.history
    assert history["iteration"].tolist()[:2] == [0, found.num_iterations]  # converged within the first quarter
    assert found.num_iterations < 125
    assert history["nash_conv"][-1] == found.nash_conv
    assert history["gap"][-1] == found.gap.max()
    np.testing.assert_allclose(history["entropy"][0], np.log(2.0))
    np.testing.assert_allclose(history["entropy"] + history["kl"], np.log(2.0))
    evenly = mirror_descent(kuhn, num_iterations=10, num_evaluations=4).history["iteration"]
    assert evenly.tolist() == [0, 2, 5, 8, 10]
    assert mirror_descent(kuhn, num_iterations=1, kl_weight=2.0, final_kl_weight=0.5).kl_weight == 0.5
    assert mirror_descent(kuhn, num_iterations=3, num_evaluations=50).history["iteration"].tolist() == [0, 1, 2, 3]


def test_a_log_of_play_has_a_tree_to_descend_in(kuhn):
    log = cf.generate_dataset(kuhn, num_trajectories=2000, seed=1)
    found = mirror_descent(cf.GameTree.from_dataset(log), final_kl_weight=0.005, num_iterations=1000)
    assert found.nash_conv < 0.02
    inside, true = cf.exact_regret(cf.GameTree.from_dataset(log), found), cf.exact_regret(kuhn, found.mixtures)
    np.testing.assert_allclose(inside.regret, found.regret, atol=1e-12)
    assert true.nash_conv < 0.2  # of .92 that uniform play has
    returns = cf.simulate(kuhn, found, num_episodes=20_000, seed=2).returns.mean(axis=0)
    np.testing.assert_allclose(returns, true.values, atol=0.05)


def test_nothing_leaves_the_finite_numbers_where_probabilities_underflow(kuhn):
    found = mirror_descent(kuhn, kl_weight=1e-4, step_size=100.0, num_iterations=200)
    assert min(policy.action_probabilities.min() for policy in found.policies) == 0.0
    assert np.isfinite([*found.gap, *found.regret, *found.history["entropy"].ravel()]).all()
    with pytest.raises(cf.NumericalError, match="policies left the finite numbers .* step_size of 1.7e"):
        mirror_descent("openspiel:leduc_poker", kl_weight=1e-3, step_size=1.7e308, num_iterations=5)


def test_a_profile_is_saved_and_read(kuhn, tmp_path):
    found = mirror_descent(kuhn, num_iterations=20)
    found.save(tmp_path / "profile")
    again = AnchoredProfile.load(tmp_path / "profile")
    assert repr(again) == repr(found)
    assert again.spec == found.spec
    np.testing.assert_array_equal(played(kuhn, again), played(kuhn, found))
    for name in ("values", "regret", "gap"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))
    for name, column in found.history.items():
        np.testing.assert_array_equal(again.history[name], column)
    with pytest.raises(cf.CheckpointError, match="there is something here already"):
        found.save(tmp_path / "profile")
    found.save(tmp_path / "profile", overwrite=True)
    file = tmp_path / "profile" / "profile.json"
    fields = json.loads(file.read_text())
    file.write_text(json.dumps(fields | {"status": "converged"}))
    with pytest.raises(cf.CheckpointError, match="altered"):
        AnchoredProfile.load(tmp_path / "profile")
    with pytest.raises(cf.CheckpointError):
        AnchoredProfile.load(tmp_path / "nowhere")


def test_it_is_the_same_each_time(kuhn):
    one, two = (mirror_descent(kuhn, num_iterations=300, num_evaluations=count) for count in (1, 7))
    np.testing.assert_array_equal(played(kuhn, one), played(kuhn, two))


FORGETFUL = ("move", 0, "a", ("move", 0, "b", ("end", (1, 0)), ("end", (0, 1))))
FORGETFUL = (*FORGETFUL, ("move", 0, "b", ("end", (0, 0)), ("end", (2, 1))))
ALIKE = ("chance", (0.5, ("move", 0, "a|1", ("end", (1, 0)), ("end", (0, 0)))))
ALIKE = (*ALIKE, (0.5, ("move", 0, "b|1", ("end", (1, 0)), ("end", (0, 0)))))


def test_games_in_which_policies_cannot_be_written_are_refused(scripted_game):
    with pytest.raises(cf.InvalidArgumentError, match="mirror_descent: needs perfect recall"):
        mirror_descent(cf.GameTree(scripted_game(FORGETFUL)))
    with pytest.raises(cf.InvalidGameError, match="player 0 has one information state tensor for .* 'a' and 'b'"):
        mirror_descent(cf.GameTree(scripted_game(ALIKE)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kl_weight": 0.0}, "kl_weight must be a finite number > 0, got 0.0"),
        ({"final_kl_weight": -1.0}, "final_kl_weight must be a finite number > 0"),
        ({"step_size": np.inf}, "step_size must be a finite number > 0"),
        ({"num_iterations": 0}, "num_iterations must be an integer >= 1"),
        ({"reference_period": 0}, "reference_period must be an integer >= 1"),
        ({"num_evaluations": 1.0}, "num_evaluations must be an integer >= 1"),
        ({"tolerance": 0.0}, "tolerance must be a finite number > 0"),
        ({"averaging": 1}, "averaging must be True or False"),
        ({"kl_in_rewards": None}, "kl_in_rewards must be True or False"),
        ({"reference": "behavior"}, "there is no policy 'behavior'"),
        ({"reference": ["uniform_random"]}, "policies must name one strategy a player, 2 in all, got 1"),
    ],
)
def test_impossible_arguments(kuhn, settings, message):
    with pytest.raises(cf.InvalidArgumentError, match=message):
        mirror_descent(kuhn, **settings)


def test_a_reference_must_play_everything(kuhn):
    greedy = cf.NetworkPolicy(((np.zeros((2, 11)), np.array([1.0, 0.0])),))
    with pytest.raises(cf.InvalidArgumentError, match="positive probability, .* got 0 for action 1 of player 0 at '0'"):
        mirror_descent(kuhn, reference=greedy)
    softened = cf.PerStepMixture((greedy, cf.UniformRandom()), (0.9, 0.1))
    assert mirror_descent(kuhn, reference=softened, kl_weight=0.5).status == "converged"
    with pytest.raises(cf.InvalidArgumentError, match="mirror_descent: reference: a policy of player 0 does not fit"):
        mirror_descent("openspiel:leduc_poker", reference=greedy)


def test_what_is_no_tree_is_refused():
    for game in (cf.load_game("generalized_bargaining"), 3, None, "openspiel:no_such_game"):
        with pytest.raises(cf.InvalidGameError):
            mirror_descent(game)
