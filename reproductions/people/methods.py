"""From the log of half of the people to strategies: by what they do, the best reply to it, and coffee_fast's tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from experiments import Games, cloned
from numpy.typing import NDArray
from repeated import FAMOUS, RepeatedGame, seen_by_other

import coffee_fast as cf

Array = NDArray[np.float64]
Method = Callable[[RepeatedGame, Games], Array]
KL_WEIGHT = 0.1  # of the best reply in the table, in units of what cooperating together is worth
NEAR_PEOPLE = 0.5  # of equilibria


def rows_of(game: RepeatedGame, memory: int) -> int:
    """How many rows a strategy has: of all rounds that all know, else until the memory is full."""
    return game.num_rounds or memory + 1


def clone(memory: int) -> Method:
    """People as they are."""
    return lambda game, games: cloned(games, memory, rows_of(game, memory))


def best_response(memory: int) -> Method:
    """The best reply to people as they are, with the rules known."""
    return lambda game, games: game.best_response(clone(memory)(game, games))[0]


def famous(game: RepeatedGame, games: Games) -> Array:
    """Of five famous strategies the one that earns most against people as they are."""
    people = clone(2)(game, games)
    return max(FAMOUS.values(), key=lambda strategy: game.value(strategy, people))


def table(game: RepeatedGame, games: Games) -> Array:
    """The best reply in the table of the log: states are round and last pair, payoffs and replies are read from it.

    The log is of one player, whoever met the people of ``games``: they are its surroundings. Games that go on by chance
    break off in it, and ``discount`` says how they go on: where endings are read from the log instead, those of a few
    sessions are taken for consequences of moves.
    """
    weight = KL_WEIGHT * (game.payoff[1, 1] - game.payoff[0, 0])
    strategy = np.full((rows_of(game, 1), 4), 0.5)
    if game.num_rounds is None:
        stationary = cf.regularized.CommonPayoffGame.from_log(
            broken_off(game, games), discount=game.continuation, num_actions=2
        )
        policy = cf.regularized.inspo(stationary, kl_weight=weight).policies[0]
        for place, state in enumerate(stationary.state_keys):
            strategy[divmod(int(state), 4)] = policy[place, 1]
        return strategy
    steps = cf.TabularGame.from_dataset(whole(game, games), num_actions=2)
    policy = cf.regularized.gane(steps, kl_weight=weight, unseen_value=float(game.payoff.min())).policies[0]
    for place, state in enumerate(steps.state_keys or ()):
        strategy[:, state] = policy[:, place, 1]
    return strategy


def broken_off(game: RepeatedGame, games: Games) -> dict[str, Any]:
    """Rounds as the other side saw them, but for the last of each game, in which its move is not known."""
    known = games.own >= 0
    seen = seen_by_other(4)[games.histories(1)]
    state = np.minimum(np.arange(seen.shape[1]), 1) * 4 + seen
    after = 4 + 2 * games.other + games.own
    return {
        "action": games.other[known][:, None],
        "reward": game.payoff[games.other[known], games.own[known]][:, None],
        "state": state[known],
        "next_state": after[known],
        "trajectory": np.nonzero(known)[0],
        "terminal": np.zeros(int(known.sum()), dtype=int),
    }


def whole(game: RepeatedGame, games: Games) -> dict[str, Any]:
    """All rounds as the other side saw them, of games whose other side is in the log, too."""
    pairs = games.pairs()
    me, you = games[np.concatenate([pairs[:, 0], pairs[:, 1]])], games[np.concatenate([pairs[:, 1], pairs[:, 0]])]
    return {
        "action": me.meant.reshape(-1, 1),
        "reward": game.payoff[me.meant, you.meant].reshape(-1, 1),
        "state": me.histories(1).ravel(),
        "trajectory": np.repeat(np.arange(len(me)), me.meant.shape[1]),
    }


def equilibrium(is_near_people: bool) -> Method:
    """An equilibrium of the known game; players see round and last pair, and pay for leaving people or uniform play."""

    def solve(game: RepeatedGame, games: Games) -> Array:
        horizon = game.num_rounds or 40  # later rounds are rarely played
        people = cloned(games, 1, rows_of(game, 1))
        tabular = cf.TabularGame.from_model(
            lambda _, state, meant: _expected(game, state, meant),
            horizon=horizon,
            num_actions=(2, 2),
            initial=np.eye(5)[4],
        )
        reference = [np.full((horizon, 5, 2), 0.5) for _ in range(2)]
        if is_near_people:
            by_state = people[np.minimum(np.arange(horizon), len(people) - 1)][:, [0, 1, 2, 3, 0]]
            by_state[:, 4] = people[0, 0]
            for player, order in enumerate(([0, 1, 2, 3, 4], [0, 2, 1, 3, 4])):
                reference[player] = np.stack([1 - by_state, by_state], axis=2)[:, order]
        weight = NEAR_PEOPLE * (game.payoff[1, 1] - game.payoff[0, 0])
        found = cf.regularized.gane(tabular, kl_weight=weight, reference=reference)
        strategy = found.policies[0][: game.num_rounds or 20, :4, 1].copy()
        strategy[0] = found.policies[0][0, 4, 1]
        return strategy

    return solve


def _expected(game: RepeatedGame, state: int, meant: tuple[int, ...]) -> tuple[list[float], Array]:
    """Payoffs of both, and where play goes on: the last pair is the next state; state 4 is the start."""
    flip = np.array([[1 - game.error, game.error], [game.error, 1 - game.error]])
    done = np.outer(flip[meant[0]], flip[meant[1]])
    payoffs = [float((done * payoff).sum()) for payoff in (game.payoff, game.payoff.T)]
    return payoffs, np.append(game.continuation * done.ravel(), 0.0)


METHODS: dict[str, Method] = {
    "people as they are": clone(2),
    "best reply, memory 1": best_response(1),
    "best reply, memory 2": best_response(2),
    "the fittest famous strategy": famous,
    "table of the log": table,
    "equilibrium near people": equilibrium(is_near_people=True),
    "equilibrium near uniform play": equilibrium(is_near_people=False),
}
