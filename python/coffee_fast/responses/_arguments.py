"""What a training is asked, as plain values: objective and units, and who sits where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from coffee_fast.checks import check_count, check_number
from coffee_fast.errors import ConfigError, InvalidArgumentError, shown
from coffee_fast.policies import Mixture, as_player, as_players
from coffee_fast.responses.objective import ResponseObjective
from coffee_fast.seeding import check_seed
from coffee_fast.simulation import LARGEST_INT, check_dynamics

if TYPE_CHECKING:
    from coffee_fast.dynamics import Dynamics


def check_hidden_sizes(oracle: str, sizes: Any) -> tuple[int, ...]:
    """Return the widths of hidden layers."""
    name, limits = f"{oracle}: hidden_sizes", {"at_least": 1, "at_most": LARGEST_INT}
    if not isinstance(sizes, tuple | list):
        raise ConfigError(f"{name} must be a list of integers >= 1, got {shown(sizes)}")
    return tuple(check_count(f"{name}[{layer}]", s, error=ConfigError, **limits) for layer, s in enumerate(sizes))


def check_training(oracle: Any, dynamics: Any, objective: Any, seed: Any, reward_scale: Any) -> tuple[int, float]:
    """Return seed and scale of a training that can be."""
    check_dynamics("respond", "dynamics", dynamics)
    if not isinstance(objective, ResponseObjective):
        raise InvalidArgumentError(f"respond: objective must be a ResponseObjective, got {shown(objective)}")
    if objective.risk_aversion and getattr(oracle, "is_risk_neutral", False):
        raise ConfigError(
            "respond: objective.risk_aversion must be 0 for this oracle, which learns against the mean opponent, got "
            f"{objective.risk_aversion:g}; PolicyGradient learns against an adversary"
        )
    if objective.risk_aversion and dynamics.spec.num_players != 2:
        raise ConfigError(
            "respond: objective.risk_aversion must be 0 in a game of other than two players, where the worst draw of "
            f"strategies has no closed form, got {objective.risk_aversion:g} for {dynamics.spec.num_players} players; "
            "SelfPlayConfig.risk_aversion learns adversaries of any number"
        )
    reward_scale = check_number("respond: reward_scale", reward_scale, is_open=True)
    return check_seed(seed), reward_scale


def seats_of_learner(player: int | Sequence[int] | None, dynamics: Dynamics) -> list[int]:
    """The seats in which the learner sits, an episode each in turn."""
    N = dynamics.core.num_players
    if player is None:
        if dynamics.spec.num_roles > 1:
            raise InvalidArgumentError(
                f"respond: player must be the learner's seat in a game that is not symmetric, one in [0, {N}), "
                "or the seats of a role, got None"
            )
        return list(range(N))
    given = player if isinstance(player, Sequence) and not isinstance(player, str) else [player]
    seats = [check_count("respond: player", seat, at_most=N - 1) for seat in given]
    if not seats or len(set(seats)) < len(seats):
        raise InvalidArgumentError(f"respond: player must be a seat or different seats, got {shown(player)}")
    return seats


def opponents_by_seat(opponents: Any, num_players: int) -> list[Mixture]:
    """What each player but the learner plays: one mixture for all, or one a seat."""
    if isinstance(opponents, Sequence) and not isinstance(opponents, str):
        return as_players(opponents, num_players)
    return [as_player(opponents, player, num_players) for player in range(num_players)]
