"""Small games with known equilibria, for tests and for finding one's feet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coffee_fast.typing import Float64


@dataclass(frozen=True, eq=False)
class MatrixGame:
    """A normal-form game and its Nash equilibria.

    Attributes
    ----------
    name
        What the literature calls it.
    payoffs
        One array ``[S1, ..., Sn]`` a player, as ``PayoffTable.from_arrays`` takes them.
    equilibria
        Profiles of one mixture a player: all of its equilibria.
    """

    name: str
    payoffs: tuple[Float64, ...]
    equilibria: tuple[tuple[Float64, ...], ...]


def prisoners_dilemma() -> MatrixGame:
    """Cooperate or defect: defection dominates and both would rather cooperate."""
    return _symmetric("prisoner's dilemma", [[3, 0], [5, 1]], [[[0, 1], [0, 1]]])


def matching_pennies() -> MatrixGame:
    """Heads or tails: zero-sum, both play each half of the time."""
    row = np.array([[1.0, -1.0], [-1.0, 1.0]])
    return MatrixGame("matching pennies", (row, -row), _profiles([[[0.5, 0.5], [0.5, 0.5]]]))


def rock_paper_scissors() -> MatrixGame:
    """Rock, paper, scissors: zero-sum and symmetric, uniform play is the one equilibrium."""
    third = [1 / 3, 1 / 3, 1 / 3]
    return _symmetric("rock, paper, scissors", [[0, -1, 1], [1, 0, -1], [-1, 1, 0]], [[third, third]])


def stag_hunt() -> MatrixGame:
    """Stag or hare: two pure equilibria, the better one riskier, and a mixed one between them."""
    mixed = [2 / 3, 1 / 3]
    return _symmetric("stag hunt", [[4, 1], [3, 3]], [[[1, 0], [1, 0]], [[0, 1], [0, 1]], [mixed, mixed]])


def battle_of_the_sexes() -> MatrixGame:
    """Two players who want to meet, each at its own favorite place."""
    payoffs = (np.array([[3.0, 0.0], [0.0, 2.0]]), np.array([[2.0, 0.0], [0.0, 3.0]]))
    profiles: list[list[list[float]]] = [[[1, 0], [1, 0]], [[0, 1], [0, 1]], [[0.6, 0.4], [0.4, 0.6]]]
    return MatrixGame("battle of the sexes", payoffs, _profiles(profiles))


def chicken() -> MatrixGame:
    """Swerve or drive on: two pure equilibria in which one player gives way, and a mixed one."""
    mixed = [0.9, 0.1]
    return _symmetric("chicken", [[0, -1], [1, -10]], [[[1, 0], [0, 1]], [[0, 1], [1, 0]], [mixed, mixed]])


def three_player_majority() -> MatrixGame:
    """Three players name a side; who is in the majority gets one. Unanimity is an equilibrium, as is a fair coin."""
    choices = np.indices((2, 2, 2))
    is_second_side = choices.sum(axis=0) >= 2
    payoffs = tuple((choice == is_second_side).astype(np.float64) for choice in choices)
    return MatrixGame("majority", payoffs, _profiles([[[1.0, 0.0]] * 3, [[0.0, 1.0]] * 3, [[0.5, 0.5]] * 3]))


def xor() -> MatrixGame:
    """Two teammates who should do different things: A and B, either way round; two B cost most."""
    mixed = [0.75, 0.25]
    return _symmetric("XOR", [[0, 1], [1, -2]], [[[1, 0], [0, 1]], [[0, 1], [1, 0]], [mixed, mixed]])


def three_meeting_points() -> MatrixGame:
    """Teammates meet at one of three points, worth 5, 10 and 20, or pay 20: each meeting is an equilibrium."""
    payoffs = [[5, -20, -20], [-20, 10, -20], [-20, -20, 20]]
    # Whoever mixes plays points in inverse proportion to what a meeting gains over missing.
    weight = 1.0 / np.array([25.0, 30.0, 40.0])
    mixtures = []
    for points in ([0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]):
        mixture = np.where(np.isin(np.arange(3), points), weight, 0.0)
        mixtures.append((mixture / mixture.sum()).tolist())
    return _symmetric("three meeting points", payoffs, [[mixture, mixture] for mixture in mixtures])


def _symmetric(name: str, row_payoffs: list[list[int]], profiles: list[list[list[float]]]) -> MatrixGame:
    row = np.array(row_payoffs, dtype=np.float64)
    return MatrixGame(name, (row, row.T.copy()), _profiles(profiles))


def _profiles(profiles: list[list[list[float]]]) -> tuple[tuple[Float64, ...], ...]:
    return tuple(tuple(np.array(mixture, dtype=np.float64) for mixture in profile) for profile in profiles)
