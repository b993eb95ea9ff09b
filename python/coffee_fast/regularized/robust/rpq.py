"""Robust regularized Q-iteration: what is best for one player alone if the log misleads a little."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.checks import check_choice, check_flag, check_number
from coffee_fast.errors import InvalidArgumentError, InvalidGameError, shown
from coffee_fast.regularized.cooperative.in_sample import joint_play
from coffee_fast.regularized.learning.smoothed import policy_of
from coffee_fast.regularized.risk_averse.induction import check_discounted
from coffee_fast.regularized.robust.environment import Environment, judged
from coffee_fast.regularized.robust.expectation import PerPlayer
from coffee_fast.regularized.robust.nash import environment_of, result, uniform_policies
from coffee_fast.regularized.robust.solutions import RobustPolicies
from coffee_fast.stage_games.arguments import check_players
from coffee_fast.tabular.game import TabularGame
from coffee_fast.typing import Float64

Opponents = Sequence[ArrayLike] | Literal["behavior", "uniform"] | None


def rpq(
    game: TabularGame | Mapping[str, ArrayLike],
    *,
    distance: Literal["total_variation", "kl", "chi_squared"] = "total_variation",
    weight: PerPlayer = None,
    opponents: Opponents = None,
    has_fail_state: bool = False,
    unseen_value: ArrayLike | None = None,
    discount: float | None = None,
    tolerance: float = 1e-9,
) -> RobustPolicies:
    r"""Return each player's best policy against the others as they play, if the log misleads about what follows.

    .. math:: Q(s, a_i) = r(s, a_i) + \gamma \min_p \left[ E_p V + \lambda \, D(p, P(s, a_i)) \right], \quad
        V = \max_{a_i} Q

    for rewards and transitions that an action meets on average. That is what fitted Q-iteration with a second class of
    functions for the dual comes to on tables, where both are exact: for large weights plain Q-iteration, for small ones
    the worst that can come. Every player's policy is an answer to the others' play and not to their answers, and so are
    value, gap and status.

    Parameters
    ----------
    game
        A tabular game, or a log of play as :meth:`TabularGame.from_dataset` takes it.
    distance
        ``"total_variation"``: no state is worth more than the worst one that the game has at the next step and
        :math:`\lambda`; ``"kl"``: :math:`-\lambda \log E e^{-V / \lambda}`; ``"chi_squared"``: nearly
        :math:`E V - Var V / (4 \lambda)`.
    weight
        :math:`\lambda`, in units of payoff, one or one a player; by default the player's range of rewards.
    opponents
        How all play: ``"behavior"``, as logged, also together; ``"uniform"``; or one policy a player, ``[A_i]``,
        ``[S, A_i]`` or ``[H, S, A_i]``, of whom each answers the others. By default the behavior for a log, else
        uniform.
    has_fail_state
        Whether the episode may end at any time, with nothing more to come, though the log never shows it; of total
        variation alone, as the other distances let nothing come that has no probability.
    unseen_value
        What a player's legal actions are worth that the log never shows in a state, with all that follows, one number
        or one a player; beside ``opponents`` that are given also what unseen cells pay, which end the episode.
    discount
        :math:`\gamma`, for a tabular game of one step with transitions: play goes on for ever.
    tolerance
        Converged with gaps at most this share of the player's range of rewards a step; of a discounted game in all.

    Raises
    ------
    InvalidGameError
        Actions that the log never shows without ``unseen_value``.
    InvalidArgumentError
        Weights that are not positive, policies off the simplex, and other impossible arguments.

    Notes
    -----
    Deterministic. Cost: a pass over the transitions of each player a step (for chi squared the square of the states),
    or a sweep over a discounted game. Source: robust regularized Q-iteration (RPQ), on tables.

    >>> log = {"state": [0, 1, 0, 2, 0, 0], "action": [[0], [0], [0], [0], [1], [1]], "trajectory": [0, 0, 1, 1, 2, 3],
    ...        "reward": [[0.0], [4.0], [0.0], [0.0], [1.5], [1.5]]}  # 4 or nothing, or 1.5 for sure
    >>> for weight in (1.0, 100.0):
    ...     found = rpq(log, weight=weight, unseen_value=0.0)
    ...     print(found.policies[0][0, 0], found.value, found.nominal_value)
    [0. 1.] [1.5] [1.5]
    [1. 0.] [2.] [2.]
    """
    caller = "rpq"
    check_choice(f"{caller}: distance", distance, ("total_variation", "kl", "chi_squared"))
    has_fail_state = check_flag(f"{caller}: has_fail_state", has_fail_state)
    check_number(f"{caller}: tolerance", tolerance, is_open=True)
    if isinstance(game, Mapping):
        game = TabularGame.from_dataset(game)
    if weight is None and isinstance(game, TabularGame):
        known = game.legal_profiles if game.counts is None else game.counts > 0
        weight = [float(np.ptp(rewards[known])) or 1.0 for rewards in game.rewards]
    # The holes that matter are those of each player's own actions, which are asked about below.
    whole = environment_of(caller, game, distance, None, weight, 0.0 if unseen_value is None else unseen_value)
    game = whole.game
    if discount is not None:
        check_discounted(caller, game, discount)
    others = _play_of_others(caller, game, opponents)
    parts = []
    for player in range(game.num_players):
        problem = _alone(caller, game, player, others, whole.unseen_value[player], unseen_value is not None)
        worth, uncertainty = whole.unseen_value[player : player + 1], whole.uncertainty.of_player(player)
        part = Environment(problem, uncertainty, worth, discount=discount, has_fail_state=has_fail_state)
        parts.append(part)
    found = _together(whole, parts, tolerance)
    if game.num_players == 1:
        return found
    how = "uniformly" if opponents is None or isinstance(opponents, str) else "as given"
    how = "as logged" if others is None else how
    return dataclasses.replace(found, about=f"{game.about}; each player's answer to the others, who play {how}")


def _together(whole: Environment, parts: list[Environment], tolerance: float) -> RobustPolicies:
    """Solve each player's problem, and return what was found as of one game."""
    found, num_iterations = [], 0
    for part in parts:
        policy, sweeps = _best(part)
        num_iterations += sweeps
        found.append(result(part, [policy], judged(part, [policy]), tolerance, sweeps))
    together = {
        name: np.concatenate([getattr(one, name) for one in found])
        for name in ("gap", "stage_gap", "value", "values", "nominal_value")
    }
    has_converged = all(one.status == "converged" for one in found)
    return RobustPolicies(
        policies=tuple(one.policies[0] for one in found),
        **together,
        status="converged" if has_converged else "max_iterations",
        num_iterations=num_iterations,
        distance=whole.uncertainty.distance,
        radius=None,
        weight=whole.uncertainty.weight,
        about=whole.game.about,
    )


def _best(environment: Environment) -> tuple[Float64, int]:
    """Return the best policy ``[H, S, A]`` of a game of one player, and how many sweeps or steps it took."""
    (policy,), sweeps = uniform_policies(environment.game), 0
    following = np.zeros((1, environment.game.num_states))
    for stage in environment.stages():
        (q,), rows, sweeps = stage.payoffs(following), stage.rows, sweeps + 1
        q = np.where(stage.legal[0], q, -np.inf)
        policy[stage.step, rows] = np.eye(q.shape[1])[q.argmax(axis=1)]
        before, following = following, np.zeros_like(following)
        following[0, rows] = q.max(axis=1)
        if environment.stands_still(following, before):
            break
    return policy, sweeps


def _play_of_others(caller: str, game: TabularGame, opponents: Opponents) -> list[Float64] | None:
    """Return everybody's policy ``[H, S, A_i]``; None for play as logged."""
    if opponents is None:
        opponents = "uniform" if game.counts is None else "behavior"
    if isinstance(opponents, str):
        if opponents == "behavior" and game.counts is not None:
            return None
        if opponents == "uniform":
            return uniform_policies(game)
        raise InvalidArgumentError(
            f"{caller}: opponents must be policies, 'uniform', or 'behavior' for a game from a log, "
            f"got {shown(opponents)}"
        )
    check_players(f"{caller}: opponents", opponents, game.num_players)
    return [policy_of(f"{caller}: opponents, player {i}", policy, game, i) for i, policy in enumerate(opponents)]


def _alone(
    caller: str, game: TabularGame, player: int, others: list[Float64] | None, worth: float, is_told: bool
) -> TabularGame:
    """Return the game of one player that ``player`` faces as the others play."""
    axes = tuple(axis for axis in range(2, game.rewards.ndim - 1) if axis != player + 2)
    known = (game.legal_profiles & ~game.unseen) if game.counts is None else game.counts > 0
    legal = np.ones((*game.rewards.shape[1:3], game.num_actions[player]), dtype=bool)
    if game.legal is not None:
        legal = game.legal[player]
    counts = None
    if others is None:
        assert game.counts is not None
        counts = game.counts.sum(axis=axes)
        weights = game.counts / np.maximum(game.counts.sum(axis=axes, keepdims=True), 1)
    else:
        flat = [policy.reshape(-1, policy.shape[2]) for policy in others]
        shares = joint_play(flat, skip=player)
        weights = np.broadcast_to(shares.reshape(*game.rewards.shape[1:3], *shares.shape[1:]), known.shape)
        if game.counts is not None:
            counts = np.where(game.reached[..., None] & legal, 1, 0)
    if others is None:
        is_unseen = legal & game.reached[..., None] & (counts == 0)
    else:
        is_unseen = (game.unseen & (weights > 0.0)).any(axis=axes)
    if is_unseen.any() and not is_told:
        step, state, action = np.argwhere(is_unseen)[0].tolist()
        raise InvalidGameError(
            f"{caller}: {int(is_unseen.sum())} actions of player {player} lead to what the log never shows, the first "
            f"action {action} at step {step}, state {state}: say with unseen_value what that is worth"
        )
    rewards = np.where(known, game.rewards[player], worth)
    alone = (weights * rewards).sum(axis=axes)
    moves = None
    if game.transitions is not None:
        moves = np.where(known[..., None], game.transitions, 0.0)
        moves = (weights[..., None] * moves).sum(axis=axes)
    return TabularGame(alone[None], moves, game.initial, (legal,), counts)
