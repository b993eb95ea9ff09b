"""Doubly smoothed best response: independent players who see nothing but what they are paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.checks import check_count, check_number
from coffee_fast.empirical.payoff_arrays import as_floats
from coffee_fast.empirical.payoff_table import PayoffLike, PayoffTable
from coffee_fast.errors import InvalidArgumentError, InvalidGameError, shown
from coffee_fast.regularized.games import as_game
from coffee_fast.regularized.learning.smoothed_learners import Learners, SmoothedPlay, StepSizes, judged
from coffee_fast.seeding import check_seed, derive_seed
from coffee_fast.stage_games.arguments import (
    KLWeight,
    check_kl_weight,
    check_per_player,
    check_players,
    check_weight_against_ranges,
)
from coffee_fast.tabular.game import TabularGame
from coffee_fast.typing import Float64


def smoothed_best_response(
    game: PayoffLike | TabularGame | Mapping[str, ArrayLike],
    *,
    temperature: KLWeight = None,
    num_episodes: int = 100_000,
    num_epochs: int | None = None,
    step_size: float = 200.0,
    step_offset: float = 2000.0,
    policy_rate: float = 0.02,
    fixed: Sequence[ArrayLike | None] | None = None,
    unseen_value: ArrayLike | None = None,
    tolerance: float = 0.01,
    seed: int = 0,
) -> SmoothedPlay:
    r"""Return what players come to play who know their own actions and payoffs alone, by playing the game.

    In each state each player keeps values of its actions and a policy. At the ``k``-th visit the policy moves to the
    softmax of the values and, once all have played, the value of the action taken moves to what it brought,

    .. math:: \pi \mathrel{+}= c \, a_k \, (softmax(q / \tau) - \pi), \qquad
        q(a) \mathrel{+}= a_k (r + v(s') - q(a)), \qquad a_k = a / (k + h)

    In a zero-sum game of one step this settles at the logit equilibrium, the anchored one of
    :func:`coffee_fast.regularized.gane` with a uniform reference and weight :math:`\tau`. In games of many steps
    :math:`v` stays as it is through an epoch and is :math:`\pi \cdot q` in the next: value iteration.

    Parameters
    ----------
    game
        A payoff table (the mean of its members), a tabular game or a log of play as in
        :func:`coffee_fast.regularized.gane`; it is the simulator in which episodes are drawn.
    temperature
        :math:`\tau`, in units of payoff, one or one a player; by default a tenth of the player's range of rewards.
    num_episodes, num_epochs
        Episodes of each epoch; epochs, by default as many as the game has steps, after which values no longer lag.
    step_size, step_offset, policy_rate
        :math:`a`, :math:`h` (at least :math:`a`) and :math:`c` (at most 1): how fast values follow what comes, and how
        much slower policies are.
    fixed
        One entry a player: None for one that learns, or the policy ``[A_i]``, ``[S, A_i]`` or ``[H, S, A_i]`` of one
        that does not. Against a fixed one the answer is the softmax of what actions are worth against it.
    unseen_value
        What legal cells that a log never shows are worth, with all that follows, one number or one a player; such
        cells are refused without it.
    tolerance
        Converged with gaps at most this share of the player's range of rewards or, if that is less, of ten
        temperatures, a step.
    seed
        Of the play. Same seed, same result.

    Raises
    ------
    InvalidGameError
        Payoffs that are not known, or cells that are empty without ``unseen_value``.
    InvalidArgumentError
        Rates out of range, policies off the simplex, nobody who learns.
    NumericalError
        Payoffs so large that values overflow.

    Notes
    -----
    Cost: some microseconds a step of play and player. For two players whose payoffs add to zero the regret is known to
    fall like one over the number of episodes, to at most :math:`2 \tau \log A`; otherwise the exact ``gap`` tells.
    Source: Chen, Zhang, Mazumdar, Ozdaglar and Wierman 2023, here with a finite horizon, a count of visits for each
    state, and policies that go on from epoch to epoch.

    >>> pennies = PayoffTable.from_arrays([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]])
    >>> found = smoothed_best_response(pennies, temperature=0.5, num_episodes=20_000)
    >>> found.status, found.mixtures[0].round(1).tolist()
    ('converged', [0.5, 0.5])
    """
    caller = "smoothed_best_response"
    num_episodes = check_count(f"{caller}: num_episodes", num_episodes, at_least=1)
    steps = StepSizes(
        check_number(f"{caller}: step_size", step_size, is_open=True),
        check_number(f"{caller}: step_offset", step_offset, is_open=True),
        check_number(f"{caller}: policy_rate", policy_rate, is_open=True, at_most=1.0),
    )
    if steps.size > steps.offset:
        raise InvalidArgumentError(
            f"{caller}: step_size must be at most step_offset, so that no step goes beyond what was seen, got "
            f"{steps.size:g} and {steps.offset:g}"
        )
    check_number(f"{caller}: tolerance", tolerance, is_open=True)
    rng = np.random.Generator(np.random.PCG64(derive_seed(check_seed(seed), caller)))
    known, ranges, about = _known_game(caller, game, unseen_value)
    num_epochs = known.horizon if num_epochs is None else check_count(f"{caller}: num_epochs", num_epochs, at_least=1)
    temperatures = check_kl_weight(caller, temperature, ranges, "temperature")
    check_weight_against_ranges(caller, temperatures, ranges, "temperature")
    learners = Learners(known, temperatures, _fixed_policies(caller, fixed, known))
    for _ in range(num_epochs if max(known.num_actions) > 1 else 0):  # without a choice there is nothing to learn
        learners.play(num_episodes, steps, rng)
    return judged(learners, ranges, tolerance, num_epochs * num_episodes, about)


def _known_game(
    caller: str, game: PayoffLike | TabularGame | Mapping[str, ArrayLike], unseen_value: ArrayLike | None
) -> tuple[TabularGame, Float64, str]:
    """Return the game to play in, ranges of rewards, and what the game is.

    The game has no holes: a cell that a log never shows pays what it is worth and ends the episode.
    """
    found = as_game(caller, game)
    if isinstance(found, PayoffTable):
        found.kernel(caller)  # refuses unknown payoffs
        mean = found.mean()
        payoffs = np.stack([mean.payoffs(player) for player in range(found.num_players)])
        found = TabularGame(payoffs[:, None])  # the one member is the one step
    num_players, unseen = found.num_players, found.unseen
    if unseen_value is None and found.num_unseen:
        raise InvalidGameError(
            f"{caller}: {found.num_unseen} cells are empty: the log never shows them; say with unseen_value what such "
            "a cell is worth"
        )
    worth = check_per_player(f"{caller}: unseen_value", 0.0 if unseen_value is None else unseen_value, num_players)
    seen = found.legal_profiles if found.counts is None else found.counts > 0
    ranges = np.array([np.ptp(rewards[seen]) for rewards in found.rewards])
    rewards = np.where(seen, found.rewards, 0.0)
    rewards = np.where(unseen, worth.reshape(-1, *[1] * unseen.ndim), rewards)
    moves = None if found.transitions is None else np.where(seen[..., None], found.transitions, 0.0)
    return TabularGame(rewards, moves, found.initial, found.legal), ranges, found.about


def _fixed_policies(caller: str, fixed: Sequence[ArrayLike | None] | None, game: TabularGame) -> list[Float64 | None]:
    if fixed is None:
        return [None] * game.num_players
    name = f"{caller}: fixed"
    check_players(name, fixed, game.num_players)  # type: ignore[arg-type]
    if all(policy is not None for policy in fixed):
        raise InvalidArgumentError(f"{name} must leave None for a player who learns, got a policy for each")
    return [
        None if policy is None else policy_of(f"{name} of player {i}", policy, game, i)
        for i, policy in enumerate(fixed)
    ]


def policy_of(name: str, given: ArrayLike, game: TabularGame, player: int) -> Float64:
    """Return a policy ``[H, S, A_i]``, spread over leading axes that were left out; raise unless it is one."""
    shape = (game.horizon, game.num_states, game.num_actions[player])
    policy = as_floats(name, given, InvalidArgumentError)
    if policy.ndim == 0 or policy.ndim > 3 or policy.shape != shape[3 - policy.ndim :]:
        raise InvalidArgumentError(f"{name} must have shape {list(shape)}, got {list(policy.shape)}")
    policy = np.broadcast_to(policy, shape)
    if not (np.isfinite(policy).all() and (policy >= 0.0).all() and (np.abs(policy.sum(axis=2) - 1.0) <= 1e-6).all()):
        raise InvalidArgumentError(f"{name} must hold probabilities that sum to 1, got {shown(given)}")
    if game.legal is not None and (policy[~game.legal[player]] > 0.0).any():
        raise InvalidArgumentError(f"{name} must be 0 where an action is not legal")
    return policy
