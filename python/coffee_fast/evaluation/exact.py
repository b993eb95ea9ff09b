"""Regret without sampling: values and best responses over a game's whole tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.evaluation.regret_report import RegretReport
from coffee_fast.games import GameSpec, GameTree
from coffee_fast.policies import Mixture, as_profile
from coffee_fast.typing import Float64

MOST_SHOWN = 8  # players


@dataclass(frozen=True, eq=False)
class ExactRegret:
    """What a profile is worth in a game, computed over the whole tree: exact up to rounding.

    Attributes
    ----------
    game
        The game's name.
    regret
        What each player could gain by leaving the profile alone, against all policies there are: f64 ``[N]``. In a tree
        from a log, what it could gain there, where unseen moves pay the mean of the least and the most.
    values
        What each player earns: f64 ``[N]``.
    best_response_values
        The most that it could earn against the others: f64 ``[N]``.
    lower, upper
        Bounds on the regret in the game that a log is of, f64 ``[N]``; ``regret`` in any tree without unseen moves.
        Whatever follows an unseen move, in the upper one it pays the player the most if it leaves the profile and the
        least if it does not; in the lower one the reverse. They contain the truth if, besides, episodes of the game
        that get to unseen moves pay no player less, or more, in all than some whole episode of the log did; if chance
        is as likely as in the tree (for that see :meth:`coffee_fast.GameTree.members`: what chance did not do in the
        log it does not do in the tree); and if the log's masks are true and its observations hold what players knew.
        Where moves are unseen and all episodes paid a player the same, nothing is known of what else it may be paid:
        its bounds are 0 and infinity, unless ``GameTree.from_dataset`` was told a ``payoff_range``.
    num_nodes, num_information_sets, num_unseen
        The size of the tree, and how many of its nodes stand for what was never seen.
    num_episodes
        Of a tree from a log: the independent episodes in which chance was counted; 0 where it is known.
    """

    game: str
    regret: Float64
    values: Float64
    best_response_values: Float64
    lower: Float64
    upper: Float64
    num_nodes: int
    num_information_sets: int
    num_unseen: int
    num_episodes: int

    @property
    def nash_conv(self) -> float:
        """``regret`` summed over players; 0 at a Nash equilibrium."""
        return float(self.regret.sum())

    @property
    def nash_conv_bounds(self) -> tuple[float, float]:
        """``lower`` and ``upper`` summed over players."""
        return float(self.lower.sum()), float(self.upper.sum())

    def describe(self) -> str:
        """Say in words what the players could gain, and how well that is known.

        >>> import coffee_fast as cf
        >>> print(cf.exact_regret("openspiel:kuhn_poker", "uniform_random").describe())
        By leaving this profile alone the players of 'openspiel:kuhn_poker' could gain 0.916667 in all: exact.
        """
        who = f"By leaving this profile alone the players of {shown(self.game)} could gain"
        if not self.num_episodes:
            return f"{who} {self.nash_conv:.6g} in all: exact."
        counted = f"chance is as likely as in the {self.num_episodes} episodes of the log"
        if not self.num_unseen:
            return f"{who} {self.nash_conv:.4g} in all, if {counted}."
        low, high = self.nash_conv_bounds
        return (
            f"{who} between {low:.4g} and {high:.4g} in all, whatever follows the {self.num_unseen} moves that the log "
            f"does not show (of {self.num_nodes - 1}), if it pays no less and no more than whole episodes did and "
            f"{counted}."
        )

    def __repr__(self) -> str:
        low, high = self.nash_conv_bounds
        between = f" between {low:.6g} and {high:.6g}, {self.num_unseen} moves unseen" if self.num_unseen else ""
        return (
            f"ExactRegret({shown(self.game)}, exact over {self.num_nodes} nodes: NashConv {self.nash_conv:.6g}"
            f"{between}, regret {_figures(self.regret)}, values {_figures(self.values)})"
        )


def exact_regret(game: Any, policies: Any) -> ExactRegret:
    r"""Compute what each player could gain in a game by leaving a profile, against all policies there are.

    .. math:: \max_{\pi} u_i(\pi, \sigma_{-i}) - u_i(\sigma).

    Parameters
    ----------
    game
        A :class:`coffee_fast.GameTree`, of a game or a log, or what one is made from: ``"openspiel:leduc_poker"``, a
        game of OpenSpiel.
    policies
        A solution; or a list of one strategy a player: a known name (``"uniform_random"``), a policy, a mixture, a
        solution; or one strategy that all players follow. Networks are asked at every information set, in batches. A
        mixture is drawn once an episode: it is computed with as the behavior policy that has the same play.

    Returns
    -------
    ExactRegret

    Raises
    ------
    InvalidArgumentError
        For a solution of another game, a policy that does not fit the game, or players who forget.
    InvalidGameError
        For a game without a tree; see :class:`coffee_fast.GameTree`.

    Notes
    -----
    Cost: linear in the nodes, some tens of nanoseconds each and player, besides asking the policies.

    References
    ----------
    Lanctot et al. 2017 (NashConv); von Stengel 1996 (sequences); Kuhn 1953.

    >>> import coffee_fast as cf
    >>> cf.exact_regret("openspiel:leduc_poker", "uniform_random").nash_conv.__round__(6)
    4.747222
    """
    tree = game if isinstance(game, GameTree) else GameTree(game)
    return regret_of_play(tree, play_in(tree, "exact_regret", policies))


def play_in(tree: GameTree, caller: str, policies: Any) -> Float64:
    """Return what a profile does in a tree, ``float64 [Q]``: the probabilities of the legal actions of all players."""
    strategies = _profile(tree, caller, policies)
    tree.check_recall(caller)
    play = np.zeros(tree.core.num_sequences)
    for player, strategy in enumerate(strategies):
        play += tree.sequence_probabilities(caller, player, strategy)
    return play


def regret_of_play(tree: GameTree, play: Float64) -> ExactRegret:
    """Return the regret of what :func:`play_in` says of a profile, in a tree of those decisions."""
    num_members, players = tree.core.num_members, range(tree.spec.num_players)
    worth = tree.core.profile_values(play).reshape(len(players), num_members)  # by each member
    best = np.array([[tree.core.best_response(play, i, member)[0] for member in range(num_members)] for i in players])
    # What the mean pays is no mean of what each member's best response earns.
    values, best_of_mean = worth.mean(axis=1), np.array([tree.core.best_response(play, i)[0] for i in players])
    # Members pay the least first, the most last.
    lower, upper = np.maximum(best[:, 0] - worth[:, -1], 0.0), np.maximum(best[:, -1] - worth[:, 0], 0.0)
    if tree.log is not None and tree.num_unseen:
        is_unknown = tree.log.least == tree.log.most
        lower, upper = np.where(is_unknown, 0.0, lower), np.where(is_unknown, np.inf, upper)
    return ExactRegret(
        game=tree.spec.name,
        regret=np.maximum(best_of_mean - values, 0.0),  # below 0 by rounding alone
        values=values,
        best_response_values=best_of_mean,
        lower=lower,
        upper=upper,
        num_nodes=tree.num_nodes,
        num_information_sets=tree.num_information_sets,
        num_unseen=tree.num_unseen,
        num_episodes=0 if tree.log is None else tree.log.num_episodes,
    )


def exact_report(tree: GameTree, profile: Sequence[Mixture], seed: int) -> RegretReport:
    """Return the exact regret of a profile as a report of :func:`coffee_fast.true_regret`."""
    found = exact_regret(tree, list(profile))
    none, best = np.zeros(tree.spec.num_players), "exact best response"
    return RegretReport(
        regret=found.regret,
        regret_standard_error=none,
        debiased_regret=found.regret,
        debiased_standard_error=none,
        payoff=found.values,
        payoff_standard_error=none,
        deviations=tuple(best if regret > 0 else "none" for regret in found.regret),
        deviation_gains=tuple(np.array([regret]) for regret in found.regret),
        strategy_names=((best,),) * tree.spec.num_players,
        response_report={},
        num_simulations=0,
        seed=seed,
        is_exact=True,
    )


def _profile(tree: GameTree, caller: str, policies: Any) -> list[Mixture]:
    """One mixture a player, none of a solution of another game."""
    is_list = isinstance(policies, Sequence) and not isinstance(policies, str)
    for strategy in policies if is_list else [policies]:
        spec = getattr(strategy, "spec", None)
        if isinstance(spec, GameSpec) and spec != tree.spec:
            raise InvalidArgumentError(
                f"{caller}: policies must be of {shown(tree.spec.name)} as its tree specifies it, got a solution "
                f"of {shown(spec.name)}{_difference(spec, tree.spec)}; if it is to be judged in this game all the "
                "same, give its mixtures"
            )
    return as_profile(policies, tree.spec.num_players)


def _difference(found: GameSpec, wanted: GameSpec) -> str:
    """The first field in which specifications of one name differ."""
    if found.name != wanted.name:
        return ""
    here, there = found.to_json(), wanted.to_json()
    fields = (name for name in {**here, **there} if here.get(name) != there.get(name))
    name = next(fields, "name")
    return f" with another {name}, {shown(here.get(name))} instead of {shown(there.get(name))}"


def _figures(values: Float64) -> str:
    shown_values = ", ".join(f"{value:.6g}" for value in values[:MOST_SHOWN])
    return f"[{shown_values}{', ...' if len(values) > MOST_SHOWN else ''}]"
