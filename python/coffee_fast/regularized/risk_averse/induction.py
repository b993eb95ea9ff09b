"""Markov games of risk-averse players: backward induction, or sweeps until discounted values stand still."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.checks import check_number
from coffee_fast.errors import InvalidArgumentError, InvalidGameError
from coffee_fast.regularized.risk_averse.solutions import RiskAversePolicies
from coffee_fast.stage_games.arguments import LARGEST_RATIO, check_per_player, frozen, log_uniform
from coffee_fast.stage_games.kernels import entropic_certainty_equivalent, total_variation_ball
from coffee_fast.stage_games.risk import Risk, StageEquilibria
from coffee_fast.stage_games.status import status_of
from coffee_fast.tabular.game import TabularGame
from coffee_fast.typing import Float64, Int64, Profile


def solve_markov(
    game: TabularGame,
    risk: Risk,
    *,
    environment_risk_aversion: float,
    environment_radius: float,
    unseen_value: ArrayLike | None,
    discount: float | None,
    tolerance: float,
    max_iterations: int,
) -> RiskAversePolicies:
    r"""Solve all stage games :math:`Q_i = r_i + CE_i(V_i)`, where ``CE`` is the environment's certainty equivalent."""
    if environment_risk_aversion > 0.0 and environment_radius > 0.0:
        raise InvalidArgumentError("rqe: environment_risk_aversion or environment_radius must be 0, got both")
    if environment_radius > 1.0:
        raise InvalidArgumentError(f"rqe: environment_radius must be at most 1, got {environment_radius}")
    worth = check_unseen("rqe", game, unseen_value)
    sweep = Sweep(game, risk, worth, environment_risk_aversion, environment_radius, tolerance, max_iterations)
    change = 0.0
    if discount is None:
        following = np.zeros((game.num_players, game.num_states))
        for step in reversed(range(game.horizon)):
            following = sweep.solve(step, following, discount=1.0 if step + 1 < game.horizon else 0.0)
    else:
        check_discounted("rqe", game, discount)
        following, change = sweep.solve_discounted(discount)
    return sweep.result(following, change)


def check_unseen(caller: str, game: TabularGame, unseen_value: ArrayLike | None) -> Float64:
    """Return what empty cells are worth, ``[N]``; raise if there are some and nobody says."""
    if game.num_unseen and unseen_value is None:
        step, state, *actions = np.argwhere(game.unseen)[0].tolist()
        raise InvalidGameError(
            f"{caller}: {game.num_unseen} cells are empty, the first for actions {tuple(actions)} at step {step}, "
            f"state {state}: the log never shows them; say with unseen_value what such a cell is worth"
        )
    return check_per_player(f"{caller}: unseen_value", 0.0 if unseen_value is None else unseen_value, game.num_players)


def check_discounted(caller: str, game: TabularGame, discount: float) -> None:
    """Raise unless ``game`` can go on for ever with this discount per step."""
    if check_number(f"{caller}: discount", discount) >= 1.0:
        raise InvalidArgumentError(f"{caller}: discount must be a number in [0, 1), got {discount}")
    if game.horizon != 1 or game.transitions is None:
        raise InvalidArgumentError(
            f"{caller}: discount needs a game of one step with transitions, got {game.horizon} steps"
            + ("" if game.transitions is not None else " and no transitions")
        )
    rows = game.transitions[0]
    if not (np.isfinite(rows).all() and (rows >= 0.0).all() and (rows.sum(axis=-1) <= 1.0 + 1e-6).all()):
        raise InvalidGameError(f"{caller}: transitions must be probabilities >= 0 that sum to at most 1")


@dataclass(eq=False)
class Sweep:
    """Solutions of the stage games so far, ``[H, S, ...]``."""

    game: TabularGame
    risk: Risk
    unseen_value: Float64
    environment_risk_aversion: float = 0.0
    environment_radius: float = 0.0
    tolerance: float = 1e-10
    max_iterations: int = 2000

    def __post_init__(self) -> None:
        game = self.game
        shape = game.rewards.shape[:3]
        legal = game.legal or [np.ones((*shape[1:], size), dtype=bool) for size in game.num_actions]
        self.legal = [log_uniform(mask) for mask in legal]
        self.legal_profiles, self.unseen, self.reached = game.legal_profiles, game.unseen, game.reached
        self.policies = [np.exp(x) for x in self.legal]
        self.values, self.gap, self.residual = (np.full(shape, np.nan) for _ in range(3))
        self.is_unique = self.has_converged = True
        self.num_iterations = 0

    def solve(self, step: int, following: Float64, *, discount: float) -> Float64:
        """Solve the stage games of ``step`` and return their values ``[N, S]``, 0 in states that are not reached."""
        rows = np.flatnonzero(self.reached[step])
        payoffs = self.payoffs(step, rows, following, discount)
        found = self.find(step, rows, payoffs, [x[step, rows] for x in self.legal])
        self._keep(step, rows, found)
        self.is_unique &= self.risk.is_unique(payoffs)
        values = np.zeros_like(following)
        values[:, rows] = found.value.T
        return values

    def find(self, step: int, rows: Int64, payoffs: Profile, legal: Profile) -> StageEquilibria:
        """Return the equilibria of stage games ``payoffs``, those of ``rows`` of states."""
        return self.risk.solve(payoffs, legal, tolerance=self.tolerance, max_iterations=self.max_iterations)

    def solve_discounted(self, discount: float) -> tuple[Float64, float]:
        """Sweep until no value moves by more than the tolerance allows a stage game's gap; return it and them."""
        following, change = np.zeros((self.game.num_players, self.game.num_states)), np.inf
        for _ in range(self.max_iterations):
            self.has_converged = self.is_unique = True  # of the last sweep
            values = self.solve(0, following, discount=discount)
            change, following = float(np.abs(values - following).max()), values
            if change <= self.allowed_change:
                return following, change
        self.has_converged = False
        return following, change

    @property
    def allowed_change(self) -> float:
        """By how much values of a discounted game may still move."""
        scale = min(
            float(np.nanmax(self.game.rewards) - np.nanmin(self.game.rewards)),
            LARGEST_RATIO * float(self.risk.temperature.min()),
        )
        return self.tolerance * max(scale, 1e-300)

    def result(self, following: Float64, change: float) -> RiskAversePolicies:
        risk = self.risk
        return RiskAversePolicies(
            policies=tuple(frozen(x) for x in self.policies),
            gap=np.nanmax(self.gap, axis=(1, 2)),
            residual=np.nanmax(self.residual, axis=(1, 2)),
            stage_gap=self.gap,
            value=following @ self.game.initial,
            values=self.values,
            value_change=change,
            status=status_of(self.has_converged),
            num_iterations=self.num_iterations,
            tractability=risk.tractability,
            is_tractable=risk.is_tractable,
            is_unique=self.is_unique,
            temperature=risk.temperature,
            risk_aversion=risk.risk_aversion,
            divergence=risk.divergence,
            regularizer=risk.regularizer,
            about=self.game.about,
        )

    def _keep(self, step: int, rows: Int64, found: StageEquilibria) -> None:
        for policy, x in zip(self.policies, found.mixtures, strict=True):
            policy[step, rows] = x
        self.values[:, step, rows], self.gap[:, step, rows] = found.value.T, found.gap.T
        self.residual[:, step, rows] = found.residual.T
        self.has_converged &= bool(found.converged.all())
        self.num_iterations += int(found.num_iterations.sum())

    def payoffs(self, step: int, rows: Int64, following: Float64, discount: float) -> Profile:
        """Return rewards and the certainty equivalent of what follows, ``[G, A1, ..., An]`` a player."""
        legal, unseen = self.legal_profiles[step, rows], self.unseen[step, rows]
        filled = []
        for player in range(self.game.num_players):
            q = self.game.rewards[player, step, rows]
            if discount > 0.0 and self.game.transitions is not None:
                q = q + discount * self.expected(step, rows, following[player])
            q = np.where(unseen, self.unseen_value[player], q)
            # Nobody plays cells that are not legal; a payoff inside the range of the others widens no certificate.
            low = np.where(legal, q, np.inf).min(axis=tuple(range(1, q.ndim)), keepdims=True)
            filled.append(np.where(legal, q, low))
        return filled

    def expected(self, step: int, rows: Int64, following: Float64) -> Float64:
        """Return what ``following [S]`` is worth by the next state's probabilities, [G, A1, ..., An]; an end is 0."""
        assert self.game.transitions is not None
        transitions = self.game.transitions[step, rows]
        if self.environment_risk_aversion == 0.0 and self.environment_radius == 0.0:
            return np.asarray(transitions @ following)
        # Only states that can come are feared: those of the game and, where an episode may stop, its end.
        reached = self.reached[(step + 1) % self.game.horizon]
        nominal, values = np.nan_to_num(transitions[..., reached]), following[reached]
        end = np.maximum(1.0 - nominal.sum(axis=-1, keepdims=True), 0.0)
        if (end[~self.unseen[step, rows] & self.legal_profiles[step, rows]] > 1e-9).any():
            nominal, values = np.concatenate([nominal, end], axis=-1), np.append(values, 0.0)
        values = np.broadcast_to(values, nominal.shape)
        if self.environment_radius > 0.0:
            return total_variation_ball(values, nominal, self.environment_radius)
        return entropic_certainty_equivalent(values, nominal, self.environment_risk_aversion)
