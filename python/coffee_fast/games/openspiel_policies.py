"""Our policies as OpenSpiel's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from open_spiel.python.policy import Policy as OpenSpielPolicy

from coffee_fast import _core
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.policies import NetworkPolicy, PerStepMixture, UniformRandom, as_mixture
from coffee_fast.policy_tables import TablePolicy
from coffee_fast.typing import Float32, Float64

Rule = Callable[[Float32, list[int]], Float64]


class BehaviorPolicy(OpenSpielPolicy):  # type: ignore[misc]
    """What :func:`to_openspiel_policy` makes."""

    def __init__(self, game: Any, rules: Sequence[Rule], weights: Float64) -> None:
        super().__init__(game, list(range(game.num_players())))
        self._rules, self._prior = rules, weights

    def action_probabilities(self, state: Any, player_id: int | None = None) -> dict[int, float]:
        player = state.current_player() if player_id is None else player_id
        legal = state.legal_actions(player)
        each = self._each(state, player, legal)
        weights = self._prior if len(self._rules) == 1 else self._posterior(state, player)
        return dict(zip(legal, (weights @ each).tolist(), strict=True))

    def _each(self, state: Any, player: int, legal: list[int]) -> Float64:
        features = np.asarray(state.information_state_tensor(player), np.float32)
        return np.array([rule(features, legal) for rule in self._rules])

    def _posterior(self, state: Any, player: int) -> Float64:
        """How likely each policy is the one that was drawn, given what the player has done so far."""
        weights, replayed = self._prior, state.get_game().new_initial_state()
        for action in state.history():
            if replayed.current_player() == player:
                legal = replayed.legal_actions(player)
                weights = weights * self._each(replayed, player, legal)[:, legal.index(action)]
            replayed.apply_action(action)
        total = float(weights.sum())
        return weights / total if total > 0.0 else self._prior  # never reached, so that anything is right


def to_openspiel_policy(game: Any, strategy: Any) -> BehaviorPolicy:
    """Return ``strategy`` as an ``open_spiel.python.policy.Policy`` of every player of an OpenSpiel game.

    A mixture, drawn once an episode, becomes the behavior policy with the same play (Kuhn's theorem): at each
    decision its policies are weighted by how likely they are to have made the player's earlier ones. This replays the
    episode at every call; the other policies cost one evaluation.

    Parameters
    ----------
    game
        Any ``pyspiel.Game`` with the information state tensors and actions that the policies were made for.
    strategy
        A known name, a policy, a mixture or a solution.

    Raises
    ------
    InvalidArgumentError
        For a policy of your own class, or one whose network does not fit the game.

    >>> import pyspiel
    >>> game = pyspiel.load_game("kuhn_poker")
    >>> state = game.new_initial_state().child(0).child(1)
    >>> to_openspiel_policy(game, "uniform_random").action_probabilities(state)
    {0: 0.5, 1: 0.5}
    """
    if isinstance(game, type) or not hasattr(game, "information_state_tensor_size"):
        raise InvalidArgumentError(f"to_openspiel_policy: game must be a game of OpenSpiel, got {shown(game)}")
    mixture = as_mixture(strategy)
    is_played = mixture.probabilities > 0.0
    rules = [_rule(game, policy) for policy, played in zip(mixture.policies, is_played, strict=True) if played]
    return BehaviorPolicy(game, rules, mixture.probabilities[is_played])


def _rule(game: Any, policy: Any) -> Rule:
    """Return the function from information state and legal actions to probabilities of the latter."""
    if isinstance(policy, UniformRandom):
        return lambda features, legal: np.full(len(legal), 1.0 / len(legal))
    if isinstance(policy, PerStepMixture):
        rules, weights = [_rule(game, part) for part in policy.components], np.array(policy.weights, np.float64)
        return lambda features, legal: weights / weights.sum() @ np.array([rule(features, legal) for rule in rules])
    sizes = (game.information_state_tensor_size(), game.num_distinct_actions())
    if isinstance(policy, TablePolicy):
        return _rule_of_table(policy, sizes)
    if not isinstance(policy, NetworkPolicy):
        raise InvalidArgumentError(
            "to_openspiel_policy: policies must be UniformRandom, NetworkPolicy, TablePolicy or PerStepMixture, "
            f"got {type(policy).__name__}"
        )
    network = _core.Mlp(list(policy.layers))
    if (network.input_size, network.output_size) != sizes:
        raise InvalidArgumentError(
            f"to_openspiel_policy: the network must have {sizes[0]} inputs and {sizes[1]} outputs for this game, "
            f"got {network.input_size} and {network.output_size}"
        )

    def rule(features: Float32, legal: list[int]) -> Float64:
        outputs = network.forward(features[None])[0, legal].astype(np.float64)
        if policy.kind == "greedy":
            return np.asarray(np.arange(len(legal)) == outputs.argmax(), np.float64)
        powers = np.exp((outputs - outputs.max()) / policy.temperature)
        return np.asarray(powers / powers.sum())

    return rule


def _rule_of_table(policy: TablePolicy, sizes: tuple[int, int]) -> Rule:
    if (found := (policy.information_states.shape[1], policy.action_probabilities.shape[1])) != sizes:
        raise InvalidArgumentError(
            f"to_openspiel_policy: the table must be of {sizes[0]} features and {sizes[1]} actions for this game, got "
            f"one of {found[0]} and {found[1]}"
        )

    def rule(features: Float32, legal: list[int]) -> Float64:
        mask = np.zeros((1, sizes[1]))
        mask[0, legal] = 1
        return policy.probabilities(features[None], mask)[0, legal]

    return rule
