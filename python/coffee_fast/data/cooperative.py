"""Logs of cooperative play from which the actions of one teammate tell what the other did: XOR and Bridge.

Each log is a mapping of arrays with one row a step, as :meth:`coffee_fast.TabularGame.from_dataset` takes it.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from coffee_fast.checks import check_choice, check_count
from coffee_fast.games.bridge import Bridge
from coffee_fast.games.matrix import xor
from coffee_fast.seeding import derive_seed

Log = dict[str, NDArray[Any]]
# How often AA, AB, BA and BB were played, in the published logs of the game.
XOR_COUNTS = {
    "a": (0, 5100, 0, 0),
    "b": (0, 2511, 2589, 0),
    "c": (1707, 1684, 1709, 0),
    "d": (1301, 1302, 1227, 1270),
}
_MOST_STEPS = 50
_MOST_EPISODES = 10**8  # of one step


def xor_log(name: Literal["a", "b", "c", "d"] = "b") -> Log:
    """Return 5100 plays of :func:`coffee_fast.games.matrix.xor`.

    ``"a"`` holds one optimal profile, ``"b"`` both, ``"c"`` also ``AA``, ``"d"`` all four profiles.

    >>> log = xor_log("b")
    >>> log["action"].shape, log["reward"].mean()
    ((5100, 2), np.float64(1.0))
    """
    check_choice("xor_log: name", name, XOR_COUNTS)
    action = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], XOR_COUNTS[name], axis=0)
    payoffs = np.stack(xor().payoffs, axis=-1)
    return {"action": action, "reward": payoffs[action[:, 0], action[:, 1]]}


def bridge_log(
    name: Literal["optimal", "mix"] = "optimal", seed: int = 0, *, num_episodes: int = 500, max_steps: int = _MOST_STEPS
) -> Log:
    """Return episodes of :class:`coffee_fast.games.Bridge`.

    Parameters
    ----------
    name
        ``"optimal"``: agents who draw together from all the ways in which both get home in the fewest steps: in half
        of the episodes the first steps back, in half the second. ``"mix"``: these, and as many episodes of agents who
        each move uniformly at random.
    seed
        Same seed, same log; the optimal episodes of both are the same.
    num_episodes, max_steps
        Optimal episodes; steps after which an episode is cut off, its last ``terminal`` then 0.

    Returns
    -------
    Mapping
        ``state`` and ``next_state [T]``, ``action`` and ``reward [T, 2]``, ``trajectory`` and ``terminal [T]``.

    >>> log = bridge_log(num_episodes=3)
    >>> np.bincount(log["trajectory"]).tolist()
    [8, 8, 8]
    """
    check_choice("bridge_log: name", name, ("optimal", "mix"))
    check_count("bridge_log: num_episodes", num_episodes, at_least=1, at_most=_MOST_EPISODES)
    check_count("bridge_log: max_steps", max_steps, at_least=1, at_most=_MOST_EPISODES // num_episodes)
    bridge = Bridge()
    behaviors = [("optimal", bridge.shortest_play)]
    if name == "mix":
        behaviors.append(("random", np.full((bridge.num_states, 5, 5), 1 / 25)))
    parts = [
        _play(bridge, behavior, num_episodes, max_steps, derive_seed(seed, f"bridge/{who}"))
        for who, behavior in behaviors
    ]
    for i, part in enumerate(parts):
        part["trajectory"] = part["trajectory"] + i * num_episodes
    return {column: np.concatenate([part[column] for part in parts]) for column in parts[0]}


def _play(bridge: Bridge, behavior: NDArray[np.float64], num_episodes: int, max_steps: int, seed: int) -> Log:
    draws = np.random.Generator(np.random.PCG64(seed)).random((max_steps, num_episodes))
    totals = behavior.reshape(bridge.num_states, 25).cumsum(axis=1)
    totals[:, -1] = 1.0
    state, going = np.full(num_episodes, bridge.initial_state), np.arange(num_episodes)
    rows: list[Log] = []
    for step in range(max_steps):
        now = state[going]
        profile = (draws[step, going, None] >= totals[now]).sum(axis=1)
        first, second = np.divmod(profile, 5)
        after = bridge.next_state[now, first, second]
        rows.append(
            {
                "trajectory": going,
                "state": now,
                "action": np.stack([first, second], axis=1),
                "reward": np.repeat(bridge.reward[now, first, second][:, None], 2, axis=1),
                "next_state": after,
                "terminal": bridge.is_over[after].astype(np.int64),
            }
        )
        state[going] = after
        going = going[~bridge.is_over[after]]
        if not len(going):
            break
    log = {column: np.concatenate([row[column] for row in rows]) for column in rows[0]}
    order = np.argsort(log["trajectory"], kind="stable")
    return {column: array[order] for column, array in log.items()}
