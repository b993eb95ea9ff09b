"""The learners of doubly smoothed best response, how they play, and what their play is worth."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from coffee_fast.errors import NumericalError
from coffee_fast.regularized.anchored.backward_induction import product
from coffee_fast.stage_games.arguments import LARGEST_RATIO, frozen, log_uniform
from coffee_fast.stage_games.kernels import LOG_ZERO, deviation_payoffs_of_logs, regularized_gap
from coffee_fast.stage_games.status import Status, status_of
from coffee_fast.tabular.game import TabularGame
from coffee_fast.typing import Float64, Profile

_CHUNK = 1024  # episodes whose random numbers are drawn at once


@dataclass(frozen=True)
class StepSizes:
    """``size / (k + offset)`` for values at the ``k``-th visit, and ``policy_rate`` times that for policies."""

    size: float
    offset: float
    policy_rate: float


@dataclass(frozen=True, eq=False)
class SmoothedPlay:
    """What payoff-based learners came to play, and exact figures in the game they played that say how good it is.

    Attributes
    ----------
    policies
        One ``f64[H, S, A_i]`` a player, of the last episode; in states never met as they were at the start, uniform.
    action_values
        One ``f64[H, S, A_i]`` a player: what it learned that its actions are worth; of a fixed player zeros.
    gap
        ``f64[N]``: what each could gain in payoff less ``temperature`` times KL to uniform by answering better at
        single steps, values of what follows as they are; summed over the steps of an episode, states counted as
        often as the play meets them. 0 at the fixed point of the learners; of fixed players 0.
    regret
        ``f64[N]``: what each could gain in the whole game, without any penalty, by a policy of its own; of fixed
        players, too.
    value
        ``f64[N]``: what each gets on average.
    values
        ``f64[N, H, S]``: what the play is worth from each state on.
    status
        ``"converged"``: every gap is within the tolerance; ``"max_iterations"``: the learners were still apart.
    num_iterations
        Episodes played.
    temperature
        ``f64[N]``: the temperatures used.
    about
        Which game the figures are about, and what players know in it.
    """

    policies: tuple[Float64, ...]
    action_values: tuple[Float64, ...]
    gap: Float64
    regret: Float64
    value: Float64
    values: Float64
    status: Status
    num_iterations: int
    temperature: Float64
    about: str

    @property
    def mixtures(self) -> tuple[Float64, ...]:
        """One ``f64[A_i]`` a player: the play in the first state of the first step, all there is of a payoff table."""
        return tuple(policy[0, 0] for policy in self.policies)


class _Mind:
    """A player's values and policy in one cell, over its legal actions."""

    __slots__ = ("actions", "is_fixed", "policy", "values")

    def __init__(self, actions: list[int], fixed: Float64 | None) -> None:
        self.actions, self.is_fixed = actions, fixed is not None
        self.policy = [1.0 / len(actions)] * len(actions) if fixed is None else [float(fixed[a]) for a in actions]
        self.values = [0.0] * len(actions)

    def smooth(self, temperature: float, rate: float) -> None:
        top = max(self.values)
        weights = [math.exp((q - top) / temperature) for q in self.values]
        share = rate / sum(weights)
        self.policy = [p + share * w - rate * p for p, w in zip(self.policy, weights, strict=True)]

    def draw(self, uniform: float) -> int:
        """Return the place of an action among the legal ones."""
        last = 0
        for place, p in enumerate(self.policy):
            if p > 0.0:
                last = place
                uniform -= p
                if uniform < 0.0:
                    break
        return last

    def expected(self) -> float:
        return sum(p * q for p, q in zip(self.policy, self.values, strict=True))


class Learners:
    """All players' minds in every cell, and the values of states that the epoch goes by."""

    def __init__(self, game: TabularGame, temperature: Float64, fixed: list[Float64 | None]) -> None:
        H, S, N = game.horizon, game.num_states, game.num_players
        self.game, self.temperature, self.fixed = game, temperature, fixed
        self.temperatures, self.pay = temperature.tolist(), np.ascontiguousarray(np.moveaxis(game.rewards, 0, -1))
        legal = game.legal or [np.ones((H, S, size), dtype=bool) for size in game.num_actions]
        self.minds = [
            [
                [
                    _Mind(np.flatnonzero(legal[i][h, s]).tolist(), None if (x := fixed[i]) is None else x[h, s])
                    for i in range(N)
                ]
                for s in range(S)
            ]
            for h in range(H)
        ]
        self.following = [[[0.0] * N for _ in range(S)] for _ in range(H)]
        self.starts = game.initial[: np.flatnonzero(game.initial)[-1] + 1].cumsum()
        self.moves = None if game.transitions is None or H == 1 else game.transitions[:-1].cumsum(axis=-1)

    def play(self, num_episodes: int, steps: StepSizes, rng: np.random.Generator) -> None:
        """Play an epoch; then let values of states be what play and action values say."""
        H, N = self.game.horizon, self.game.num_players
        self.visits = [[0] * self.game.num_states for _ in range(H)]
        for begin in range(0, num_episodes, _CHUNK):
            drawn = rng.random((min(_CHUNK, num_episodes - begin), H, N + 1)).tolist()
            for episode in drawn:
                self._play_episode(episode, steps)
        self.following = [[[mind.expected() for mind in cell] for cell in step] for step in self.minds]

    def _play_episode(self, uniform: list[list[float]], steps: StepSizes) -> None:
        """Play from the first state to the end with ``N + 1`` uniform numbers a step, the last for what comes next."""
        game, players = self.game, range(self.game.num_players)
        # Nothing comes after the last step, so that its last number is free for the first state.
        state = int(self.starts[:-1].searchsorted(uniform[-1][-1] * self.starts[-1], side="right"))
        for step, numbers in enumerate(uniform):
            minds = self.minds[step][state]
            rate = steps.size / (self.visits[step][state] + steps.offset)
            self.visits[step][state] += 1
            for i in players:
                if not minds[i].is_fixed:
                    minds[i].smooth(self.temperatures[i], steps.policy_rate * rate)
            places = [minds[i].draw(numbers[i]) for i in players]
            cell = (step, state, *(mind.actions[place] for mind, place in zip(minds, places, strict=True)))
            after = game.num_states  # the end
            if self.moves is not None and step + 1 < game.horizon:
                after = int(self.moves[cell].searchsorted(numbers[-1], side="right"))
            paid = self.pay[cell].tolist()
            for i in players:
                if not minds[i].is_fixed:
                    follows = self.following[step + 1][after][i] if after < game.num_states else 0.0
                    values, place = minds[i].values, places[i]
                    values[place] += rate * (paid[i] + follows - values[place])
            if after == game.num_states:
                return
            state = after

    def arrays(self) -> tuple[Profile, Profile]:
        """Return policies and values of actions, ``[H, S, A_i]`` a player each."""
        shape = (self.game.horizon, self.game.num_states)
        policies = [np.zeros((*shape, size)) for size in self.game.num_actions]
        values = [np.zeros((*shape, size)) for size in self.game.num_actions]
        for h, s in np.ndindex(*shape):
            for i, mind in enumerate(self.minds[h][s]):
                policies[i][h, s, mind.actions] = np.array(mind.policy) / math.fsum(mind.policy)
                values[i][h, s, mind.actions] = mind.values
        return policies, values


def judged(learners: Learners, ranges: Float64, tolerance: float, num_iterations: int, about: str) -> SmoothedPlay:
    """Return what the learners play with its certificate, by two backward inductions and a forward one."""
    game, (policies, action_values) = learners.game, learners.arrays()
    H, S, N = game.horizon, game.num_states, game.num_players
    legal = game.legal or [np.ones((H, S, size), dtype=bool) for size in game.num_actions]
    weights = np.tile(learners.temperature, (S, 1))
    values, stage_gap, best = np.zeros((N, H, S)), np.zeros((N, H, S)), np.zeros((N, S))
    for h in reversed(range(H)):
        with np.errstate(divide="ignore"):
            logs = [np.maximum(np.log(policy[h]), LOG_ZERO) for policy in policies]
        payoffs = _stage_payoffs(game, h, values[:, h + 1] if h + 1 < H else None)
        gains = deviation_payoffs_of_logs(payoffs, logs)
        values[:, h] = [(policy[h] * q).sum(axis=1) for policy, q in zip(policies, gains, strict=True)]
        stage_gap[:, h] = regularized_gap(payoffs, [log_uniform(mask[h]) for mask in legal], weights, logs).T
        against = deviation_payoffs_of_logs(_stage_payoffs(game, h, best if h + 1 < H else None), logs)
        best = np.stack([np.where(mask[h], q, -np.inf).max(axis=1) for mask, q in zip(legal, against, strict=True)])
    gap, met = np.zeros(N), game.initial
    for h in range(H):
        gap += stage_gap[:, h] @ met
        if h + 1 < H and game.transitions is not None:
            joint = product([policy[h] for policy in policies]) * met.reshape(-1, *[1] * N)
            met = np.tensordot(joint, game.transitions[h], axes=N + 1)
    gap = np.where([policy is not None for policy in learners.fixed], 0.0, gap)
    value = values[:, 0] @ game.initial
    regret = np.maximum(best @ game.initial - value, 0.0)
    if not (np.isfinite(gap).all() and np.isfinite(regret).all()):
        raise NumericalError(
            f"smoothed_best_response: values left the finite numbers, for rewards in a range of {ranges.max():g}"
        )
    allowed = tolerance * H * np.minimum(np.where(ranges > 0.0, ranges, 1.0), LARGEST_RATIO * learners.temperature)
    return SmoothedPlay(
        policies=tuple(frozen(policy) for policy in policies),
        action_values=tuple(frozen(q) for q in action_values),
        gap=gap,
        regret=regret,
        value=value,
        values=values,
        status=status_of(bool((gap <= allowed).all())),
        num_iterations=num_iterations,
        temperature=learners.temperature,
        about=about,
    )


def _stage_payoffs(game: TabularGame, step: int, following: Float64 | None) -> Profile:
    """Return rewards and what follows them, ``[S, A1, ..., An]`` a player."""
    stage = []
    for player in range(game.num_players):
        q = game.rewards[player, step]
        if following is not None and game.transitions is not None:
            q = q + game.transitions[step] @ following[player]
        stage.append(q)
    return stage
