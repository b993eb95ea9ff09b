"""Self-play has the same bits whatever interrupts it and however many threads work on it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.responses import checkpoint

JUDGE = cf.DDQN(hidden_sizes=(8,), num_steps=300, replay_capacity=300, min_replay=100, num_parallel_episodes=8)
SIZES = {"hidden_sizes": (8,), "num_updates": 6, "num_episodes": 30, "num_parallel_episodes": 8, "batch_size": 64}
CONFIG = cf.SelfPlayConfig(**SIZES, num_snapshots=2, num_simulations=40, judge=JUDGE)
GAMES = {
    "symmetric": ("generalized_bargaining", CONFIG),
    "roles": ("openspiel:kuhn_poker", CONFIG),
    "adversaries": ("generalized_bargaining", dataclasses.replace(CONFIG, risk_aversion=1.0)),
}


class Interrupt(Exception):
    """Stands for whatever ends a process."""


@pytest.fixture(scope="module", params=GAMES)
def undisturbed(request):
    name, config = GAMES[request.param]
    game = cf.load_game(name)
    return game, config, cf.anchored_self_play(game, config, seed=4)


def assert_same_bits(found, expected):
    for name, rows in expected.history.items():
        assert found.history[name].tobytes() == rows.tobytes(), name
    for one, other in zip(found.by_role, expected.by_role, strict=True):
        for (weights, bias), (same, equal) in zip(one.policies[0].layers, other.policies[0].layers, strict=True):
            np.testing.assert_array_equal(weights, same)
            np.testing.assert_array_equal(bias, equal)
    assert found.table.payoffs(0).tobytes() == expected.table.payoffs(0).tobytes()


def test_a_run_stopped_after_every_update_ends_the_same(undisturbed, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN_WRITES", 0.0)
    game, config, expected = undisturbed
    for update in range(1, 7):
        told = []

        def stop(phase, done, *_, told=told):
            if phase == "self-play":
                told.append(done)
                raise Interrupt

        with pytest.raises(Interrupt):
            cf.anchored_self_play(game, config, 4, tmp_path / "run", resume=True, progress=stop)
        # The update that was told of is the last one of which anything is known; what was done is not done again.
        assert told == [update]
    assert_same_bits(cf.anchored_self_play(game, config, 4, tmp_path / "run", resume=True), expected)


@pytest.mark.parametrize("kept", [2, 5])
def test_a_run_whose_last_updates_were_lost_ends_the_same(undisturbed, tmp_path, monkeypatch, kept):
    """Updates after the last checkpoint are made anew."""
    game, config, expected = undisturbed

    def stop(phase, done, *_):
        monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN_WRITES", 0.0 if done < kept else 1e9)
        if (phase, done) == ("self-play", min(kept + 1, 6)):
            raise Interrupt

    with pytest.raises(Interrupt):
        cf.anchored_self_play(game, config, 4, tmp_path / "run", progress=stop)
    assert_same_bits(cf.anchored_self_play(game, config, 4, tmp_path / "run", resume=True), expected)


def test_a_finished_run_gives_its_solution_again(undisturbed, tmp_path):
    game, config, expected = undisturbed
    cf.anchored_self_play(game, config, 4, tmp_path / "run")
    told = []
    again = cf.anchored_self_play(
        game, config, 4, tmp_path / "run", resume=True, progress=lambda phase, *_: told.append(phase)
    )
    assert "self-play" not in told
    assert_same_bits(again, expected)


@pytest.mark.parametrize("num_threads", [2, 0])
def test_threads_change_nothing(undisturbed, num_threads):
    game, config, expected = undisturbed
    assert_same_bits(cf.anchored_self_play(game, config, seed=4, num_threads=num_threads), expected)
