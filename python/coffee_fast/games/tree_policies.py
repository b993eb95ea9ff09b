"""Policies as tables over the information sets of a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.policies import Mixture, as_mixture
from coffee_fast.typing import Float64

if TYPE_CHECKING:
    from coffee_fast.games.tree import GameTree

ROWS_AT_ONCE = 8192  # information sets of which a policy is asked


def mixture_of(strategy: Any, player: int, num_players: int) -> Mixture:
    """Return what ``strategy`` has the player do; a solution may have a mixture for each."""
    mixtures = getattr(strategy, "mixtures", None)
    if isinstance(mixtures, tuple | list) and len(mixtures) == num_players:
        return as_mixture(mixtures[player])
    return as_mixture(strategy)


def probabilities_of(tree: GameTree, caller: str, player: int, policy: Any) -> Float64:
    """Ask a policy at each information set of a player: ``float64 [Q]``, zero at the other players' sequences."""
    ask = getattr(policy, "probabilities", None)
    if not callable(ask):
        raise InvalidArgumentError(
            f"{caller}: {type(policy).__name__}, a policy of player {player}, must have a method "
            "probabilities(information_states, legal_masks), without which it cannot be computed with exactly"
        )
    result = np.zeros(tree.core.num_sequences)
    own = np.flatnonzero(tree.information_set_players == player)
    for first in range(0, len(own), ROWS_AT_ONCE):
        sets = own[first : first + ROWS_AT_ONCE]
        masks = tree.legal_masks[sets].astype(bool)
        try:
            found = np.asarray(ask(tree.information_states[sets], masks), np.float64)
        except InvalidArgumentError as error:
            raise InvalidArgumentError(
                f"{caller}: a policy of player {player} does not fit {shown(tree.spec.name)}: {error}"
            ) from None
        _check_distributions(caller, player, found, masks)
        counts = masks.sum(axis=1)
        places = np.repeat(tree.sequence_starts[sets] - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())
        result[places] = found[masks]
    return result


def _check_distributions(caller: str, player: int, found: Float64, masks: Any) -> None:
    is_one = found.shape == masks.shape and np.isfinite(found).all() and (found >= 0.0).all()
    if not (is_one and (found[~masks] == 0.0).all() and (np.abs(found.sum(axis=1) - 1.0) <= 1e-6).all()):
        raise InvalidArgumentError(
            f"{caller}: a policy of player {player} must give distributions over legal actions, shape "
            f"{list(masks.shape)}, got {shown(found)} that is none"
        )
