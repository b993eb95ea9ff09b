"""Teams learned from logs: what comes out where the answer is known, and what is refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from tests.unit.teams.conftest import BRIEF, ENOUGH, chain_log, dataset_of

import coffee_fast as cf
from coffee_fast.data import xor_log
from coffee_fast.games.matrix import xor
from coffee_fast.policy_files import policy_fingerprint
from coffee_fast.regularized import CommonPayoffGame, inspo
from coffee_fast.regularized.cooperative.in_sample import marginals
from coffee_fast.regularized.cooperative.inspo import EntropyRegularized
from coffee_fast.teams.log import BROKE_OFF, ENDED, read


def mixtures_of(team):
    return [policy.probabilities([[1.0]], [[1, 1]])[0] for policy in team.policies]


@pytest.fixture(scope="module")
def anchored_pair(xor_dataset):
    """Both ways, from one log, with a weight that keeps play mixed."""
    return [
        cf.learn_team(xor_dataset, kind(**ENOUGH, kl_weight=1.0), 1) for kind in (cf.InSPOConfig, cf.AlberDICEConfig)
    ]


def test_both_ways_are_one_where_nothing_follows(anchored_pair):
    first, second = (np.array(mixtures_of(team)) for team in anchored_pair)
    assert np.abs(first - second).max() < 0.05


def test_where_play_stays_mixed_it_is_a_fixed_point_of_the_table(anchored_pair):
    """One of the two that there are: one player keeps to its first action, the other mixes."""
    exact = inspo(CommonPayoffGame.from_log(xor_log("c"), num_actions=2), kl_weight=1.0)
    for team in anchored_pair:
        mixing, pure = sorted(mixture[0] for mixture in mixtures_of(team))
        wanted = sorted(policy[0, 0] for policy in exact.policies)
        assert [mixing, pure] == pytest.approx(wanted, abs=0.05)


@pytest.mark.parametrize("kind", [cf.InSPOConfig, cf.AlberDICEConfig])
def test_teammates_agree_on_one_way_where_clones_miss_each_other(kind):
    team = cf.learn_team(dataset_of(xor_log("b")), kind(**ENOUGH, kl_weight=0.1), seed=2)
    first, second = mixtures_of(team)
    assert first @ xor().payoffs[0] @ second > 0.95
    assert team.expected_return == pytest.approx([1.0, 1.0], abs=0.02)
    assert team.logged_return == 1.0
    assert team.status == "complete"


def test_who_learns_noise_by_heart_says_so():
    """Sixty situations, each met once, and what is paid there is a coin."""
    rng = np.random.default_rng(0)
    log = {"episode": range(60), "observation": rng.normal(size=(60, 2, 8)), "action": rng.integers(2, size=(60, 2))}
    dataset = cf.TrajectoryDataset.from_transitions(
        None, log | {"reward": np.repeat(rng.integers(2, size=(60, 1)), 2, 1)}
    )
    config = cf.InSPOConfig(
        hidden_sizes=(64,), num_sweeps=2, num_value_steps=500, num_judging_steps=1500, kl_weight=1.0
    )
    team = cf.learn_team(dataset, config, seed=0)
    assert (team.held_out_error > 2 * team.training_error).all()
    assert team.status in ("by_heart", "off_log")
    calm = dataclasses.replace(team, off_log_probability=0.0)
    assert calm.status == "by_heart"
    assert dataclasses.replace(calm, held_out_error=team.training_error).status == "complete"


def test_a_stochastic_game_ends_where_the_table_does():
    rows = chain_log()
    team = cf.learn_team(dataset_of(rows, 3), cf.InSPOConfig(**ENOUGH, kl_weight=0.5, discount=0.9), seed=1)
    game = CommonPayoffGame.from_log(rows, num_actions=2, discount=0.9)
    exact = inspo(game, kl_weight=0.5)
    states = np.eye(3)[list(game.state_keys)]
    found = [policy.probabilities(states, np.ones((3, 2))) for policy in team.policies]
    objective = EntropyRegularized(game, 0.5, 0.0)
    start = objective.value(marginals(np.exp(game.log_behavior)))
    assert objective.value(found) > exact.value - 0.1 * (exact.value - start)


def test_players_who_move_in_turn_and_know_different_things():
    game = cf.load_game("openspiel:tiny_hanabi")
    log = cf.generate_dataset(game, num_trajectories=400, seed=0)
    team = cf.learn_team(log, cf.InSPOConfig(**ENOUGH, kl_weight=0.5), seed=1)
    played, cloned = cf.true_regret(game, [team, team.clones], seed=0)
    assert played.is_exact
    assert played.payoff[0] > cloned.payoff[0] + 1.0


def test_same_seed_same_bits_whatever_torch_is_told(xor_dataset, brief_team):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        again = cf.learn_team(xor_dataset, cf.InSPOConfig(**BRIEF), seed=1)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    other = cf.learn_team(xor_dataset, cf.InSPOConfig(**BRIEF), seed=2)
    prints = [[policy_fingerprint(policy) for policy in team.policies] for team in (brief_team, again, other)]
    assert prints[0] == prints[1] != prints[2]
    assert again.expected_return.tolist() == brief_team.expected_return.tolist()


def test_a_team_is_played_saved_and_judged_as_any_solution(brief_team, tmp_path):
    brief_team.save(tmp_path / "team")
    there = cf.TeamPolicies.load(tmp_path / "team")
    assert repr(there) == repr(brief_team)
    assert there.config == brief_team.config
    assert there.about == brief_team.about
    assert [policy_fingerprint(p) for p in there.clones] == [policy_fingerprint(p) for p in brief_team.clones]
    player = there.player(1, seed=3)
    player.reset()
    assert player.act(np.ones(there.spec.observation_size), [0, 1]) in (0, 1)
    text = (tmp_path / "team" / "team.json").read_text()
    (tmp_path / "team" / "team.json").write_text(text.replace("inspo", "alberdice"))
    with pytest.raises(cf.CheckpointError, match="was altered"):
        cf.TeamPolicies.load(tmp_path / "team")


def test_decisions_of_a_log(xor_dataset):
    rows = {"action": [[0, 1], [1, 0], [1, 1]], "reward": [[1, 1], [2, 2], [5, 5]], "trajectory": [0, 0, 1]}
    log, _ = read(dataset_of({name: np.array(values) for name, values in rows.items()}))
    assert log.action.tolist() == rows["action"]
    assert log.reward.tolist() == [1, 2, 5]
    assert log.after.tolist() == [1, ENDED, ENDED]
    assert log.first.tolist() == [0, 2]
    assert log.returns(0.5).tolist() == [2, 5]
    assert log.to_come(0.5).tolist() == [2, 2, 5]


def test_chance_pays_into_the_decision_before_and_episodes_that_break_off_teach_no_values():
    game = cf.load_game("openspiel:tiny_hanabi")
    whole = cf.generate_dataset(game, num_trajectories=20, seed=0)
    log, view = read(whole)
    assert log.acts.sum(axis=1).tolist() == [1] * 40
    assert log.returns(1.0).tolist() == np.add.reduceat(whole.reward[:, 0], whole.trajectory_offsets[:-1]).tolist()
    arrays = dict(whole.arrays) | {"truncated": np.arange(20) < 5}
    arrays["terminal"] = whole.terminal.copy()
    last = whole.trajectory_offsets[1:6] - 1
    arrays["terminal"][last], arrays["next_state"] = 0, whole.next_state.copy()
    arrays["next_state"][last] = whole.state[last]
    broken, _ = read(cf.TrajectoryDataset(whole.spec, arrays), view)
    assert (broken.after == BROKE_OFF).sum() == 5


def test_what_is_no_log_of_a_team_is_refused(xor_dataset):
    rivals = cf.generate_dataset(cf.load_game("openspiel:kuhn_poker"), num_trajectories=20, seed=0)
    with pytest.raises(cf.DatasetError, match="all players must get the same reward, got .* in trajectory 0"):
        cf.learn_team(rivals)
    with pytest.raises(cf.InvalidArgumentError, match="4 episodes or more"):
        cf.learn_team(xor_dataset.select(np.arange(3)))
    with pytest.raises(cf.InvalidArgumentError, match="config must be an InSPOConfig or AlberDICEConfig"):
        cf.learn_team(xor_dataset, cf.SelfPlayConfig())
    with pytest.raises(
        cf.ConfigError, match=r"holdout_fraction must lie in \(0, 1\)|holdout_fraction must be a finite"
    ):
        cf.InSPOConfig(holdout_fraction=0.0)


def test_configurations_come_back_from_their_values():
    for config in (cf.InSPOConfig(kl_weight=(1, 0.1), entropy_weight=(2.0, 0.0)), cf.AlberDICEConfig(end_share=0.2)):
        assert cf.teams.from_config(config.to_config()) == config
    config = cf.InSPOConfig(kl_weight=(1.0, 0.01), entropy_weight=(2.0, 0.0), num_sweeps=3)
    assert [config.kl_weight_at(sweep, 7.0) for sweep in range(3)] == pytest.approx([1.0, 0.1, 0.01])
    assert [config.entropy_weight_at(sweep) for sweep in range(3)] == [2.0, 1.0, 0.0]
    assert cf.InSPOConfig(num_sweeps=1).kl_weight_at(0, 4.0) == 2.0
    for wrong in ({"kl_weight": 0}, {"kl_weight": (1, 2, 3)}, {"discount": 1.0}, {"support": 0}, {"num_sweeps": 0}):
        with pytest.raises(cf.ConfigError):
            dataclasses.replace(config, **wrong)
    with pytest.raises(cf.ConfigError, match="did you mean 'num_sweeps'"):
        cf.teams.from_config({"kind": "inspo", "num_sweep": 3})
