"""Risk-averse quantal equilibria learned on two time scales: fast players and adversaries, slow values."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.checks import check_count, check_flag, check_number
from coffee_fast.empirical.payoff_table import PayoffLike
from coffee_fast.regularized.games import as_game
from coffee_fast.regularized.risk_averse.induction import Sweep, check_unseen
from coffee_fast.regularized.risk_averse.policy_sweep import PolicySweep, known_game, mixed, ranges_of
from coffee_fast.regularized.risk_averse.solutions import RiskAversePolicies
from coffee_fast.seeding import check_seed, derive_seed
from coffee_fast.stage_games.kernels import LOG_ZERO, Regularizer, risk_averse_figures
from coffee_fast.stage_games.risk import PerPlayer, Risk
from coffee_fast.tabular.game import TabularGame
from coffee_fast.typing import Float64, Int64, Profile

_CHECKED_EVERY = 20  # iterations; a certificate costs as much as a step or two


def rqe_actor_critic(
    game: PayoffLike | TabularGame | Mapping[str, ArrayLike],
    *,
    temperature: PerPlayer = None,
    risk_aversion: PerPlayer = None,
    regularizer: Regularizer = "log_barrier",
    discount: float | None = None,
    initial: Sequence[ArrayLike] | None = None,
    unseen_value: ArrayLike | None = None,
    actor_step: float | None = None,
    critic_step: float = 0.05,
    is_sampled: bool = False,
    tolerance: float = 1e-8,
    max_iterations: int = 20_000,
    seed: int = 0,
) -> RiskAversePolicies:
    r"""Learn the equilibrium of :func:`rqe` (divergence ``"kl"``) by an actor and an adversary a player, and a critic.

    In every state at once, with :math:`x` for a player's mixture, :math:`p` for its adversary and :math:`q` for what
    the others play, each iteration takes a step of mirror descent and one of the values:

    .. math:: x \uparrow Q p - \epsilon \nabla \nu(x), \quad
        p \downarrow Q^\top x + \nabla KL(p \| q) / \tau, \quad Q \leftarrow (1 - a) Q + a (r + \gamma V(s'))

    Where :func:`rqe` says that there is one equilibrium (``is_unique``) it is found from any start. What a model or
    simulator must tell is a next state for each cell, no probabilities (``is_sampled``); those of the game are used for
    the certificate alone then.

    Parameters
    ----------
    game
        A payoff table (of several members their mean), a tabular game, or a log of play as
        :meth:`TabularGame.from_dataset` takes it, whose certificate is about its table.
    temperature, risk_aversion, regularizer
        As in :func:`rqe`.
    discount
        Of a tabular game of one step with transitions: play goes on for ever with this discount per step.
    initial
        Policies to learn from, one array a player, ``[A_i]``, ``[S, A_i]`` or ``[H, S, A_i]``, positive for every legal
        action; by default uniform.
    unseen_value
        What legal cells that a log never shows are worth, with all that follows, one number or one a player.
    actor_step
        Step of mixtures and adversaries in units of one over the temperature; by default the square of the temperature
        over the stage game's payoff range, for which monotone games contract, less where adversaries are cheap.
    critic_step
        The share ``a``, in (0, 1].
    is_sampled
        Whether one next state a cell is drawn in each iteration; ``a`` then falls like one over the iterations.
    tolerance
        Converged with exact gaps of the policies, not those the critic sees, at most this share of each stage game's
        payoff range or, if that is less, of ten temperatures.
    max_iterations
        Iterations at most.
    seed
        Of the draws.

    Raises
    ------
    InvalidGameError
        Payoffs that are not known, or cells that are empty without ``unseen_value``.
    InvalidArgumentError
        Temperatures that are not positive, negative risk aversion, and other impossible arguments.

    Notes
    -----
    The same seed gives the same bits. Cost of an iteration: that of all cells, once (and the transitions). Source: the
    two-timescale actor-critic of Zhang and Mazumdar, arXiv 2602.12386, with the regularizers' own mirror maps in the
    place of projections; tables in the place of networks.

    >>> payoffs = [[[200, 160], [370, 10]], [[160, 10], [200, 370]]]
    >>> found = rqe_actor_critic(payoffs, temperature=(170, 110), risk_aversion=(0.001, 0.06))
    >>> found.status, [round(float(policy[0, 0, 0]), 3) for policy in found.policies]
    ('converged', [0.468, 0.654])
    """
    check_number("rqe_actor_critic: tolerance", tolerance, is_open=True)
    max_iterations = check_count("rqe_actor_critic: max_iterations", max_iterations, at_least=1)
    if actor_step is not None:
        check_number("rqe_actor_critic: actor_step", actor_step, is_open=True)
    check_number("rqe_actor_critic: critic_step", critic_step, is_open=True, at_most=1.0)
    check_flag("rqe_actor_critic: is_sampled", is_sampled)
    rng = np.random.default_rng(derive_seed(check_seed(seed), "rqe_actor_critic"))
    game = known_game("rqe_actor_critic", as_game("rqe_actor_critic", game), discount)
    risk = Risk.of("rqe_actor_critic", temperature, risk_aversion, "kl", regularizer, ranges_of(game))
    worth = check_unseen("rqe_actor_critic", game, unseen_value)
    judge = PolicySweep(game, risk, worth, tolerance=tolerance)
    judge.start("rqe_actor_critic", initial)
    critic = _Critic(_Sampled(game, risk, worth, rng) if is_sampled else Sweep(game, risk, worth), discount)
    actors = _Actors(risk, critic.rows(judge.logs), critic.rows(judge.legal), actor_step)
    is_equilibrium, iteration = judge.judge(discount), 0
    while not is_equilibrium and iteration < max_iterations:
        actors.step(critic.payoffs)
        share = critic_step
        if is_sampled:  # falls fast enough to forget, and not before discounted values have come in
            share /= 1.0 + 0.5 * critic_step * (1.0 - (discount or 0.0)) * iteration
        critic.step(actors.values(critic.payoffs), share)
        iteration += 1
        if iteration % _CHECKED_EVERY == 0 or iteration == max_iterations:
            critic.take(judge.logs, actors.logs)
            is_equilibrium = judge.judge(discount)
    judge.has_converged = is_equilibrium
    return dataclasses.replace(judge.result(judge.following, judge.change), num_iterations=iteration)


class _Sampled(Sweep):
    """What follows by one draw of the next state a cell."""

    def __init__(self, game: TabularGame, risk: Risk, worth: Float64, rng: np.random.Generator) -> None:
        super().__init__(game, risk, worth)
        self.rng = rng
        self.cumulative = None if game.transitions is None else np.cumsum(np.nan_to_num(game.transitions), axis=-1)
        self.next_states = np.zeros(game.rewards.shape[1:], dtype=np.int64)

    def draw(self) -> None:
        """Draw the next states of this iteration, the same for all players; one past the last state is an end."""
        if self.cumulative is not None:
            uniform = self.rng.random(self.cumulative.shape[:-1])
            self.next_states = (uniform[..., None] >= self.cumulative).sum(axis=-1)

    def expected(self, step: int, rows: Int64, following: Float64) -> Float64:
        return np.asarray(np.append(following, 0.0)[self.next_states[step, rows]])


class _Critic:
    """Payoffs of all stage games of a game, ``[G, A1, ..., An]`` a player, which follow values slowly."""

    def __init__(self, sweep: Sweep, discount: float | None) -> None:
        self.sweep, self.discount = sweep, discount
        self.at = [np.flatnonzero(reached) for reached in sweep.reached]
        self.ends = np.cumsum([len(rows) for rows in self.at])[:-1]
        self.payoffs = self._targets(np.zeros((sweep.game.num_players, sum(map(len, self.at)))))

    def rows(self, arrays: Profile) -> Profile:
        """Return rows ``[G, A_i]`` of arrays ``[H, S, A_i]``."""
        return [np.concatenate([x[step, rows] for step, rows in enumerate(self.at)]) for x in arrays]

    def take(self, arrays: Profile, rows: Profile) -> None:
        """Write rows ``[G, A_i]`` into arrays ``[H, S, A_i]``."""
        for array, x in zip(arrays, rows, strict=True):
            for step, part in enumerate(np.split(x, self.ends)):
                array[step, self.at[step]] = part

    def step(self, values: Float64, share: float) -> None:
        """Move a share of the way to what values ``[N, G]`` say."""
        targets = self._targets(values)
        self.payoffs = [q + share * (target - q) for q, target in zip(self.payoffs, targets, strict=True)]

    def _targets(self, values: Float64) -> Profile:
        sweep, game = self.sweep, self.sweep.game
        if isinstance(sweep, _Sampled):
            sweep.draw()
        following = np.zeros((game.horizon + 1, game.num_players, game.num_states))
        for step, part in enumerate(np.split(values, self.ends, axis=1)):
            following[step][:, self.at[step]] = part
        found = []
        for step, rows in enumerate(self.at):
            is_last = step + 1 == game.horizon
            discount = self.discount if self.discount is not None else 0.0 if is_last else 1.0
            after = following[0 if self.discount is not None else step + 1]
            found.append(sweep.payoffs(step, rows, after, discount))
        return [np.concatenate(parts) for parts in zip(*found, strict=True)]


class _Actors:
    """Each player's mixtures ``[G, A_i]`` and adversaries ``[G, B]``, as logarithms."""

    def __init__(self, risk: Risk, logs: Profile, legal: Profile, step: float | None) -> None:
        self.risk, self.logs, self.legal, self.size = risk, logs, legal, step
        self.adversaries = [self._others(player) for player in range(len(logs))]

    def step(self, payoffs: Profile) -> None:
        """Take one step of every mixture and adversary at once, each in the geometry of its own penalty."""
        moved = []
        for player, x in enumerate(self.logs):
            u, tau = self._own(player, payoffs), self.risk.risk_aversion[player] * self.risk.temperature[player]
            size = self._sizes(u, tau)
            p, q = self.adversaries[player], self._others(player)
            worst = q - tau * np.einsum("ga,gab->gb", np.exp(x), u)
            values, share = np.einsum("gab,gb->ga", u, np.exp(p)), size / (1.0 + size)
            moved.append(self._mixture(player, x, values, share))
            self.adversaries[player] = mixed(p, worst, size / (tau + size))
        self.logs = moved

    def values(self, payoffs: Profile) -> Float64:
        """Return what the mixtures are worth beside their adversaries, ``[N, G]``."""
        found = []
        for player, x in enumerate(self.logs):
            u, epsilon = self._own(player, payoffs), self.risk.temperature[player]
            p, q, tau = self.adversaries[player], self._others(player), self.risk.risk_aversion[player]
            value = epsilon * np.einsum("ga,gab,gb->g", np.exp(x), u, np.exp(p))
            if tau > 0.0:
                value = value + (np.exp(p) * (p - q)).sum(axis=1) / tau
            is_legal = self.legal[player] > LOG_ZERO / 2
            logs = np.where(is_legal, x, 0.0)
            weights = np.exp(x) if self.risk.regularizer == "entropy" else -is_legal.astype(np.float64)
            found.append(value - epsilon * (weights * logs).sum(axis=1))
        return np.stack(found)

    def _own(self, player: int, payoffs: Profile) -> Float64:
        """Return a player's payoffs in units of its temperature, own actions by joint actions of the others."""
        own = np.moveaxis(payoffs[player], player + 1, 1) / self.risk.temperature[player]
        return np.ascontiguousarray(own).reshape(*own.shape[:2], -1)

    def _others(self, player: int) -> Float64:
        """Return the logarithms of the others' joint play, ``[G, B]``."""
        joint = np.zeros((len(self.logs[0]), 1))
        for other, x in enumerate(self.logs):
            if other != player:
                joint = (joint[:, :, None] + x[:, None, :]).reshape(len(x), -1)
        return np.maximum(joint, LOG_ZERO)

    def _sizes(self, u: Float64, tau: float) -> Float64:
        """Return steps ``[G, 1]``: for strength ``m`` of penalties and slope ``L`` of payoffs ``m / L^2`` contracts."""
        if self.size is not None:
            return np.full((len(u), 1), self.size)
        slope = np.maximum(np.ptp(u.reshape(len(u), -1), axis=1), 1.0)
        strength = min(1.0, 1.0 / tau) if tau > 0.0 else 1.0
        return np.asarray(strength / slope / slope)[:, None]

    def _mixture(self, player: int, x: Float64, values: Float64, share: Float64) -> Float64:
        """Return the mixture whose penalty's gradient is a share of the way to the values."""
        if self.risk.regularizer == "entropy":
            is_legal = self.legal[player] > LOG_ZERO / 2
            target = np.where(is_legal, values - values.max(axis=1, keepdims=True), LOG_ZERO)
            return mixed(x, target, share)
        gradient = -np.exp(-np.where(self.legal[player] > LOG_ZERO / 2, x, 0.0))
        line = (1.0 - share) * gradient + share * values
        alone = risk_averse_figures(
            [line],
            np.zeros((len(x), 1)),
            [self.legal[player]],
            [self.legal[player]],
            divergence="kl",
            regularizer="log_barrier",
        )
        return alone.responses[0]
