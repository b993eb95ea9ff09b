"""The checked arguments of a solver of tabular games: references, weights, and what is not known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coffee_fast.checks import check_number
from coffee_fast.errors import InvalidArgumentError, InvalidGameError, shown
from coffee_fast.stage_games.arguments import (
    KLWeight,
    References,
    check_kl_weight,
    check_per_player,
    check_players,
    check_weight_against_ranges,
    log_reference,
    log_uniform,
)
from coffee_fast.stage_games.kernels import LOG_ZERO
from coffee_fast.tabular.game import TabularGame
from coffee_fast.typing import Float64, Profile

KLValue = Literal["own", "zero_sum"]


@dataclass(frozen=True, eq=False)
class Anchors:
    """Log-references ``[H, S, A_i]`` a player, weights ``[N]``, the worth of unseen cells ``[N]``, whose KL counts."""

    reference: Profile
    kl_weight: Float64
    unseen_value: Float64
    kl_value: KLValue

    @classmethod
    def of(
        cls,
        caller: str,
        game: TabularGame,
        kl_weight: KLWeight,
        reference: References,
        *,
        smoothing: float,
        unseen_value: ArrayLike | None,
        kl_value: KLValue | None = "own",
    ) -> Anchors:
        known = game.legal_profiles if game.counts is None else game.counts > 0
        ranges = np.array([np.ptp(rewards[known]) for rewards in game.rewards])
        weights = check_kl_weight(caller, kl_weight, ranges)
        check_weight_against_ranges(caller, weights, ranges * game.horizon)
        if unseen_value is None and game.num_unseen:
            step, state, *actions = np.argwhere(game.unseen)[0].tolist()
            raise InvalidGameError(
                f"{caller}: {game.num_unseen} cells are empty, the first for actions {tuple(actions)} at step {step}, "
                f"state {state}: the log never shows them; say with unseen_value what such a cell is worth"
            )
        worth = check_per_player(
            f"{caller}: unseen_value", 0.0 if unseen_value is None else unseen_value, game.num_players
        )
        if kl_value is not None and not (isinstance(kl_value, str) and kl_value in ("own", "zero_sum")):
            raise InvalidArgumentError(f"{caller}: kl_value must be 'own', 'zero_sum' or None, got {shown(kl_value)}")
        if kl_value == "zero_sum" and game.num_players != 2:
            raise InvalidArgumentError(f"{caller}: kl_value 'zero_sum' is for two players, got {game.num_players}")
        if kl_value is None:
            kl_value = "zero_sum" if _is_zero_sum(game, known) and weights[0] == weights[1] else "own"
        return cls(_references(caller, game, reference, smoothing), weights, worth, kl_value)


def _references(caller: str, game: TabularGame, reference: References, smoothing: float) -> Profile:
    smoothing = check_number(f"{caller}: smoothing", smoothing, is_open=True)
    shape = game.rewards.shape[1:3]
    legal = game.legal or [np.ones((*shape, size), dtype=bool) for size in game.num_actions]
    if reference is None:
        reference = "uniform" if game.counts is None else "behavior"
    if isinstance(reference, str):
        if reference == "uniform":
            return [log_uniform(mask) for mask in legal]
        if reference != "behavior" or game.counts is None:
            raise InvalidArgumentError(
                f"{caller}: reference must be arrays, 'uniform', or 'behavior' for a game from a log, "
                f"got {shown(reference)}"
            )
        return [_behavior(game, player, mask, smoothing) for player, mask in enumerate(legal)]
    check_players(f"{caller}: reference", reference, game.num_players)
    return [
        log_reference(f"{caller}: reference of player {i}", reference[i], mask.shape, mask)
        for i, mask in enumerate(legal)
    ]


def _behavior(game: TabularGame, player: int, legal: NDArray[np.bool_], smoothing: float) -> Float64:
    """Return the log's frequencies of each action ``[H, S, A]`` after ``smoothing`` more plays of each legal one."""
    assert game.counts is not None
    others = tuple(axis for axis in range(2, game.counts.ndim) if axis != player + 2)
    plays = np.where(legal, game.counts.sum(axis=others) + smoothing, 1.0)
    total = np.where(legal, plays, 0.0).sum(axis=-1, keepdims=True)
    return np.where(legal, np.log(plays / total), LOG_ZERO)


def _is_zero_sum(game: TabularGame, known: NDArray[np.bool_]) -> bool:
    if game.num_players != 2:
        return False
    sums = (game.rewards[0] + game.rewards[1])[known]
    return bool(np.abs(sums).max() <= 1e-9 * np.ptp(game.rewards[0][known]))
