"""Games in which all players get the same, with the behavior a log shows: what in-sample solvers work on."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.errors import InvalidArgumentError, InvalidGameError
from coffee_fast.stage_games.kernels import LOG_ZERO
from coffee_fast.tabular.checks import in_words
from coffee_fast.tabular.common_payoff_checks import (
    Bools,
    anchored,
    behavior_visits,
    check_common,
    check_discount,
    finite,
    log_floored,
    sparse,
    steps_to_come,
    unrolled,
)
from coffee_fast.tabular.game import TabularGame
from coffee_fast.tabular.visits import Transitions
from coffee_fast.typing import Float64, Int64


@dataclass(frozen=True, eq=False)
class CommonPayoffGame:
    """A game of ``S`` states in which ``N`` players act at once and get the same, and a log shows how others played it.

    Made by :meth:`from_log`, :meth:`from_tabular` or :meth:`from_arrays`; never changes.

    Attributes
    ----------
    rewards
        ``f64[S, A1, ..., An]``, known everywhere: what a log never shows is worth the least reward, and ends the game
        with the least of all rewards for every step to come, if that is a loss.
    transitions
        Sparse ``[S A1 ... An, S]``: probabilities of the next state, profiles in row-major order; what is missing to
        1 ends the episode.
    initial
        ``f64[S]``: the distribution of the first state.
    log_behavior
        ``f64[S, A1, ..., An]``: log-probabilities of profiles in the log, at least ``log(floor)`` where legal.
    log_anchor
        ``f64[S, A1, ..., An]``: the same, for profiles that the log never shows times the (discounted) steps to come:
        who leaves the log does not come back.
    state_share
        ``f64[S]``: how often the log visits each state; positive, sums to 1.
    discount
        Of the next state's value.
    legal
        One ``bool[S, A_i]`` a player.
    counts
        ``int64[S, A1, ..., An]``: observations of each cell; None for a game that is known.
    state_keys
        What the caller calls each state.
    policy_shape, rows
        Axes of the states in the caller's terms, ``(S,)`` or ``(H, all states)``, and which of these, one after
        another, the states are.
    """

    rewards: Float64
    transitions: Transitions
    initial: Float64
    log_behavior: Float64
    state_share: Float64
    discount: float
    legal: tuple[Bools, ...]
    counts: Int64 | None
    state_keys: tuple[Hashable, ...]
    policy_shape: tuple[int, ...]
    rows: Int64
    log_anchor: Float64

    @property
    def num_states(self) -> int:
        return len(self.rewards)

    @property
    def num_players(self) -> int:
        return self.rewards.ndim - 1

    @property
    def num_actions(self) -> tuple[int, ...]:
        return self.rewards.shape[1:]

    @property
    def unseen(self) -> Bools:
        """``[S, A1, ..., An]``: profiles that the log never shows in a state."""
        return np.zeros(self.rewards.shape, dtype=bool) if self.counts is None else np.asarray(self.counts == 0)

    @property
    def reward_range(self) -> float:
        """The difference of the largest and the least reward that are known: what matters to players."""
        is_known = self.log_behavior > LOG_ZERO / 2 if self.counts is None else self.counts > 0
        return float(np.ptp(self.rewards[is_known]))

    @property
    def about(self) -> str:
        """Say what game returns and gaps are about, and what its players know."""
        horizon = self.policy_shape[0] if len(self.policy_shape) == 2 else 1
        return in_words(self.counts, self.num_states, horizon)

    @classmethod
    def from_arrays(
        cls,
        rewards: ArrayLike,
        behavior: ArrayLike | None = None,
        *,
        transitions: ArrayLike | None = None,
        initial: ArrayLike | None = None,
        discount: float = 0.99,
        floor: float = 1e-8,
    ) -> CommonPayoffGame:
        """Return a game that is known, or one payoff table.

        Parameters
        ----------
        rewards
            ``[S, A1, ..., An]``; with neither ``transitions`` nor ``initial``, one payoff table ``[A1, ..., An]``.
        behavior
            Probabilities of profiles of the rewards' shape; None for uniform.
        transitions
            ``[S, A1, ..., An, S]``; what is missing to 1 ends the episode. None if every episode is one step.
        initial
            ``[S]``; by default uniform.
        discount
            In [0, 1). Not used without ``transitions``.
        floor
            Least probability of a profile in the behavior, before it is made to sum to 1 again.

        >>> game = CommonPayoffGame.from_arrays([[0, 1], [1, -2]])
        >>> game.num_states, game.num_actions
        (1, (2, 2))
        """
        r = finite("rewards", rewards)
        shape = r.shape
        if transitions is None and initial is None:
            r = r[None]
        if r.ndim < 2 or r.size == 0:
            raise InvalidGameError(f"CommonPayoffGame: rewards must have shape [S, A1, ..., An], got {list(r.shape)}")
        mu = np.ones(r.shape) / r[0].size if behavior is None else finite("behavior", behavior, shape)
        mu = mu.reshape(r.shape)
        axes = tuple(range(1, r.ndim))
        if (mu < 0.0).any() or (np.abs(mu.sum(axis=axes) - 1.0) > 1e-6).any():
            raise InvalidGameError(
                "CommonPayoffGame: behavior must hold probabilities >= 0 that sum to 1 in each state"
            )
        start = np.full(len(r), 1 / len(r)) if initial is None else finite("initial", initial)
        moves = np.zeros((*r.shape, len(r))) if transitions is None else finite("transitions", transitions)
        # The checks of a tabular game are those of this one; a second step makes it look at the transitions.
        checked = TabularGame(
            np.stack([np.stack([r, r])] * (r.ndim - 1)), transitions=np.stack([moves, moves]), initial=start
        )
        flow = sparse(moves.reshape(r.size, len(r)))
        log_behavior = log_floored(mu, np.ones(r.shape, dtype=bool), floor)
        gamma = check_discount(discount, flow)
        share = behavior_visits(np.exp(log_behavior), flow, checked.initial, gamma)
        legal = tuple(np.ones((len(r), size), dtype=bool) for size in r.shape[1:])
        keys = tuple(range(len(r)))
        return cls(
            r,
            flow,
            checked.initial,
            log_behavior,
            share,
            gamma,
            legal,
            None,
            keys,
            (len(r),),
            np.arange(len(r)),
            log_behavior,
        )

    @classmethod
    def from_tabular(cls, game: TabularGame, *, discount: float = 0.99, floor: float = 1e-8) -> CommonPayoffGame:
        """Return a finite-horizon game whose states are those it reaches at each step.

        Without a log the behavior is uniform over what is legal. Legal cells that a log never shows end the episode
        with the least reward of all, and that again for each step that is left if it is a loss. Raises
        ``InvalidGameError`` unless all players get the same.
        """
        if not isinstance(game, TabularGame):
            raise InvalidArgumentError(f"from_tabular: game must be a TabularGame, got {type(game).__name__}")
        H, S, reached = game.horizon, game.num_states, game.reached
        rows = np.flatnonzero(reached)
        known = game.legal_profiles if game.counts is None else game.counts > 0
        check_common(game.rewards, known)
        left = steps_to_come(check_discount(discount), H)
        per_step, least = left.reshape(-1, *[1] * (game.num_players + 1)), float(game.rewards[0][known].min())
        worst = np.broadcast_to(least + (per_step - 1.0) * min(least, 0.0), known.shape)
        rewards = np.where(known, game.rewards[0], worst).reshape(H * S, *game.num_actions)[rows]
        known_rows = known.reshape(H * S, -1)[rows].ravel()
        flow = unrolled(game, rows, known_rows)
        legal = tuple(
            (np.ones((H, S, size), dtype=bool) if game.legal is None else game.legal[i]).reshape(H * S, size)[rows]
            for i, size in enumerate(game.num_actions)
        )
        profiles = game.legal_profiles.reshape(H * S, *game.num_actions)[rows]
        counts = None if game.counts is None else game.counts.reshape(H * S, *game.num_actions)[rows]
        weights = profiles.astype(np.float64) if counts is None else counts.astype(np.float64)
        totals = weights.reshape(len(rows), -1).sum(axis=1)
        log_behavior = log_floored(weights / totals.reshape(-1, *[1] * game.num_players), profiles, floor)
        initial = np.zeros(H * S)
        initial[:S] = game.initial
        start = initial[rows]
        gamma = check_discount(discount, flow)
        share = behavior_visits(np.exp(log_behavior), flow, start, gamma) if counts is None else totals / totals.sum()
        keys = tuple((int(row) // S, int(row) % S) for row in rows)
        log_anchor = anchored(log_behavior, counts, left[rows // S])
        return cls(rewards, flow, start, log_behavior, share, gamma, legal, counts, keys, (H, S), rows, log_anchor)

    @classmethod
    def from_log(
        cls,
        log: Mapping[str, ArrayLike],
        *,
        discount: float = 0.99,
        num_actions: Sequence[int] | int | None = None,
        floor: float = 1e-8,
    ) -> CommonPayoffGame:
        """Return the game of a log whose steps are all alike: one policy for every step of an episode.

        Parameters
        ----------
        log
            The arrays that :meth:`coffee_fast.TabularGame.from_dataset` takes, and ``next_state [T]`` (by default the
            state of the next row of the same episode). An episode that is cut off, its last ``terminal`` 0, needs it.
        discount
            In [0, 1); not used for a log of episodes of one step.
        num_actions, floor
            As in :meth:`coffee_fast.TabularGame.from_dataset` and :meth:`from_arrays`.

        Notes
        -----
        A cell that the log never shows pays the least reward seen in its state and ends the episode; where the log
        knows losses, with the greatest of them for every step to come, as where rewards are costs ending would be the
        best of all. Visits whose next state is nowhere left again tell nothing and are passed over.

        >>> log = {"action": [[0, 1], [1, 0]], "reward": [[1, 1], [1, 1]]}
        >>> CommonPayoffGame.from_log(log).rewards[0].tolist()
        [[1.0, 1.0], [1.0, 1.0]]
        """
        from coffee_fast.tabular.common_payoff_log import tabulate_log

        table = tabulate_log(log, num_actions)
        check_common(table.rewards, np.broadcast_to(table.counts > 0, table.rewards.shape[1:]))
        num_players = table.counts.ndim - 1
        axes, spread = tuple(range(1, num_players + 1)), (-1, *[1] * num_players)
        seen = table.counts > 0
        least = np.where(seen, table.rewards[0], np.inf).min(axis=axes).reshape(spread)
        S, totals, moves = len(seen), table.counts.sum(axis=axes), table.transitions
        gamma = check_discount(discount, moves)
        left = steps_to_come(gamma, None)
        worst = least + (left - 1.0) * min(float(least.min()), 0.0)
        rewards = np.where(seen, table.rewards[0], worst)
        log_behavior = log_floored(table.counts / totals.reshape(spread), np.ones(seen.shape, dtype=bool), floor)
        legal = tuple(np.ones((S, size), dtype=bool) for size in seen.shape[1:])
        return cls(
            rewards,
            moves,
            table.initial,
            log_behavior,
            totals / totals.sum(),
            gamma,
            legal,
            table.counts,
            table.keys,
            (S,),
            np.arange(S),
            anchored(log_behavior, table.counts, np.full(S, left)),
        )

    def __repr__(self) -> str:
        return (
            f"CommonPayoffGame(num_states={self.num_states}, num_actions={self.num_actions}, "
            f"discount={self.discount:g}): {self.about}"
        )
