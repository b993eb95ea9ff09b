"""Risk-sensitive quantal response equilibria learned by playing: optimism leads to what is not known yet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coffee_fast.checks import check_count, check_number
from coffee_fast.errors import InvalidArgumentError, InvalidGameError, shown
from coffee_fast.regularized.risk_averse.policy_sweep import ranges_of
from coffee_fast.seeding import check_seed, derive_seed
from coffee_fast.stage_games.arguments import LARGEST_RATIO, frozen
from coffee_fast.stage_games.kernels import entropic_certainty_equivalent, kl_divergence, log_sum_exp, solve_action_risk
from coffee_fast.stage_games.risk import PerPlayer, Risk
from coffee_fast.stage_games.status import Status, status_of
from coffee_fast.tabular.game import TabularGame
from coffee_fast.tabular.linear_game import Features, LinearGame, feature_rows, one_hot_features
from coffee_fast.typing import Float64, Int64, Profile

_WORST_CONDITION = 1e14  # beyond it an inverse has no digits


@dataclass(frozen=True, eq=False)
class ExploredEquilibrium:
    """What was learned by playing a game, and what it cost.

    Attributes
    ----------
    policies
        One ``f64[H, S, A_i]`` a player: the last ones played.
    gap
        ``f64[N]``: what a player could gain by another mixture in the game's own stage games, summed over the steps of
        an episode by how likely play comes to each state; 0 for an equilibrium.
    regret
        ``f64[U, N]``: the gap of the policies of each update. An update is played for ``episodes_per_update`` episodes.
    value
        ``f64[N]``: the risk-sensitive value of the policies in the game, from the first state.
    uncertainty
        ``f64[H, S, A1, ..., An]``: of each cell; in tables one over the root of the ridge plus the visits.
    learned
        The stage games as the player believes them, optimism included.
    status
        ``"converged"``: every gap is within the tolerance; ``"max_iterations"``: all episodes were played.
    num_episodes
        How many were played.
    temperature, risk_aversion
        ``f64[N]``: those used.
    about
        What game was played, and what its players know.
    """

    policies: tuple[Float64, ...]
    gap: Float64
    regret: Float64
    value: Float64
    uncertainty: Float64
    learned: LinearGame
    status: Status
    num_episodes: int
    temperature: Float64
    risk_aversion: Float64
    about: str


def optimistic_rqre(
    game: TabularGame,
    features: Features | None = None,
    *,
    temperature: PerPlayer = None,
    risk_aversion: PerPlayer = None,
    num_episodes: int = 1000,
    episodes_per_update: int = 20,
    ridge: float = 1.0,
    bonus: float = 0.1,
    reward_bound: float | None = None,
    tolerance: float = 1e-4,
    seed: int = 0,
) -> ExploredEquilibrium:
    r"""Learn the equilibrium of :func:`rqre` by playing a game whose transitions are not known.

    Each update fits the stage games to all episodes so far, adds a bonus where they are uncertain, and solves them from
    the last step back; its policies play the next episodes. The game is sampled for next states; what it says of
    itself serves to judge the policies alone, and to stop.

    Parameters
    ----------
    game
        A tabular game that is known, all of whose actions are legal.
    features
        ``features(states, actions)`` returns ``[K, d]`` for states ``[K]`` and actions ``[K, N]``; by default each cell
        has its own.
    temperature, risk_aversion, ridge
        As in :func:`rqre`.
    num_episodes, episodes_per_update
        Episodes at most; how many are played between two updates.
    bonus
        Times a cell's uncertainty it is added to all players' payoffs, in units of payoff.
    reward_bound
        What no reward of a step exceeds in size; payoffs are held within as much for each step left. By default the
        largest of the game.
    tolerance
        Stop with gaps at most this share of the range of rewards or, if that is less, of ten temperatures.
    seed
        Of play.

    Raises
    ------
    InvalidGameError
        A game with actions that are not legal, or from a log.
    InvalidArgumentError
        Impossible arguments, and features of another shape or not finite.

    Notes
    -----
    The same seed gives the same bits. Cost of an update: ``d^2`` a cell and ``d^3`` a step, the stage games of all
    states twice, and the episodes; memory for the counts of every transition. Source: RQRE-OVI, arXiv 2603.09208.

    >>> hunt = TabularGame([[[[[4, 0], [2, 2]]]], [[[[4, 2], [0, 2]]]]])
    >>> found = optimistic_rqre(hunt, temperature=0.5, risk_aversion=0.5, num_episodes=5000)
    >>> found.status, found.policies[0].round(2).tolist()
    ('converged', [[[0.02, 0.98]]])
    """
    num_episodes = check_count("optimistic_rqre: num_episodes", num_episodes, at_least=1)
    every = check_count("optimistic_rqre: episodes_per_update", episodes_per_update, at_least=1)
    check_number("optimistic_rqre: ridge", ridge, is_open=True)
    check_number("optimistic_rqre: bonus", bonus)
    check_number("optimistic_rqre: tolerance", tolerance)
    _check_game(game)
    largest = max(float(np.abs(game.rewards).max()), 1e-300)
    bound = (
        largest if reward_bound is None else check_number("optimistic_rqre: reward_bound", reward_bound, is_open=True)
    )
    ranges = ranges_of(game)
    risk = Risk.of("optimistic_rqre", temperature, risk_aversion, "kl", "entropy", ranges)
    rng = np.random.default_rng(derive_seed(check_seed(seed), "optimistic_rqre"))
    learner = _Learner(
        game, one_hot_features(game.num_states, game.num_actions) if features is None else features, risk
    )
    learner.begin(float(ridge), float(bonus), bound)
    allowed = tolerance * np.minimum(np.where(ranges > 0.0, ranges, 1.0), LARGEST_RATIO * risk.temperature)
    regret, played = [], 0
    while True:
        learner.update()
        gap, value = _judged(game, risk, learner.policies)
        regret.append(gap)
        if (gap <= allowed).all() or played == num_episodes:
            break
        batch = min(every, num_episodes - played)
        learner.play(batch, rng)
        played += batch
    return ExploredEquilibrium(
        policies=tuple(frozen(x) for x in learner.policies),
        gap=gap,
        regret=np.stack(regret),
        value=value,
        uncertainty=learner.uncertainty(),
        learned=learner.learned,
        status=status_of(bool((gap <= allowed).all())),
        num_episodes=played,
        temperature=risk.temperature,
        risk_aversion=risk.risk_aversion,
        about=game.about,
    )


def _check_game(game: TabularGame) -> None:
    if not isinstance(game, TabularGame):
        raise InvalidArgumentError(f"optimistic_rqre: game must be a TabularGame, got {shown(game)}")
    if game.counts is not None:
        raise InvalidGameError(
            "optimistic_rqre: game must be known, to be played; this one was made from a log, which rqre solves"
        )
    if not game.legal_profiles.all():
        raise InvalidGameError(
            "optimistic_rqre: all actions must be legal everywhere, got a game in which some are not; rqe solves it"
        )


class _Learner:
    """All episodes so far as counts, and the stage games and policies that they support."""

    def __init__(self, game: TabularGame, features: Features, risk: Risk) -> None:
        self.game, self.features, self.risk = game, features, risk
        S, self.num_profiles = game.num_states, int(np.prod(game.num_actions))
        self.states = np.repeat(np.arange(S), self.num_profiles)
        self.actions = np.tile(np.array(list(np.ndindex(game.num_actions))), (S, 1))
        states = self.states.astype(np.float64)
        self.phi = feature_rows(features, states, self.actions, None, "optimistic_rqre")
        # Next states of each cell; the last one is the end.
        self.counts = np.zeros((game.horizon, len(self.states), S + 1))
        self.policies = [np.empty((game.horizon, S, size)) for size in game.num_actions]
        self.rewards = game.rewards.reshape(game.num_players, game.horizon, len(self.states))
        self.cumulative = None
        if game.horizon > 1 and game.transitions is not None:
            rows = game.transitions[:-1].reshape(game.horizon - 1, len(self.states), S)
            self.cumulative = np.cumsum(rows, axis=-1)

    def begin(self, ridge: float, bonus: float, reward_bound: float) -> None:
        H, N, d = self.game.horizon, self.game.num_players, self.phi.shape[1]
        arrays = np.zeros((H, N, d)), np.zeros((H, d, d))
        self.learned = LinearGame(*arrays, self.features, self.game.num_actions, bonus, reward_bound)
        self.ridge = ridge

    def update(self) -> None:
        """Fit and solve all stage games, from the last step back."""
        following = np.zeros((self.game.num_players, self.game.num_states + 1))
        states = np.arange(self.game.num_states)
        for step in reversed(range(self.game.horizon)):
            visits = self.counts[step].sum(axis=1)
            targets = visits * self.rewards[:, step] + following @ self.counts[step].T
            self.learned.inverse[step] = inverse = self._inverse(visits)
            self.learned.weights[step] = targets @ self.phi @ inverse
            payoffs = self.learned.payoffs(step, states)
            found = solve_action_risk(
                payoffs, self.risk.temperature, self.risk.risk_aversion, damping=0.5, tolerance=1e-8, max_iterations=100
            )
            for policy, x in zip(self.policies, found.mixtures, strict=True):
                policy[step] = x / x.sum(axis=1, keepdims=True)
            following = np.append(found.value.T, np.zeros((self.game.num_players, 1)), axis=1)

    def _inverse(self, visits: Float64) -> Float64:
        """Return the inverse of the ridge plus the second moments of features visited."""
        with np.errstate(over="ignore", invalid="ignore"):
            moments = self.ridge * np.eye(self.phi.shape[1]) + self.phi.T @ (visits[:, None] * self.phi)
        if np.isfinite(moments).all() and np.linalg.cond(moments) < _WORST_CONDITION:
            inverse: Float64 = np.asarray(np.linalg.inv(moments), dtype=np.float64)
            if np.isfinite(inverse).all():
                return np.asarray(inverse, dtype=np.float64)
        raise InvalidArgumentError(
            f"optimistic_rqre: ridge must be larger than {self.ridge:g}, or features scaled to about 1: their second "
            "moments cannot be inverted"
        )

    def play(self, num_episodes: int, rng: np.random.Generator) -> None:
        """Play episodes side by side by the policies, and count where they lead."""
        state = _drawn(np.cumsum(self.game.initial)[None], rng.random(num_episodes))
        state = np.minimum(state, self.game.num_states - 1)
        for step in range(self.game.horizon):
            cell = state
            for policy, size in zip(self.policies, self.game.num_actions, strict=True):
                action = _drawn(np.cumsum(policy[step, state], axis=1), rng.random(len(state)))
                cell = cell * size + np.minimum(action, size - 1)
            following = np.full(len(state), self.game.num_states)
            if self.cumulative is not None and step + 1 < self.game.horizon:
                following = _drawn(self.cumulative[step, cell], rng.random(len(state)))
            np.add.at(self.counts[step], (cell, following), 1.0)
            state = following[following < self.game.num_states]

    def uncertainty(self) -> Float64:
        rows = [self.learned.uncertainty(step, self.states, self.actions) for step in range(self.game.horizon)]
        return np.stack(rows).reshape(self.game.horizon, self.game.num_states, *self.game.num_actions)


def _drawn(cumulative: Float64, uniform: Float64) -> Int64:
    return np.asarray((uniform[:, None] >= cumulative).sum(axis=1))


def _judged(game: TabularGame, risk: Risk, policies: Profile) -> tuple[Float64, Float64]:
    """Return gaps and values ``[N]`` of policies in the game itself."""
    N, S = game.num_players, game.num_states
    values, gaps = np.zeros((N, S)), np.zeros((N, S))
    for step in reversed(range(game.horizon)):
        mixtures = [policy[step] for policy in policies]
        joint = mixtures[0]
        for x in mixtures[1:]:
            joint = joint[..., None] * x.reshape(S, *[1] * (joint.ndim - 1), -1)
        payoffs = game.rewards[:, step]
        if step + 1 < game.horizon and game.transitions is not None:
            moves = game.transitions[step]
            payoffs = payoffs + np.einsum("s...t,nt->ns...", moves, values)
            gaps = np.einsum("sj,sjt,nt->ns", joint.reshape(S, -1), moves.reshape(S, -1, S), gaps)
        found = [_of_player(payoffs[i], mixtures, i, risk) for i in range(N)]
        values, gaps = np.stack([value for _, value in found]), gaps + np.stack([gap for gap, _ in found])
    return gaps @ game.initial, values @ game.initial


def _of_player(payoffs: Float64, mixtures: Profile, player: int, risk: Risk) -> tuple[Float64, Float64]:
    """Return what a player could gain in each state, and what its mixture is worth, ``[S]``."""
    joint = np.ones((len(payoffs), 1))
    for other, x in enumerate(mixtures):
        if other != player:
            joint = (joint[:, :, None] * x[:, None, :]).reshape(len(x), -1)
    own = np.moveaxis(payoffs, player + 1, 1)
    own = own.reshape(*own.shape[:2], joint.shape[1])
    u = entropic_certainty_equivalent(own, joint[:, None, :], float(risk.risk_aversion[player]))
    scores = (u - u.max(axis=1, keepdims=True)) / risk.temperature[player]
    best, x = scores - log_sum_exp(scores), mixtures[player]
    lost = kl_divergence(np.log(np.maximum(x, 1e-300)), best)
    return risk.temperature[player] * lost, np.asarray((x * u).sum(axis=1))
