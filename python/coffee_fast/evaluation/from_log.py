"""Regret as far as a log tells it: bounds in the tree that the log shows, with chance as it may well be."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from coffee_fast.checks import check_count
from coffee_fast.errors import shown
from coffee_fast.evaluation.exact import ExactRegret, play_in, regret_of_play
from coffee_fast.games import GameTree


@dataclass(frozen=True, eq=False)
class RegretFromLog:
    """What a profile leaves to gain in the game that a log is of, as far as the log tells.

    Attributes
    ----------
    in_tree
        Its regret in the tree of the log, where chance is as frequent as it was there.
    members
        Its regret where chance is as it may well be, after so many episodes (:meth:`coffee_fast.GameTree.members`).
    """

    in_tree: ExactRegret
    members: Sequence[ExactRegret]

    @property
    def nash_conv(self) -> float:
        """Regret summed over players in the tree of the log; unseen moves pay the mean of the least and the most."""
        return self.in_tree.nash_conv

    @property
    def nash_conv_bounds(self) -> tuple[float, float]:
        """The least and the most that regret summed over players may be, in any of the trees.

        They hold under the conditions of :attr:`coffee_fast.ExactRegret.lower`, and if chance is as in one of the
        trees. Of 1061 profiles in ten games, judged exactly, 20 members and the tree held 1041
        (``reproductions/games``).
        """
        lower, upper = zip(*(found.nash_conv_bounds for found in (self.in_tree, *self.members)), strict=True)
        return min(lower), max(upper)

    def describe(self) -> str:
        """Say in words what the players could gain.

        >>> import coffee_fast as cf
        >>> log = cf.generate_dataset(cf.load_game("openspiel:kuhn_poker"), num_trajectories=2000, seed=0)
        >>> print(regret_from_log(log, "uniform_random", seed=1).describe())
        By leaving this profile alone players of 'openspiel:kuhn_poker' could gain between 0.9078 and 0.9386 in all, \
by 2000 episodes of the log, in which no move was missed.
        """
        low, high = self.nash_conv_bounds
        tree = self.in_tree
        unseen = "in which no move was missed"
        if tree.num_unseen:
            unseen = (
                f"whatever follows the {tree.num_unseen} moves that they do not show (of {tree.num_nodes - 1}), if it "
                "pays no less and no more than whole episodes did"
            )
        return (
            f"By leaving this profile alone players of {shown(tree.game)} could gain between {low:.4g} and "
            f"{high:.4g} in all, by {tree.num_episodes} episodes of the log, {unseen}."
        )

    def __repr__(self) -> str:
        low, high = self.nash_conv_bounds
        return (
            f"RegretFromLog({shown(self.in_tree.game)}, {self.in_tree.num_episodes} episodes: NashConv between "
            f"{low:.4g} and {high:.4g}, {self.in_tree.num_unseen} moves unseen)"
        )


def regret_from_log(log: Any, policies: Any, seed: int, num_members: int = 20) -> RegretFromLog:
    """Bound what players could gain by leaving a profile, by a log alone: no model, no true game.

    Parameters
    ----------
    log
        A :class:`coffee_fast.TrajectoryDataset` in which histories repeat; or the tree of one, which
        :meth:`coffee_fast.GameTree.from_dataset` makes.
    policies
        The profile, however it was found, as :func:`coffee_fast.exact_regret` takes it.
    seed
        Of the members.
    num_members
        Trees with frequencies of chance that the log allows.

    Raises
    ------
    DatasetError
        For a log without a tree: hardly any history repeats in it, or it is at odds with its specification.
    InvalidGameError
        For a tree that is not from a log.
    InvalidArgumentError
        For a solution of another game, a policy that does not fit the game, or players who forget.

    Notes
    -----
    Cost: policies are asked once; then that of :func:`coffee_fast.exact_regret` for each tree.

    >>> import coffee_fast as cf
    >>> log = cf.generate_dataset(cf.load_game("openspiel:kuhn_poker"), num_trajectories=2000, seed=0)
    >>> low, high = regret_from_log(log, "uniform_random", seed=1).nash_conv_bounds
    >>> low < cf.exact_regret("openspiel:kuhn_poker", "uniform_random").nash_conv < high
    True
    """
    tree = log if isinstance(log, GameTree) else GameTree.from_dataset(log)
    num_members = check_count("regret_from_log: num_members", num_members, at_least=1)
    (found,) = regrets_from_log(tree, [policies], seed, num_members)
    return found


def regrets_from_log(tree: GameTree, profiles: Sequence[Any], seed: int, num_members: int = 20) -> list[RegretFromLog]:
    """Return what :func:`regret_from_log` does of several profiles, for one drawing of members."""
    plays = [play_in(tree, "regret_from_log", policies) for policies in profiles]
    trees = itertools.chain([tree], tree.each_member(num_members, seed))
    by_tree = [[regret_of_play(each, play) for play in plays] for each in trees]
    return [RegretFromLog(in_tree, members) for in_tree, *members in zip(*by_tree, strict=True)]
