"""The exact evaluator of reproductions/people, and what it makes of a log in the shape of NV_games, by laws."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "reproductions" / "people"
PAYOFF = np.array([[1.0, 5.0], [0.0, 3.0]])  # own move, other's; 1 cooperates


@pytest.fixture(scope="module")
def modules():
    """The scripts, imported as they import each other, and forgotten after."""
    names = ("repeated", "experiments", "methods", "people")
    sys.path.insert(0, str(FOLDER))
    try:
        yield {name: importlib.import_module(name) for name in names}
    finally:
        sys.path.remove(str(FOLDER))
        for name in names:
            sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def repeated(modules):
    return modules["repeated"]


def games(repeated):
    return {
        "random end": repeated.RepeatedGame(PAYOFF, continuation=0.8),
        "random end, errors": repeated.RepeatedGame(PAYOFF, continuation=0.75, error=0.1),
        "known end": repeated.RepeatedGame(PAYOFF, num_rounds=6),
        "known end, errors": repeated.RepeatedGame(PAYOFF, num_rounds=5, error=0.2),
    }


@pytest.fixture(params=["random end", "random end, errors", "known end", "known end, errors"])
def game(request, repeated):
    return games(repeated)[request.param]


def random_strategy(seed: int, memory: int, num_rows: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(size=(num_rows, 4**memory))


def test_tit_for_tat_loses_the_first_round_alone_to_one_who_always_defects(repeated):
    tit_for_tat, defect = repeated.FAMOUS["tit for tat"], repeated.FAMOUS["always defect"]
    game = repeated.RepeatedGame(PAYOFF, continuation=0.8)
    assert game.value(tit_for_tat, defect) == pytest.approx(0.2 * (0 + 1 * 0.8 / 0.2))
    assert game.value(defect, tit_for_tat) == pytest.approx(0.2 * (5 + 1 * 0.8 / 0.2))
    assert repeated.RepeatedGame(PAYOFF, num_rounds=4).value(tit_for_tat, defect) == pytest.approx(3 / 4)


def test_continuation_is_a_discount_and_decides_whether_grim_is_an_equilibrium(repeated):
    grim = repeated.FAMOUS["grim"]  # cooperating is worth it from (T - R) / (T - P) = 1/2 on
    assert repeated.RepeatedGame(PAYOFF, continuation=0.51).regret(grim) == pytest.approx(0, abs=1e-12)
    assert repeated.RepeatedGame(PAYOFF, continuation=0.49).regret(grim) > 1e-3
    # With a known end it pays to defect in the last round.
    assert repeated.RepeatedGame(PAYOFF, num_rounds=10).regret(grim) == pytest.approx((5 - 3) / 10)
    assert repeated.RepeatedGame(PAYOFF, num_rounds=10).regret(np.zeros((1, 1))) == 0


@pytest.mark.parametrize("memory", [0, 1, 2])
def test_no_strategy_earns_more_than_the_best_response_which_earns_what_it_says(game, memory):
    other = random_strategy(1, memory, game.num_rounds or memory + 1)
    best, value = game.best_response(other)
    assert game.value(best, other) == pytest.approx(value, abs=1e-12)
    for seed in range(20):
        for longer in (0, 2, 3):
            assert game.value(random_strategy(seed, longer, longer + 1), other) <= value + 1e-12


def test_a_longer_memory_that_is_not_used_changes_nothing(game, repeated):
    own, other = random_strategy(3, 1, 2), random_strategy(4, 2, 3)
    longer = repeated.lifted(own, 6, 64)
    assert game.value(longer, other) == pytest.approx(game.value(own, other), abs=1e-12)
    assert game.best_response(repeated.lifted(other, 6, 64))[1] == pytest.approx(
        game.best_response(other)[1], abs=1e-12
    )


def test_values_agree_with_play_and_with_the_sum_over_rounds(game, repeated):
    own, other = random_strategy(5, 2, 4), random_strategy(6, 1, 3)
    value = game.value(own, other)
    num_rounds = game.num_rounds or 400
    by_round = game.by_round(own, other, num_rounds)
    assert game.continuation ** np.arange(num_rounds) @ by_round / game.length == pytest.approx(value, abs=1e-12)
    played, error = simulated(game, own, other, np.random.default_rng(7), repeated)
    assert abs(played - value) < 5 * error


def simulated(game, own, other, rng, repeated, num_games=20_000):
    """Mean payoff a round of games played move by move, and its standard error."""
    total, alive = np.zeros(num_games), np.ones(num_games, dtype=bool)
    mine, yours = (np.zeros(num_games, dtype=int) for _ in range(2))
    t = 0
    while alive.any() and t != game.num_rounds:
        moves = []
        for strategy, number in ((own, mine), (other, yours)):
            chance = strategy[min(t, len(strategy) - 1), number % strategy.shape[1]]
            meant = rng.uniform(size=num_games) < chance
            moves.append((meant ^ (rng.uniform(size=num_games) < game.error)).astype(int))
        total += alive * game.payoff[moves[0], moves[1]]
        mine, yours = ((4 * n + 2 * a + b) % 256 for n, a, b in ((mine, *moves), (yours, *moves[::-1])))
        alive &= rng.uniform(size=num_games) < game.continuation
        t += 1
    return total.mean() / game.length, total.std() / game.length / num_games**0.5


def log_like_the_file(strategy, num_pairs, num_rounds, error, seed):
    """A data frame with the columns of NV_games that are read: both sides of each game, one after the other."""
    frames = pytest.importorskip("pandas")
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(num_pairs):
        done = []
        meant_rows = []
        for t in range(num_rounds):
            number = [0, 0]
            for a, b in done[-2:]:
                number = [4 * number[0] + 2 * a + b, 4 * number[1] + 2 * b + a]
            chance = [strategy[min(t, len(strategy) - 1), n % strategy.shape[1]] for n in number]
            meant = [int(rng.uniform() < c) for c in chance]
            meant_rows.append(meant)
            done.append(tuple(m ^ int(rng.uniform() < error) for m in meant))
        for side in (0, 1):
            for t in range(num_rounds):
                row = {"period": t + 1, "my.decision": ("defect", "coop")[meant_rows[t][side]]}
                before = done[t - 1] if t else (np.nan, np.nan)
                paid = PAYOFF[before[side], before[1 - side]] - PAYOFF[0, 0] if t else np.nan  # shifted, as there
                row |= {"other.decision1": before[1 - side], "my.payoff1": paid}
                row["my.decision1"] = meant_rows[t - 1][side] if t else np.nan
                rows.append(row | {"r": 3.0, "s": 0.0, "t": 5.0, "p": 1.0, "error": error, "data": "XX"})
    return frames.DataFrame(rows).assign(infin=0.0, delta=1.0, group=1.0)


@pytest.mark.parametrize("error", [0.0, 0.2])
def test_a_log_is_read_paired_and_cloned(modules, error):
    truth = random_strategy(8, 1, 3)
    variant = modules["experiments"].variant(1, log_like_the_file(truth, 400, 4, error, seed=9))
    assert variant.game.num_rounds == 4
    assert len(variant.games) == 800
    if error:
        known = variant.games.own >= 0
        assert (variant.games.own != variant.games.meant)[known].mean() == pytest.approx(error, abs=0.03)
    pairs = variant.games.pairs()
    assert len(pairs) == 400  # nobody is left over
    np.testing.assert_array_equal(variant.games.own[pairs[:, 0]], variant.games.other[pairs[:, 1]])
    people = modules["experiments"].cloned(variant.games, 1, 4)
    assert np.abs(people - modules["repeated"].lifted(truth, 4, 4))[1:].max() < 0.2
    assert people[0] == pytest.approx(truth[0, 0], abs=0.05)


def test_halves_share_nobody_and_the_replay_agrees_with_the_exact_value(modules):
    truth = 0.3 + 0.4 * random_strategy(10, 1, 2)
    variant = modules["experiments"].variant(1, log_like_the_file(truth, 1500, 4, 0.0, seed=11))
    for start in (0.0, 0.3):
        halves = [variant.half(start, second) for second in (False, True)]
        together = np.concatenate([half.meant for half in halves])
        assert len(together) == len(variant.games)
        np.testing.assert_array_equal(np.sort(together, axis=0), np.sort(variant.games.meant, axis=0))
    own = 0.2 + 0.6 * random_strategy(12, 1, 2)
    payoffs, worth = modules["experiments"].replayed(variant.game, variant.games, own, 3)
    assert worth.min() > 1000
    np.testing.assert_allclose(payoffs, variant.game.by_round(own, truth, 3), atol=0.15)


def test_every_method_finds_what_there_is_to_find(modules):
    """Against people who cooperate until they are let down, cooperate until the last round."""
    people = modules["repeated"].of_memory_one(0.95, {"CC": 0.95, "CD": 0.1, "DC": 0.1, "DD": 0.05})
    variant = modules["experiments"].variant(1, log_like_the_file(people, 400, 4, 0.0, seed=13))
    line = modules["people"].judged(variant, 0.0, False)
    for name in ("best reply, memory 1", "best reply, memory 2", "table of the log"):
        assert line["found"][name]["1.0"][0] > line["people"][0]
        assert line["found"][name]["1.0"][0] == pytest.approx(line["best"][0], abs=0.05)
    assert line["found"]["equilibrium near uniform play"]["1.0"][0] < line["people"][0]
    assert line["best"][0] >= max(values["1.0"][0] for values in line["found"].values())
