"""Bridge: two agents who must cross a bridge that has room for one, each to the other's side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.checks import check_count, check_number
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.typing import Float64, Int64

MAP = ("G.##..", "......", "..##.G")
STARTS, GOALS = ((1, 2), (1, 3)), ((2, 5), (0, 0))
MOVES = ((0, 0), (-1, 0), (1, 0), (0, 1), (0, -1))  # stay, up, down, right, left
MAX_HORIZON = 100_000  # steps
_WIDTH = len(MAP[0])
_NUM_CELLS = len(MAP) * _WIDTH


class Bridge:
    """The rules of Bridge, as tables over all states.

    Two agents on a grid of 3 by 6 stand in the middle of the only way across and want past each other, so one has to
    step back; who does is for them to agree on. Both move at once: stay, up, down, right, left. Who would leave the
    grid or enter a wall stays. Agents who would change places both stay; of two that move into one cell the first
    does, and who stands in a cell keeps it. At its goal an agent leaves the board for good. After each step an agent
    that was under way costs a tenth of the distance to its goal; the reward of both is minus the mean of these costs.

    A state is the number ``18 * first + second`` of both cells, counted row by row.

    >>> bridge = Bridge()
    >>> bridge.num_states, round(bridge.optimal_return(horizon=20), 6)
    (324, -1.235453)

    Source: the environment of Matsunaga et al. 2023 (AlberDICE), rebuilt from its rules.
    """

    num_states = _NUM_CELLS**2
    num_actions = (5, 5)
    initial_state = (STARTS[0][0] * _WIDTH + STARTS[0][1]) * _NUM_CELLS + STARTS[1][0] * _WIDTH + STARTS[1][1]

    @cached_property
    def next_state(self) -> Int64:
        """``int64 [S, 5, 5]``: the state after both actions."""
        table = np.empty((self.num_states, 5, 5), dtype=np.int64)
        for state, first, second in np.ndindex(table.shape):
            table[state, first, second] = _number(_step(_cells(state), (first, second)))
        table.flags.writeable = False
        return table

    @cached_property
    def arrived(self) -> NDArray[np.bool_]:
        """``bool [S, 2]``: who is at its goal."""
        pairs = [_cells(state) for state in range(self.num_states)]
        return np.array([[cell == goal for cell, goal in zip(pair, GOALS, strict=True)] for pair in pairs])

    @cached_property
    def is_over(self) -> NDArray[np.bool_]:
        """``bool [S]``: both are home."""
        return np.asarray(self.arrived.all(axis=1))

    @cached_property
    def reward(self) -> Float64:
        """``f64 [S, 5, 5]``: what both get."""
        goals = np.array(GOALS)
        cells = np.array([_cells(state) for state in range(self.num_states)])
        cost = 0.1 * np.linalg.norm(cells - goals, axis=2)
        # Who has arrived stays at its goal, where the cost is none.
        return np.asarray(-cost.mean(axis=1)[self.next_state])

    def expected_return(
        self, policies: Float64 | Sequence[Float64], *, horizon: int = 20, discount: float = 1.0
    ) -> float:
        """Return what ``policies`` get from the start in ``horizon`` steps.

        One array ``[S, 5]`` an agent, or one joint array ``[S, 5, 5]``.
        """
        horizon, discount = _checked("expected_return", horizon, discount)
        joint = _joint(policies)
        return self._return(lambda q: np.einsum("sab,sab->s", joint, q), horizon, discount)

    def optimal_return(self, *, horizon: int = 20, discount: float = 1.0) -> float:
        """Return the most two agents who act as one can get from the start in ``horizon`` steps."""
        horizon, discount = _checked("optimal_return", horizon, discount)
        return self._return(lambda q: q.max(axis=(1, 2)), horizon, discount)

    def _return(self, value_of: Callable[[Float64], Float64], horizon: int, discount: float) -> float:
        values = np.zeros(self.num_states)
        for _ in range(horizon):
            values = value_of(self.reward + discount * values[self.next_state])
        return float(values[self.initial_state])

    @cached_property
    def shortest_play(self) -> Float64:
        """``f64 [S, 5, 5]``: uniform over the joint actions that get both home in the fewest steps, added up."""
        steps = np.where(self.is_over, 0.0, np.inf)
        under_way = (~self.arrived).sum(axis=1)
        for _ in range(self.num_states):
            after = under_way[:, None, None] + steps[self.next_state]
            found = np.where(self.is_over, 0.0, after.min(axis=(1, 2)))
            if np.array_equal(found, steps):
                break
            steps = found
        best = after == after.min(axis=(1, 2), keepdims=True)
        # An agent at its goal draws from the actions that would keep it there if it were still on the board.
        for agent, goal in enumerate(GOALS):
            leaves = np.array([_moved(goal, action) != goal for action in range(5)])
            shape = (1, 5, 1) if agent == 0 else (1, 1, 5)
            best &= ~(self.arrived[:, agent, None, None] & leaves.reshape(shape))
        return np.asarray(best / best.sum(axis=(1, 2), keepdims=True))

    def __repr__(self) -> str:
        return "Bridge()"


def _checked(caller: str, horizon: int, discount: float) -> tuple[int, float]:
    return (
        check_count(f"{caller}: horizon", horizon, at_least=1, at_most=MAX_HORIZON),
        check_number(f"{caller}: discount", discount, is_open=True, at_most=1.0),
    )


def _joint(policies: Any) -> Float64:
    """Both agents' policies as one joint array, checked."""
    try:
        if isinstance(policies, Sequence):
            first, second = (np.asarray(policy, dtype=np.float64) for policy in policies)
            joint = first[:, :, None] * second[:, None, :]
        else:
            joint = np.asarray(policies, dtype=np.float64)
        if joint.shape == (_NUM_CELLS**2, 5, 5) and np.isfinite(joint).all():
            return joint
    except (TypeError, ValueError, IndexError, ArithmeticError):  # no numbers, or not two agents'
        pass
    raise InvalidArgumentError(
        "expected_return: policies must be two arrays [324, 5] or one [324, 5, 5] of finite numbers, "
        f"got {shown(policies)}"
    )


Cell = tuple[int, int]


def _cells(state: int) -> tuple[Cell, Cell]:
    first, second = divmod(state, _NUM_CELLS)
    return divmod(first, _WIDTH), divmod(second, _WIDTH)


def _number(cells: tuple[Cell, Cell]) -> int:
    (a, b), (c, d) = cells
    return (a * _WIDTH + b) * _NUM_CELLS + c * _WIDTH + d


def _moved(cell: Cell, action: int) -> Cell:
    row, column = cell[0] + MOVES[action][0], cell[1] + MOVES[action][1]
    inside = 0 <= row < len(MAP) and 0 <= column < _WIDTH
    return (row, column) if inside and MAP[row][column] != "#" else cell


def _step(cells: tuple[Cell, Cell], actions: tuple[int, int]) -> tuple[Cell, Cell]:
    """Return the cells after both actions."""
    gone = [cell == goal for cell, goal in zip(cells, GOALS, strict=True)]
    first, second = (cell if left else _moved(cell, a) for cell, left, a in zip(cells, gone, actions, strict=True))
    if any(gone):
        return first, second
    first_enters, second_enters = first == GOALS[0], second == GOALS[1]
    if first == cells[1] and second == cells[0] and not first_enters:
        return cells
    if first == second:
        # Nobody who stands still keeps another from its goal.
        if second == cells[1]:
            return (first if first_enters else cells[0]), second
        return first, (second if second_enters and first == cells[0] else cells[1])
    return first, second
