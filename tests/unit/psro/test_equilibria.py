"""Equilibrium profiles: found once, shared by all who ask, whatever happens on the way."""

from __future__ import annotations

import dataclasses
import threading
import time

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast import _files
from coffee_fast.policy_files import policy_fingerprint


class Interrupt(Exception):
    """Stands for whatever ends a process."""


@pytest.fixture(scope="module")
def game():
    return cf.load_game("generalized_bargaining")


@pytest.fixture
def wanted(config):
    return cf.EquilibriumConfig(num_profiles=2, num_iterations=2, num_simulations=20, response=config.response)


def fingerprints(profiles):
    """What distinguishes profiles: their policies and probabilities."""
    return [([policy_fingerprint(p) for p in s.policies], s.probabilities.tolist()) for s in profiles]


def test_the_defaults_are_those_of_the_equilibrium_mixture():
    config = cf.EquilibriumConfig()
    assert (config.num_profiles, config.psro.num_iterations, config.psro.num_simulations) == (5, 20, 1000)
    assert config.psro.meta_solver == cf.meta_solvers.Replicator(regret_threshold=1e-5)
    assert config.psro.response == cf.DDQN()


def test_each_profile_is_the_solution_of_an_online_run_with_a_seed_of_its_own(game, wanted):
    first, second = cf.equilibrium_profiles(game, wanted, seed=3)
    assert fingerprints([first]) != fingerprints([second])
    assert len(first.policies) == 3
    more = cf.equilibrium_profiles(game, dataclasses.replace(wanted, num_profiles=3), seed=3)
    assert fingerprints(more[:2]) == fingerprints([first, second])


def test_kept_profiles_are_read_and_not_found_again(game, wanted, tmp_path):
    told = []
    found = cf.equilibrium_profiles(game, wanted, 3, tmp_path, progress=lambda *call: told.append(call[:3]))
    assert told[0] == ("equilibrium profiles", 0, 2)
    asked = len(wanted.response.asked)
    assert fingerprints(cf.equilibrium_profiles(game, wanted, 3, tmp_path)) == fingerprints(found)
    assert len(wanted.response.asked) == asked
    assert fingerprints(cf.equilibrium_profiles(game, wanted, 3)) == fingerprints(found)


@pytest.mark.parametrize("change", ["seed", "num_simulations", "game"])
def test_other_profiles_lie_elsewhere(game, wanted, tmp_path, change):
    found = cf.equilibrium_profiles(game, wanted, 3, tmp_path)
    other = dataclasses.replace(wanted, num_simulations=30) if change == "num_simulations" else wanted
    there = cf.load_game("generalized_bargaining", discount=0.9) if change == "game" else game
    again = cf.equilibrium_profiles(there, other, 4 if change == "seed" else 3, tmp_path)
    assert fingerprints(again) != fingerprints(found)
    assert len(list(tmp_path.iterdir())) == 4


def test_an_interrupted_search_goes_on_where_it_was(game, wanted, tmp_path):
    def stop(phase, done, *_):
        if done == 1:
            raise Interrupt

    whole = cf.equilibrium_profiles(game, wanted, 3)
    wanted.response.asked.clear()
    with pytest.raises(Interrupt):
        cf.equilibrium_profiles(game, wanted, 3, tmp_path, progress=stop)
    assert fingerprints(cf.equilibrium_profiles(game, wanted, 3, tmp_path)) == fingerprints(whole)
    assert len(wanted.response.asked) == 4


def test_one_waits_for_the_profile_that_another_is_at(game, wanted, tmp_path, monkeypatch):
    monkeypatch.setattr("coffee_fast.psro.equilibria.WAIT_S", 0.01)
    whole = cf.equilibrium_profiles(game, wanted, 3, tmp_path / "a")
    first = next(folder for folder in (tmp_path / "a").iterdir())
    (tmp_path / "b").mkdir()
    found = []
    with _files.lock(tmp_path / "b" / first.name / ".lock"):
        waiting = threading.Thread(
            target=lambda: found.extend(cf.equilibrium_profiles(game, wanted, 3, tmp_path / "b"))
        )
        waiting.start()
        # The one that nobody is at is found meanwhile.
        (other,) = (folder.name for folder in (tmp_path / "a").iterdir() if folder.name != first.name)
        until = time.monotonic() + 60.0
        while not (tmp_path / "b" / other / "solution").exists() and time.monotonic() < until:
            waiting.join(0.05)
        assert (tmp_path / "b" / other / "solution").exists()
        waiting.join(0.2)
        assert waiting.is_alive()
    waiting.join(60.0)
    assert fingerprints(found) == fingerprints(whole)


def test_one_that_comes_late_leaves_what_another_has_finished_meanwhile(game, wanted, tmp_path, monkeypatch):
    lock = _files.lock

    def slow_lock(path):
        monkeypatch.setattr(_files, "lock", lock)
        cf.equilibrium_profiles(game, wanted, 3, tmp_path)
        wanted.response.asked.clear()
        return lock(path)

    monkeypatch.setattr(_files, "lock", slow_lock)
    cf.equilibrium_profiles(game, wanted, 3, tmp_path)
    assert wanted.response.asked == []


def test_a_damaged_profile_is_named(game, wanted, tmp_path):
    cf.equilibrium_profiles(game, wanted, 3, tmp_path)
    file = next(tmp_path.glob("*/solution/solution.safetensors"))
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(cf.CheckpointError, match=r"solution\.safetensors"):
        cf.equilibrium_profiles(game, wanted, 3, tmp_path)


def test_a_dataset_logs_the_play_of_one_profile_an_episode(game):
    """Two profiles with one strategy each: no episode has players of both."""

    def always(action):
        bias = np.zeros(109, np.float32)
        bias[[action, game.accept_action]] = 1.0, 2.0
        policy = cf.NetworkPolicy(((np.zeros((109, 41), np.float32), bias),))
        return cf.Mixture((policy,), np.ones(1))

    dataset = cf.generate_dataset(game, [always(0), always(1)], 200, 1, description="two sorts of players")
    first = dataset.trajectory_offsets[:-1]
    assert set(dataset.action[first]) == {0, 1}
    assert 60 < (dataset.action[first] == 0).sum() < 140
    assert str(dataset.describe()).startswith("generalized_bargaining, played by two sorts of players")
