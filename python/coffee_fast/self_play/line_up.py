"""Who sits where while self-play learns: everybody, or one player at a time among adversaries in the others' places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coffee_fast.typing import LearningSeat


@dataclass(frozen=True)
class LineUp:
    """Networks ``0 .. R-1`` are those of the roles; behind them come the adversaries'.

    Attributes
    ----------
    learning_seats
        Groups of seats that learn together, one group an episode in turn.
    adversaries
        Of each adversary the role in whose place it plays, and what a unit of divergence from that role costs it.
    """

    learning_seats: tuple[tuple[LearningSeat, ...], ...]
    adversaries: tuple[tuple[int, float], ...] = ()


def line_up(role_of: Sequence[int], risk_aversion: float) -> LineUp:
    """Return who learns where (Strategic risk aversion: each player beside adversaries in the place of the others).

    An adversary plays in the place of one role to the harm of another's seat; seats of a role share it.

    >>> line_up([0, 0], risk_aversion=0.0)
    LineUp(learning_seats=(((0, 0, None), (1, 0, None)),), adversaries=())
    >>> line_up([0, 0], risk_aversion=2.0)
    LineUp(learning_seats=(((0, 0, None), (1, 1, 0)), ((0, 1, 1), (1, 0, None))), adversaries=((0, 0.5),))
    """
    seats = range(len(role_of))
    if risk_aversion == 0.0:
        return LineUp((tuple((seat, role_of[seat], None) for seat in seats),))
    pairs = sorted({(role_of[own], role_of[other]) for own in seats for other in seats if other != own})
    network_of = {pair: 1 + max(role_of) + place for place, pair in enumerate(pairs)}
    groups = tuple(
        tuple(
            (seat, role_of[own], None) if seat == own else (seat, network_of[role_of[own], role_of[seat]], own)
            for seat in seats
        )
        for own in seats
    )
    return LineUp(groups, tuple((played, 1.0 / risk_aversion) for _, played in pairs))
