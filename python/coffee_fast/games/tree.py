"""The whole tree of a game: to play at the speed of memory, and to compute with exactly."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from coffee_fast import _core
from coffee_fast.checks import check_count
from coffee_fast.errors import InvalidArgumentError, InvalidGameError, ModelWarning, shown
from coffee_fast.games.spec import GameSpec
from coffee_fast.games.tree_arrays import fingerprint
from coffee_fast.games.tree_policies import mixture_of, probabilities_of
from coffee_fast.seeding import check_seed, derive_seed
from coffee_fast.typing import Float32, Float64, Int32, UInt8

if TYPE_CHECKING:
    from coffee_fast.games.log_tree import LogTree

MAX_NODES = 10_000_000
Array = TypeVar("Array", bound=NDArray[Any])
MOST_MEMBERS = 10_000


class GameTree:
    """Every node of a game with its chances, payoffs and information sets, in flat arrays.

    It plays as any game does (``simulate``, ``generate_dataset``), and what is computed in it is exact: see
    :func:`coffee_fast.exact_regret` and :func:`coffee_fast.mirror_descent`. A player's observation is its information
    state tensor. The state is all players' tensors side by side; where they do not tell nodes with unlike futures
    apart, followed by the moves not yet shown.
    A log has a tree as well, laid out as its specification says: see :meth:`from_dataset`.

    Parameters
    ----------
    game
        A name, ``"openspiel:leduc_poker"``, or a game of OpenSpiel, in which moves at once become moves in turn, the
        later ones made without sight of the earlier; or ``"gambit:PATH"``, a file of Gambit (``.efg``), where a player
        observes which of its information sets was the latest.
    max_nodes
        Most nodes that it may have. Ten million take 2 GB at most, and minutes.

    Attributes
    ----------
    spec, core, fingerprint, reward_scale
        As of any dynamics; rewards are scaled by their deviation under uniform play, which is exact here.
    information_set_names
        What each information set is called in OpenSpiel, in the order of their first nodes, breadth first; in a tree
        from a log the player and a history that leads there.
    is_markov
        Whether states tell all nodes with unlike futures apart, as models of logs of the game suppose; None in a tree
        from a log, which cannot tell.
    log
        What only a tree from a log knows (:meth:`from_dataset`): how often each move was made, which were never seen,
        what episodes paid; else None.

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
        from coffee_fast.games import walked_tree

        max_nodes = check_count("GameTree: max_nodes", max_nodes, at_least=1, at_most=2**31 - 2)
        walked = walked_tree.read(game, max_nodes)
        self.log: LogTree | None = None
        self.is_markov: bool | None = walked.is_markov
        self.reward_scale, self.information_set_names = walked.reward_scale, walked.set_names
        self._compile(walked.spec, walked.arrays)

    def _compile(self, spec: GameSpec, arrays: dict[str, Any], **more: Any) -> None:
        self.spec = spec
        self.fingerprint = fingerprint(spec, arrays)
        contiguous: dict[str, Any] = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        self.core = _core.GameTree(
            num_players=spec.num_players,
            num_actions=spec.num_actions,
            num_chance_outcomes=spec.num_chance_actions,
            terminal_state_value=spec.terminal_state_value,
            **contiguous,
            **more,
        )

    @classmethod
    def from_dataset(cls, dataset: Any, max_nodes: int = MAX_NODES, payoff_range: Any = None) -> GameTree:
        """Return the tree that a log of a small game shows.

        Trajectories are merged where their histories are the same: their first state and what players saw of it, each
        move, what it paid and led to. Chance is as frequent as in the log: where it moves in rows of its own, and where
        like histories went on unlike, luck then, be it before the first row (cards dealt before the log begins) or
        after any move. Luck is drawn unnoticed, so that the tree plays by the specification of the log, and policies
        of one play in the other. Information sets are what ``dataset.information_states()`` and ``legal_mask`` tell a
        player.

        Legal actions that nobody took from a history, and moves at which the log breaks off, are *unseen*: whatever
        follows is unknown. The tree has then two members, as an ensemble has: by the first an episode that goes there
        pays every player, in all, the least that an episode of the log paid it, by the second the most. Their
        disagreement, half the distance, is zero where all was seen. So it takes the place of a model
        (``coffee_psro``; with an ``uncertainty_penalty`` of 1 unseen moves are worth the least), and
        :func:`coffee_fast.exact_regret` gives bounds.

        Parameters
        ----------
        dataset
            A :class:`coffee_fast.TrajectoryDataset`.
        max_nodes
            Most nodes that it may have.
        payoff_range
            The least and the most that an episode may pay a player in all, two numbers or two a player; by default what
            episodes of the log paid. Say it where all of them paid the same, or unseen moves seem to pay that, too.

        Raises
        ------
        DatasetError
            For a log that its specification contradicts, that needs more nodes or memory, or in which nearly every
            history was met but once, so that there is nothing to merge.

        Notes
        -----
        Cost: some ten microseconds a row and a node. A tree knows nothing of what only resembles what was seen; where
        games are too large to repeat, a :class:`coffee_fast.DynamicsEnsemble` does.

        >>> import coffee_fast as cf
        >>> log = cf.generate_dataset(cf.load_game("openspiel:kuhn_poker"), num_trajectories=30, seed=0)
        >>> tree = GameTree.from_dataset(log)
        >>> tree
        GameTree('openspiel:kuhn_poker', from a log: 58 nodes, 8 of them unseen, 12 information sets)
        >>> cf.exact_regret(tree, "uniform_random").lower.shape
        (2,)
        """
        from coffee_fast.games import log_tree

        max_nodes = check_count("GameTree.from_dataset: max_nodes", max_nodes, at_least=1, at_most=2**31 - 2)
        found = log_tree.read(dataset, max_nodes, payoff_range)
        if found.is_unseen.any() and (found.least == found.most).any():
            warnings.warn(
                "GameTree.from_dataset: all episodes paid a player the same, so nothing bounds what moves that nobody "
                "made may pay it, and to a solver they are as good as any; say payoff_range",
                ModelWarning,
                stacklevel=2,
            )
        return cls._of_log(dataset.spec, found, found.arrays)

    @classmethod
    def _of_log(cls, spec: GameSpec, log: LogTree, arrays: dict[str, Any]) -> GameTree:
        tree = cls.__new__(cls)
        tree.log, tree.is_markov = log, None
        tree.reward_scale, tree.information_set_names = log.reward_scale, log.set_names
        length, num_members = spec.max_episode_length, arrays["payoffs"].shape[1] // spec.num_players
        tree._compile(spec, arrays, max_episode_length=length, num_members=num_members, observations_in_state=False)
        return tree

    def members(self, num: int, seed: int) -> tuple[GameTree, ...]:
        """Return trees of the same log in which chance is as likely as it may well be, given what was seen.

        Frequencies are drawn by the Bayesian bootstrap: where outcomes were seen ``n_1 .. n_k`` times, from
        Dirichlet(n_1, .., n_k), the posterior of a prior that knows nothing but that these are the outcomes; its mean
        is the frequencies seen. Of an episode and its mirror image one counts. What is computed in each, exactly,
        spreads as it would from one log as large to another. An outcome never seen is in none of them, and of one seen
        alone nothing is drawn: where counts are a few, the spread is too small.

        Parameters
        ----------
        num
            How many, up to 10,000.
        seed
            Member ``i`` is the same for any ``num``.

        Raises
        ------
        InvalidGameError
            If the tree is not from a log: then chance is known.

        Source: Rubin (1981).

        >>> import coffee_fast as cf
        >>> log = cf.generate_dataset(cf.load_game("openspiel:kuhn_poker"), num_trajectories=200, seed=0)
        >>> members = GameTree.from_dataset(log).members(20, seed=1)
        >>> bool(np.std([cf.exact_regret(member, "uniform_random").nash_conv for member in members]) > 0.0)
        True
        """
        return tuple(self.each_member(num, seed))

    def each_member(self, num: int, seed: int) -> Iterator[GameTree]:
        """Return :meth:`members` one after another, where all at once would need much memory."""
        num = check_count("members: num", num, at_least=1, at_most=MOST_MEMBERS)
        seed = check_seed(seed)
        log = self.log
        if log is None:
            raise InvalidGameError(
                f"members: {shown(self.spec.name)} is not from a log, so its chance is known and there is nothing to "
                "draw; GameTree.from_dataset makes trees of logs"
            )
        rngs = (np.random.Generator(np.random.PCG64(derive_seed(seed, "member", i))) for i in range(num))
        return (self._of_log(self.spec, log, log.draw(rng)) for rng in rngs)

    def penalized(self, penalty: float) -> GameTree:
        """The tree whose unseen moves pay their mean less ``penalty`` times the members' disagreement, by each."""
        log = self.log
        if log is None or not self.num_unseen:  # nothing to disagree about
            return self
        return self._of_log(self.spec, log, log.penalized(penalty))

    @property
    def num_unseen(self) -> int:
        """Moves of which the log does not show what follows: legal actions never taken, and where it breaks off."""
        return 0 if self.log is None else int(self.log.is_unseen.sum())

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
        masks[np.repeat(np.arange(len(masks)), np.diff(self.sequence_starts)), self.core.sequence_actions()] = 1
        return _frozen(masks)

    @cached_property
    def sequence_starts(self) -> Int32:
        """``int32 [K + 1]``: the first sequence of each information set, an action of it each, and their number."""
        return self.core.sequence_starts()

    def set_sums(self, values: Float64) -> Float64:
        """Sums over the actions of each information set, ``float64 [K]`` of ``[Q]``."""
        padded = np.append(values, 0.0)  # as no slice may begin at the end
        return np.add.reduceat(padded, self.sequence_starts)[:-1]

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
        mixture = mixture_of(strategy, player, self.spec.num_players)
        is_played = mixture.probabilities > 0.0
        policies = [policy for policy, played in zip(mixture.policies, is_played, strict=True) if played]
        rows = np.stack([probabilities_of(self, caller, player, policy) for policy in policies])
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

    def __repr__(self) -> str:
        more = ", whose states do not tell all nodes with unlike futures apart" if self.is_markov is False else ""
        nodes = f"{self.num_nodes} nodes"
        if self.log is not None:
            nodes = f"from a log: {nodes}, {self.num_unseen} of them unseen"
        return f"GameTree({shown(self.spec.name)}, {nodes}, {self.num_information_sets} information sets{more})"


def _frozen(array: Array) -> Array:
    array.flags.writeable = False
    return array
