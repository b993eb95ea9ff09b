"""Sweeps that judge given policies of risk-averse players, and what learners of such play share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.empirical.payoff_table import PayoffTable
from coffee_fast.regularized.risk_averse.induction import Sweep, check_discounted
from coffee_fast.stage_games.arguments import check_players, log_reference
from coffee_fast.stage_games.kernels import log_sum_exp
from coffee_fast.stage_games.normal_form import combine_members
from coffee_fast.stage_games.risk import StageEquilibria
from coffee_fast.tabular.game import TabularGame
from coffee_fast.typing import Float64, Int64, Profile


@dataclass(eq=False)
class PolicySweep(Sweep):
    """What policies are worth to players who are averse to risk, and how far from equilibrium they are.

    ``logs`` are logarithms of policies ``[H, S, A_i]``, to be changed between sweeps; ``responses`` the logarithms of
    the best ones found by the last sweep, ``ranges [N, H, S]`` those of the stage games' payoffs.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self.logs = [x.copy() for x in self.legal]
        self.responses = [x.copy() for x in self.legal]
        self.ranges = np.zeros(self.game.rewards.shape[:3])
        self.following, self.change = np.zeros((self.game.num_players, self.game.num_states)), 0.0

    def find(self, step: int, rows: Int64, payoffs: Profile, legal: Profile) -> StageEquilibria:
        mixtures = [x[step, rows] for x in self.logs]
        judged, responses = self.risk.judge(payoffs, legal, mixtures, tolerance=self.tolerance)
        for kept, x in zip(self.responses, responses, strict=True):
            kept[step, rows] = x
        self.ranges[:, step, rows] = [np.ptp(u.reshape(len(u), -1), axis=1) for u in payoffs]
        return judged

    def judge(self, discount: float | None) -> bool:
        """Sweep once, over a discounted game on from the last values; return whether this is an equilibrium."""
        self.has_converged = self.is_unique = True
        if discount is not None:
            values = self.solve(0, self.following, discount=discount)
            self.change, self.following = float(np.abs(values - self.following).max()), values
            return self.has_converged and self.change <= self.allowed_change
        self.following = np.zeros_like(self.following)
        for step in reversed(range(self.game.horizon)):
            self.following = self.solve(step, self.following, discount=1.0 if step + 1 < self.game.horizon else 0.0)
        return self.has_converged

    def start(self, caller: str, initial: Sequence[ArrayLike] | None) -> None:
        """Begin with policies ``[H, S, A_i]``, ``[S, A_i]`` or ``[A_i]``, by default uniform ones."""
        if initial is None:
            return
        check_players(f"{caller}: initial", initial, self.game.num_players)
        self.logs = [
            log_reference(f"{caller}: initial of player {i}", x, legal.shape, np.exp(legal) > 0.0).copy()
            for i, (x, legal) in enumerate(zip(initial, self.legal, strict=True))
        ]


def known_game(caller: str, game: PayoffTable | TabularGame, discount: float | None) -> TabularGame:
    """Return a payoff table as a game of one stage; check the discount."""
    if isinstance(game, PayoffTable):
        game.kernel(caller)  # refuses unknown payoffs
        payoffs = [combine_members(game.payoffs(i), 0.0) for i in range(game.num_players)]
        game = TabularGame(np.stack(payoffs)[:, None, None])
    if discount is not None:
        check_discounted(caller, game, discount)
    return game


def ranges_of(game: TabularGame) -> Float64:
    """Return the range of each player's known rewards, ``[N]``."""
    known = game.legal_profiles if game.counts is None else game.counts > 0
    return np.array([np.ptp(rewards[known]) for rewards in game.rewards])


def mixed(logs: Float64, other: Float64, share: Float64 | float) -> Float64:
    """Return logarithms of probabilities a share of the way, ``[..., 1]`` or one, to others on a line of logarithms."""
    line = (1.0 - share) * logs + share * other
    return np.asarray(line - log_sum_exp(line.reshape(-1, line.shape[-1])).reshape(*line.shape[:-1], 1))
