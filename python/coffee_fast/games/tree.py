"""The whole tree of a game: to play at the speed of memory, and to compute with exactly."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from coffee_fast import _core
from coffee_fast.checks import check_count
from coffee_fast.errors import InvalidArgumentError, InvalidGameError, shown
from coffee_fast.games.bargaining import GeneralizedBargaining
from coffee_fast.games.spec import GameSpec
from coffee_fast.games.tree_arrays import Levels, move_vectors
from coffee_fast.policies import Mixture, as_mixture
from coffee_fast.typing import Float32, Float64, Int32, UInt8

MAX_NODES = 10_000_000
Array = TypeVar("Array", bound=NDArray[Any])
ROWS_AT_ONCE = 8192  # information sets of which a policy is asked


class GameTree:
    """Every node of a game with its chances, payoffs and information sets, in flat arrays.

    It plays as any game does (``simulate``, ``generate_dataset``), and what it computes is exact: see
    :func:`coffee_fast.exact_regret`. A player's observation is its information state tensor. The state is all players'
    tensors side by side; where they do not tell nodes with unlike futures apart, followed by the moves not yet shown.

    Parameters
    ----------
    game
        A name, ``"openspiel:leduc_poker"``, or a game of OpenSpiel. Moves at once become moves in turn, the later ones
        made without sight of the earlier.
    max_nodes
        Most nodes that it may have. Ten million take 2 GB at most, and minutes.

    Attributes
    ----------
    spec, core, fingerprint, reward_scale
        As of any dynamics; rewards are scaled by their deviation under uniform play, which is exact here.
    information_set_names
        What each information set is called in OpenSpiel, in the order of their first nodes, breadth first.
    is_markov
        Whether states tell all nodes with unlike futures apart, as models of logs of the game suppose.

    Raises
    ------
    InvalidGameError
        For a game that is too large, whose chance is sampled, or without information state tensors.

    Notes
    -----
    Cost: some microseconds a node, once.

    >>> tree = GameTree("openspiel:kuhn_poker")
    >>> tree
    GameTree('openspiel:kuhn_poker', 58 nodes, 12 information sets)
    >>> tree.information_set_names[0], tree.information_states.shape, tree.legal_masks[0].tolist()
    ('0', (12, 11), [1, 1])
    """

    def __init__(self, game: Any, max_nodes: int = MAX_NODES) -> None:
        from coffee_fast.games import openspiel_tree  # which loads OpenSpiel

        max_nodes = check_count("GameTree: max_nodes", max_nodes, at_least=1, at_most=2**31 - 2)
        if isinstance(game, str) and game.startswith(openspiel_tree.PREFIX):
            game = openspiel_tree.load("GameTree", game, {})
        if not openspiel_tree.is_game(game):
            raise InvalidGameError(_expected(game))
        name = openspiel_tree.name_of(game)
        walk, played = openspiel_tree.walk("GameTree", game, max_nodes)
        arrays = walk.breadth_first()
        num_outcomes = max(played.max_chance_outcomes(), 0) if (arrays["players"] == -1).any() else 0
        actions, outcomes = move_vectors(played.num_distinct_actions()), move_vectors(num_outcomes)
        levels = Levels(arrays)
        hidden_rows, hidden, self.is_markov = levels.hidden(actions, outcomes)
        size = walk.observation_size
        num_players, self.information_set_names = walk.num_players, tuple(walk.set_names)
        del walk  # the arrays are there in their order
        self.reward_scale = levels.reward_scale()
        self.spec = GameSpec(
            name=name,
            num_players=num_players,
            num_actions=len(actions),
            action_vectors=actions,
            state_size=num_players * size + hidden.shape[1],
            observation_size=size,
            history_start=size,
            max_episode_length=levels.max_episode_length,
            turn_order=levels.turn_order(),
            rewards="every_step" if levels.pays_early() else "at_end",
            num_chance_actions=num_outcomes,
            chance_vectors=outcomes,
        )
        arrays |= {"hidden_rows": hidden_rows if hidden.shape[1] else hidden_rows[:0], "hidden": hidden}
        self.fingerprint = _fingerprint(self.spec, arrays)
        self.core = _core.GameTree(
            num_players=num_players,
            num_actions=len(actions),
            num_chance_outcomes=num_outcomes,
            terminal_state_value=self.spec.terminal_state_value,
            **{name: np.ascontiguousarray(array) for name, array in arrays.items()},
        )

    @property
    def num_nodes(self) -> int:
        """Number of nodes, ends of episodes among them."""
        return self.core.num_nodes

    @property
    def num_information_sets(self) -> int:
        """Number of information sets ``K``, of all players."""
        return self.core.num_information_sets

    @cached_property
    def information_set_players(self) -> Int32:
        """``int32 [K]``: who is on move."""
        return _frozen(self.core.information_set_players())

    @cached_property
    def information_states(self) -> Float32:
        """``float32 [K, I]``: what the player on move knows."""
        return _frozen(self.core.information_states())

    @cached_property
    def legal_masks(self) -> UInt8:
        """``uint8 [K, A]``: what it may do."""
        masks = np.zeros((self.num_information_sets, self.spec.num_actions), np.uint8)
        masks[np.repeat(np.arange(len(masks)), np.diff(self._starts)), self.core.sequence_actions()] = 1
        return _frozen(masks)

    @cached_property
    def _starts(self) -> Int32:
        return self.core.sequence_starts()

    def behavior(self, player: int, strategy: Any) -> Float64:
        """Return what a player does at each of its information sets.

        Parameters
        ----------
        player
            Its seat, from 0.
        strategy
            A known name, a policy, a mixture or a solution. A mixture, drawn once an episode, becomes the behavior
            policy with the same play against anyone (Kuhn 1953).

        Returns
        -------
        float64 [K, A]
            Probabilities, zero at illegal actions and at the other players' information sets.

        Raises
        ------
        InvalidArgumentError
            For a policy that does not fit the game or does not say its probabilities, or if the player forgets what it
            knew or did.

        >>> tree = GameTree("openspiel:kuhn_poker")
        >>> tree.behavior(1, "uniform_random").sum(axis=1).astype(int).tolist()
        [0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0]
        """
        player = check_count("behavior: player", player, at_most=self.spec.num_players - 1)
        table = np.zeros(self.legal_masks.shape)
        table[self.legal_masks.astype(bool)] = self.sequence_probabilities("behavior", player, strategy)
        return table

    def sequence_probabilities(self, caller: str, player: int, strategy: Any) -> Float64:
        """Return :meth:`behavior` as the kernels take it, ``float64 [Q]``: the legal actions' probabilities alone."""
        mixture = _mixture_of(strategy, player, self.spec.num_players)
        is_played = mixture.probabilities > 0.0
        policies = [policy for policy, played in zip(mixture.policies, is_played, strict=True) if played]
        rows = np.stack([self._of_policy(caller, player, policy) for policy in policies])
        if len(policies) == 1:
            return np.asarray(rows[0])
        self.check_recall(caller)
        return self.core.mixture_behavior(player, rows, mixture.probabilities[is_played])

    @property
    def has_recall(self) -> bool:
        """Whether all players remember what they knew and did, which exact best responses suppose."""
        return self.core.forgetful_set < 0

    def check_recall(self, caller: str) -> None:
        """Raise ``InvalidArgumentError`` unless all players remember what they knew and did."""
        if (number := self.core.forgetful_set) >= 0:
            raise InvalidArgumentError(
                f"{caller}: needs perfect recall, but in {shown(self.spec.name)} player "
                f"{self.information_set_players[number]} does not know at information set "
                f"{shown(self.information_set_names[number])} what it did or knew before; there are estimates for such "
                "games: coffee_fast.simulate"
            )

    def _of_policy(self, caller: str, player: int, policy: Any) -> Float64:
        ask = getattr(policy, "probabilities", None)
        if not callable(ask):
            raise InvalidArgumentError(
                f"{caller}: {type(policy).__name__}, a policy of player {player}, must have a method "
                "probabilities(information_states, legal_masks), without which it cannot be computed with exactly"
            )
        result = np.zeros(self.core.num_sequences)
        own = np.flatnonzero(self.information_set_players == player)
        for first in range(0, len(own), ROWS_AT_ONCE):
            sets = own[first : first + ROWS_AT_ONCE]
            masks = self.legal_masks[sets].astype(bool)
            try:
                found = np.asarray(ask(self.information_states[sets], masks), np.float64)
            except InvalidArgumentError as error:
                raise InvalidArgumentError(
                    f"{caller}: a policy of player {player} does not fit {shown(self.spec.name)}: {error}"
                ) from None
            _check_distributions(caller, player, found, masks)
            counts = masks.sum(axis=1)
            places = np.repeat(self._starts[sets] - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())
            result[places] = found[masks]
        return result

    def __repr__(self) -> str:
        more = "" if self.is_markov else ", whose states do not tell all nodes with unlike futures apart"
        return (
            f"GameTree({shown(self.spec.name)}, {self.num_nodes} nodes, {self.num_information_sets} information sets"
            f"{more})"
        )


def _mixture_of(strategy: Any, player: int, num_players: int) -> Mixture:
    """What ``strategy`` has the player do; a solution may have a mixture for each."""
    mixtures = getattr(strategy, "mixtures", None)
    if isinstance(mixtures, tuple | list) and len(mixtures) == num_players:
        return as_mixture(mixtures[player])
    return as_mixture(strategy)


def _expected(game: Any) -> str:
    if isinstance(game, GeneralizedBargaining):
        return (
            "GameTree: generalized_bargaining has infinitely many deals, since valuations are real numbers; of a small "
            "variant there is a tree: "
            '"openspiel:python_generalized_bargaining(max_offers=3,num_valuations=2,pool=1 1 1)"'
        )
    return (
        'GameTree: game must be "openspiel:" and the name of a game, such as "openspiel:leduc_poker", or a game of '
        f"OpenSpiel, got {shown(game)}"
    )


def _check_distributions(caller: str, player: int, found: Float64, masks: Any) -> None:
    is_one = found.shape == masks.shape and np.isfinite(found).all() and (found >= 0.0).all()
    if not (is_one and (found[~masks] == 0.0).all() and (np.abs(found.sum(axis=1) - 1.0) <= 1e-6).all()):
        raise InvalidArgumentError(
            f"{caller}: a policy of player {player} must give distributions over legal actions, shape "
            f"{list(masks.shape)}, got {shown(found)} that is none"
        )


def _fingerprint(spec: GameSpec, arrays: dict[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(spec.to_json(), sort_keys=True).encode())
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype.str} {arrays[name].shape}".encode())
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()


def _frozen(array: Array) -> Array:
    array.flags.writeable = False
    return array
