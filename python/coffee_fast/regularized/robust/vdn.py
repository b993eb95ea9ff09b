"""Robust value decomposition: teammates who act apart on shares of what their team earns by the worst transitions."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coffee_fast.checks import check_flag, check_number
from coffee_fast.errors import NumericalError
from coffee_fast.regularized.cooperative.in_sample import marginals
from coffee_fast.regularized.risk_averse.induction import check_discounted
from coffee_fast.regularized.robust.environment import Environment, Stage, judged
from coffee_fast.regularized.robust.expectation import Distance
from coffee_fast.regularized.robust.nash import environment_of, result, uniform_policies
from coffee_fast.regularized.robust.solutions import RobustPolicies
from coffee_fast.stage_games.arguments import frozen
from coffee_fast.tabular.common_payoff_checks import check_common
from coffee_fast.tabular.game import TabularGame
from coffee_fast.typing import Float64, Profile


@dataclass(frozen=True, eq=False)
class DecomposedPolicies(RobustPolicies):
    """Policies of teammates, each of which takes the action with the largest share of the team's robust value.

    Attributes
    ----------
    action_values
        One ``f64[H, S, A_i]`` a player: its shares; NaN for actions that are not legal or that the log never shows.
    team_values
        ``f64[H, S]``: the sums of the best shares.
    residual
        ``f64[H, S]``: root mean square of what sums of shares leave of the team's value, cells weighted as logged.
    gap
        ``f64[N]``: what each could add alone to what the team gets by the worst transitions; exact.
    status
        ``"converged"``: every gap is within the tolerance; ``"not_additive"``: not so, as the team's value is no sum of
        shares; ``"max_iterations"``: values of a discounted game still moved.
    """

    action_values: tuple[Float64, ...]
    team_values: Float64
    residual: Float64


def robust_vdn(
    game: TabularGame | Mapping[str, ArrayLike],
    *,
    distance: Distance = "total_variation",
    radius: float | None = None,
    weight: float | None = None,
    has_fail_state: bool = False,
    unseen_value: float | None = None,
    discount: float | None = None,
    tolerance: float = 1e-9,
) -> DecomposedPolicies:
    r"""Return policies of teammates who act apart, by shares that add up to the team's value by the worst transitions.

    .. math:: \sum_i Q_i(s, a_i) \approx r(s, a) + \gamma \min_{p \in B(P(s, a))} E_p V, \quad
        V = \sum_i \max_{a_i} Q_i

    in the least squares over the log's visits. All shares are about one worst model, the team's, so that where values
    add up each teammate's best action is part of the best joint one.

    Parameters
    ----------
    game
        A tabular game in which all get the same, or a log of play as :meth:`TabularGame.from_dataset` takes it.
    distance, radius, weight
        As in :func:`robust_nash`, one for the team.
    has_fail_state
        Whether the episode may end at any time, with nothing more to come, though the log never shows it; of total
        variation and contamination alone, as the other distances let nothing come that has no probability.
    unseen_value
        What legal cells that a log never shows are worth, with all that follows, in value and gap; shares are learned
        from cells that it shows.
    discount
        :math:`\gamma`, for a tabular game of one step with transitions: play goes on for ever.
    tolerance
        Converged with gaps at most this share of the range of rewards a step; of a discounted game in all.

    Raises
    ------
    InvalidGameError
        Rewards that differ between players, or cells that are empty without ``unseen_value``.
    InvalidArgumentError
        A distance that has no such form, radii or weights out of range, and other impossible arguments.
    NumericalError
        Values that grow without end, as those of a discounted game can where they do not add up.

    Notes
    -----
    Deterministic. Cost: a least-squares problem of all players' actions a state, once, and a pass over the transitions.
    Source: robust individual-global-max factorization (DrIGM) by value decomposition, on tables.

    >>> log = {"action": [[0, 0], [0, 1], [1, 0]], "reward": [[3, 3], [1, 1], [2, 2]]}
    >>> found = robust_vdn(log, unseen_value=0.0)
    >>> [policy[0, 0].tolist() for policy in found.policies], found.team_values.round(6).tolist(), found.status
    ([[1.0, 0.0], [1.0, 0.0]], [[3.0]], 'converged')
    """
    caller = "robust_vdn"
    has_fail_state = check_flag(f"{caller}: has_fail_state", has_fail_state)
    check_number(f"{caller}: tolerance", tolerance, is_open=True)
    if unseen_value is not None:
        check_number(f"{caller}: unseen_value", unseen_value, at_least=-np.inf)
    for name, strength in (("radius", radius), ("weight", weight)):
        if strength is not None:
            check_number(f"{caller}: {name}", strength, is_open=name == "weight")
    environment = environment_of(caller, game, distance, radius, weight, unseen_value)
    game = environment.game
    known = game.legal_profiles if game.counts is None else game.counts > 0
    check_common(game.rewards, known)
    if discount is not None:
        check_discounted(caller, game, discount)
    environment = dataclasses.replace(environment, discount=discount, has_fail_state=has_fail_state)
    shares = _Shares.of(environment)
    found = result(environment, shares.policies, judged(environment, shares.policies), tolerance, shares.num_sweeps)
    fields = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
    if not shares.stand_still:
        fields["status"] = "max_iterations"
    elif found.status != "converged":
        fields["status"] = "not_additive"
    return DecomposedPolicies(
        **fields,
        action_values=tuple(frozen(q) for q in shares.action_values),
        team_values=shares.team_values,
        residual=shares.residual,
    )


@dataclass(eq=False)
class _Shares:
    """What induction finds, ``[H, S, ...]``."""

    policies: Profile
    action_values: Profile
    team_values: Float64
    residual: Float64
    num_sweeps: int = 0
    stand_still: bool = True

    @classmethod
    def of(cls, environment: Environment) -> _Shares:
        game = environment.game
        policies, unknown = uniform_policies(game), np.full(game.rewards.shape[1:3], np.nan)
        found = cls(policies, [np.full(x.shape, np.nan) for x in policies], unknown, unknown.copy())
        following, fit = np.zeros((game.num_players, game.num_states)), None
        for stage in environment.stages():
            if fit is None or fit.stage is not stage:
                fit = _Fit.of(stage)
            before, following = following, np.zeros_like(following)
            following[:, stage.rows] = found.learn(fit, stage.payoffs(before)[0])
            found.num_sweeps += 1
            if not np.isfinite(following).all():
                raise NumericalError("robust_vdn: values grow without end; lower the discount, or raise the radius")
            found.stand_still = environment.discount is None or environment.stands_still(following, before)
            if environment.discount is not None and found.stand_still:
                break
        return found

    def learn(self, fit: _Fit, targets: Float64) -> Float64:
        """Learn shares of targets ``[G, A1, ..., An]`` and return the team's values, ``[G]``."""
        step, rows = fit.stage.step, fit.stage.rows
        flat = targets.reshape(len(rows), -1)
        with np.errstate(over="ignore", invalid="ignore"):
            shares = (fit.project @ flat[..., None])[..., 0]
            left = flat - shares @ fit.features.T
            self.residual[step, rows] = np.sqrt((fit.weights * left**2).sum(axis=1))
        values, ends = np.zeros(len(rows)), np.cumsum([x.shape[2] for x in self.policies])[:-1]
        for player, q in enumerate(np.split(shares, ends, axis=1)):
            q = np.where(fit.seen[player], q, -np.inf)
            values += q.max(axis=1)
            self.policies[player][step, rows] = np.eye(q.shape[1])[q.argmax(axis=1)]
            self.action_values[player][step, rows] = np.where(fit.seen[player], q, np.nan)
        self.team_values[step, rows] = values
        return values


@dataclass(frozen=True, eq=False)
class _Fit:
    """Least squares of a stage: ``features [cells, actions]``, ``weights [G, cells]``, ``project [G, actions, cells]``.

    ``seen`` is ``[G, A_i]`` a player: actions of which there is something to learn.
    """

    stage: Stage
    features: Float64
    weights: Float64
    project: Float64
    seen: list[NDArray[np.bool_]]

    @classmethod
    def of(cls, stage: Stage) -> _Fit:
        game, sizes = stage.environment.game, stage.legal_profiles.shape[1:]
        visits = stage.legal_profiles if game.counts is None else game.counts[stage.step, stage.rows]
        counts = np.asarray(visits, dtype=np.float64)
        places = np.indices(sizes).reshape(len(sizes), -1)
        features = np.concatenate([np.eye(size)[place] for size, place in zip(sizes, places, strict=True)], axis=1)
        weights = counts.reshape(len(counts), -1)
        weights = weights / weights.sum(axis=1, keepdims=True)
        roots = np.sqrt(weights)
        project = np.linalg.pinv(roots[..., None] * features, rcond=1e-10) * roots[:, None, :]
        return cls(stage, features, weights, project, [x > 0.0 for x in marginals(counts)])
