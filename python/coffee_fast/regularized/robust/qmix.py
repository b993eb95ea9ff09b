"""Robust value factorization by networks: teammates who act apart on parts of what their team is worth at worst."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.checks import check_choice, check_count, check_flag, check_progress
from coffee_fast.data import TrajectoryDataset
from coffee_fast.errors import InvalidArgumentError, InvalidGameError, shown
from coffee_fast.policies import NetworkPolicy
from coffee_fast.regularized.robust.decisions import Decisions, team_decisions
from coffee_fast.regularized.robust.expectation import DEFAULT_RADIUS, Distance
from coffee_fast.regularized.robust.fitting import Fear, Fitting, unit_of
from coffee_fast.stage_games.status import Status
from coffee_fast.typing import ProgressCallback

_WIDEST = 1024
Mixer = Literal["monotone", "sum", "bound"]


@dataclass(frozen=True, eq=False)
class TeamAnswer:
    """Policies of teammates, each greedy by its part of the team's value, and how well that fits the log.

    Attributes
    ----------
    policies
        One a player, greedy by its network's outputs; with the mixer ``"sum"`` these are shares of the team's value in
        units of payoff. Actions that the log never shows are played only where nothing else is legal.
    value
        What the networks hold the team to earn from the first decisions of the log's episodes on, in the mean, by the
        worst transitions. No bound: what play is worth only play can tell.
    change, residual, status, num_iterations, num_decisions
        As of :class:`NetworkAnswer`; part of the residual is what no such parts can express, or by how much they fail
        to bound.
    distance, radius, weight
        What is feared; of radius and weight the other is None.
    mixer
        How the team's value is made of its parts.
    about
        What log was learned from.
    """

    policies: tuple[NetworkPolicy, ...]
    value: float
    change: float
    residual: float
    status: Status
    num_iterations: int
    num_decisions: int
    distance: Distance
    radius: float | None
    weight: float | None
    mixer: Mixer
    about: str


def robust_qmix(
    log: TrajectoryDataset | Mapping[str, ArrayLike],
    *,
    mixer: Mixer = "monotone",
    distance: Distance = "total_variation",
    radius: float | None = None,
    weight: float | None = None,
    has_fail_state: bool = False,
    discount: float = 0.99,
    mixer_size: int = 32,
    hidden_sizes: Sequence[int] = (64, 64),
    num_iterations: int = 50,
    num_steps: int = 200,
    batch_size: int = 256,
    learning_rate: float = 3e-3,
    tolerance: float = 0.1,
    seed: int = 0,
    progress: ProgressCallback | None = None,
) -> TeamAnswer:
    r"""Return policies of teammates who act apart, by networks of parts of the team's value by the worst transitions.

    .. math:: Q(s, a) = mix_s(Q_1(o_1, a_1), \dots, Q_n(o_n, a_n)) \approx r + \gamma \, worst(V), \quad
        V = mix_s(\max_{a_1} Q_1, \dots, \max_{a_n} Q_n)

    As the mixer grows with each part, or the parts bound the team's value, what is best for each is best for the team;
    and all parts are about one worst model, the team's. With ``radius`` the worst is
    :math:`(1 - \rho) V + \rho V_{min}` (contamination) or, in the mean,
    :math:`(1 - \rho) g - (g - V)_+ + \rho V_{min}` with a network :math:`g(s, a)` that makes it largest (total
    variation); with ``weight`` that of :func:`network_rpq`.

    Parameters
    ----------
    log
        A dataset or arrays as :func:`network_rpq` takes them, of players who act at once and all get the same.
    mixer
        ``"monotone"`` (QMIX): a network with weights of no negative sign that depend on what all see together;
        ``"sum"`` (value decomposition): the parts add up, as in :func:`robust_vdn`; ``"bound"`` (QTRAN): a network of
        all actions together, which the sum of the parts bounds from above and meets at the best of each, up to what
        depends on what all see. That can be any value at all, and what the log never shows together is a guess.
    distance, radius, weight
        ``"contamination"`` or ``"total_variation"`` within a radius, by default 0.1; or ``"total_variation"``,
        ``"kl"`` or ``"chi_squared"`` at a weight.
    has_fail_state
        Whether the episode may end at any time, with nothing more to come, though the log never shows it; of total
        variation and contamination alone.
    mixer_size
        Width of the mixer, or of what is left between a bound and the sum of the parts.
    discount, hidden_sizes, num_iterations, num_steps, batch_size, learning_rate, tolerance, seed, progress
        As in :func:`network_rpq`; sizes are of each player's network.

    Raises
    ------
    InvalidGameError
        Rewards that differ between players, and games of turns.
    DatasetError
        For malformed logs, and seats that never act.
    InvalidArgumentError
        For impossible arguments.
    NumericalError
        If values grow without end.

    Notes
    -----
    Same seed, same bits. Cost: ``num_steps`` steps of about 0.3 ms a player in each iteration, and as many of the dual.
    Source: distributionally robust individual-global-max factorization (DrIGM) by QMIX, value decomposition and QTRAN.

    >>> log = {"observation": [[0.0]] * 4, "action": [[0, 0], [0, 1], [1, 0], [1, 1]], "trajectory": [0, 1, 2, 3],
    ...        "reward": [[3.0, 3.0], [1.0, 1.0], [2.0, 2.0], [0.0, 0.0]]}
    >>> found = robust_qmix(log, mixer="sum", hidden_sizes=(8,), num_iterations=2, num_steps=200)
    >>> [policy.probabilities([[0.0]], [[1, 1]]).tolist() for policy in found.policies], round(found.value)
    ([[[1.0, 0.0]], [[1.0, 0.0]]], 3)
    """
    caller = "robust_qmix"
    check_choice(f"{caller}: mixer", mixer, get_args(Mixer))
    has_fail_state = check_flag(f"{caller}: has_fail_state", has_fail_state)
    width = check_count(f"{caller}: mixer_size", mixer_size, at_least=1, at_most=_WIDEST)
    options = {"num_steps": num_steps, "batch_size": batch_size, "learning_rate": learning_rate, "seed": seed}
    options |= {"num_iterations": num_iterations, "discount": discount, "tolerance": tolerance}
    fitting = Fitting.of(caller, hidden_sizes, **options)
    check_progress(f"{caller}: progress", progress)
    if radius is not None and weight is not None:
        raise InvalidArgumentError(f"{caller}: at most one of radius and weight must be given")
    if radius is None and weight is None:
        radius = DEFAULT_RADIUS
    fear = Fear.of(caller, distance, radius, weight, has_fail_state)
    parts = team_decisions(caller, log)
    _check_common(caller, parts)
    return _fitted(caller, parts, fear, fitting, mixer, width, progress)


def _check_common(caller: str, parts: Sequence[Decisions]) -> None:
    rewards = np.stack([part.reward for part in parts])
    apart = np.ptp(rewards, axis=0)
    if (wrong := np.flatnonzero(apart > 1e-6 * np.abs(rewards).max(initial=1e-300))).size:
        raise InvalidGameError(
            f"{caller}: all players must get the same reward, got {shown(rewards[:, wrong[0]].tolist())} for decision "
            f"{wrong[0]}"
        )


def _fitted(
    caller: str,
    parts: Sequence[Decisions],
    fear: Fear,
    fitting: Fitting,
    mixer: Mixer,
    width: int,
    progress: ProgressCallback | None,
) -> TeamAnswer:
    from coffee_fast._torch_threads import learning_in_torch
    from coffee_fast.regularized.robust._torch_fitting import FittedIteration, with_actions
    from coffee_fast.regularized.robust._torch_mixing import BoundedValues, TeamValues

    team = parts[0]
    unit = unit_of(caller, team.returns(fitting.discount)[team.known])
    with learning_in_torch():
        if mixer == "bound":
            values: TeamValues = BoundedValues(parts, fitting, width, caller)
        else:
            values = TeamValues(parts, fitting, width if mixer == "monotone" else None, caller)
        features = with_actions(values.state, [(part.action, part.legal.shape[1]) for part in parts])
        iteration = FittedIteration(caller, values, features, team, fear, fitting, unit)
        num_iterations = iteration.run(progress)
        policies = tuple(player.policy(unit) for player in values.players)
    return TeamAnswer(
        policies=policies,
        **iteration.figures(),
        num_iterations=num_iterations,
        distance=fear.distance,
        radius=fear.radius,
        weight=fear.weight,
        mixer=mixer,
        about=f"the team of {team.num_episodes} logged episodes",
    )
