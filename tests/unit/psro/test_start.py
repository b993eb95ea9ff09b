"""COffeE-PSRO from strategies that are there already."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.psro import load_result


def network(seed, num_actions=109, num_inputs=41):
    rng = np.random.default_rng(seed)
    return cf.NetworkPolicy([(rng.normal(size=(num_actions, num_inputs)), np.zeros(num_actions))], kind="softmax")


@pytest.fixture(scope="module")
def given():
    return [network(1), network(2)]


def test_given_strategies_come_first_and_the_rest_are_trained(model, config, given):
    result = cf.coffee_psro(model, config, seed=7, start=given)
    assert isinstance(result.strategies[0][0], cf.UniformRandom)
    assert result.strategies[0][1:3] == tuple(given)
    assert len(result.strategies[0]) == 4
    assert [bool(record.objective) for record in result.records] == [False, False, False, True]
    (asked,) = config.response.asked
    assert asked["opponents"].policies == result.strategies[0][:3]
    assert asked["objective"] == config.objective.at(2)


def test_a_list_a_role_is_the_same_as_the_list_alone(model, config, given):
    first, second = (cf.coffee_psro(model, config, seed=7, start=start) for start in (given, [given]))
    assert first.fingerprint == second.fingerprint


def test_roles_start_from_strategies_of_their_own(config):
    tree = cf.GameTree("openspiel:kuhn_poker")
    start = [[network(1, 2, 11)], [network(2, 2, 11)]]
    result = cf.coffee_psro(tree, dataclasses.replace(config, num_iterations=1), seed=7, start=start)
    assert [role[1] for role in result.strategies] == [start[0][0], start[1][0]]


def test_a_run_that_is_given_all_its_strategies_trains_none(model, config, given):
    cf.coffee_psro(model, dataclasses.replace(config, num_iterations=2), seed=7, start=given)
    assert config.response.asked == []


def test_what_was_given_is_part_of_the_run(model, config, given, tmp_path):
    class Interrupt(Exception):
        pass

    def stop(phase, done, *_):
        if (phase, done) == ("psro", 2):
            raise Interrupt

    whole = cf.coffee_psro(model, config, seed=7, start=given)
    with pytest.raises(Interrupt):
        cf.coffee_psro(model, config, 7, tmp_path / "run", progress=stop, start=given)
    for other in (None, given[:1], given[::-1]):
        with pytest.raises(cf.CheckpointError, match="is another run: start is"):
            cf.coffee_psro(model, config, 7, tmp_path / "run", resume=True, start=other)
    again = cf.coffee_psro(model, config, 7, tmp_path / "run", resume=True, start=given)
    assert again.fingerprint == whole.fingerprint == load_result(tmp_path / "run").fingerprint


def test_a_run_that_starts_from_nothing_says_nothing_of_it(model, config, tmp_path):
    cf.coffee_psro(model, config, 7, tmp_path / "run")
    assert "start" not in json.loads((tmp_path / "run" / "run.json").read_text())


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (
            [],
            "start must be of at least one strategy a role, and of no more than the 3 .*, got 0",
        ),
        ([network(1)] * 4, "and of no more than the 3 .* got 4"),
        ("uniform_random", "start must be a list of policies, got 'uniform_random'"),
        ([["uniform_random"]], "start must be a list of policies"),
        (network(1), "start must be a list of policies"),
        ([cf.load_game("generalized_bargaining")], "policy must be a UniformRandom, NetworkPolicy"),
    ],
)
def test_what_cannot_be_started_from_is_refused(model, config, start, message):
    with pytest.raises(cf.InvalidArgumentError, match=message):
        cf.coffee_psro(model, config, 0, start=start)
