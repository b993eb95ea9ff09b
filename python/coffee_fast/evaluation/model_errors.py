"""How far the model's payoffs are from the true ones, and whether its members' disagreement shows it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from coffee_fast._provenance import plain
from coffee_fast.empirical import EmpiricalGame, PayoffTable, simulate_missing
from coffee_fast.empirical.profiles import rotations
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.psro.result import PSROResult
from coffee_fast.seeding import derive_seed
from coffee_fast.simulation import check_dynamics, simulate
from coffee_fast.statistics import Correlation, correlation_over_profiles
from coffee_fast.typing import Float64, Int32, ProgressCallback

if TYPE_CHECKING:
    from coffee_fast.dynamics import Dynamics
    from coffee_fast.models import DynamicsEnsemble

AVERAGED = ("utility_error", "disagreement", "reward_utility_error", "reward_error", "reward_disagreement")


@dataclass(frozen=True, eq=False)
class FidelityReport:
    """Model payoffs against true payoffs, a figure for each profile of strategies, in payoff units.

    There are two ways to ask. The first compares the empirical game that was estimated inside the model with the same
    game estimated by true play: it counts errors of the dynamics as well as of the rewards. The second, whose figures
    begin with ``reward_``, plays in the true game alone and asks the reward networks about the last state and action of
    each episode, or about all of them where every step may pay.

    Attributes
    ----------
    profiles
        A strategy of its role for each player, ascending within a role: i32 ``[P, N]``.
    utility_error
        Mean over the players of the absolute difference of their payoffs in model and game: f64 ``[P]``.
    disagreement
        Mean over simulations in the model of the members' disagreement, summed over an episode: f64 ``[P]``.
    correlation, correlation_low, correlation_high
        Pearson's between the two, with a 95 % interval; NaN where one of them does not vary.
    reward_utility_error
        Mean over the players of the absolute difference of mean true and mean predicted payoff: f64 ``[P]``. This and
        the figures below are None if no model was at hand.
    reward_error
        Mean over episodes of the absolute error of the payoffs, summed over players: f64 ``[P]``.
    reward_disagreement
        Mean over episodes of the members' disagreement about their ends: f64 ``[P]``.
    reward_correlation, reward_correlation_low, reward_correlation_high
        Between ``reward_error`` and ``reward_disagreement``, over profiles.
    """

    profiles: Int32
    utility_error: Float64
    disagreement: Float64
    correlation: float
    correlation_low: float = math.nan
    correlation_high: float = math.nan
    reward_utility_error: Float64 | None = None
    reward_error: Float64 | None = None
    reward_disagreement: Float64 | None = None
    reward_correlation: float = math.nan
    reward_correlation_low: float = math.nan
    reward_correlation_high: float = math.nan

    @property
    def mean_utility_error(self) -> float:
        """``utility_error`` averaged over profiles."""
        return float(self.utility_error.mean())

    @property
    def mean_disagreement(self) -> float:
        """``disagreement`` averaged over profiles."""
        return float(self.disagreement.mean())

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain JSON values, with the means over profiles as ``mean_*``."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        means = {f"mean_{name}": values[name].mean() for name in AVERAGED if values[name] is not None}
        return {name: plain(value) for name, value in {**values, **means}.items()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> FidelityReport:
        """Rebuild a report from :meth:`to_json`; figures that an older file lacks keep their defaults."""
        found: dict[str, Any] = {"profiles": np.asarray(values["profiles"], dtype=np.int32)}
        for field in fields(cls):
            value = values.get(field.name)
            if field.name in AVERAGED and value is not None:
                found[field.name] = np.asarray(value, dtype=np.float64)
            elif "correlation" in field.name:
                found[field.name] = math.nan if value is None else float(value)
        return cls(**found)


def fidelity(
    game: Dynamics,
    result: PSROResult,
    seed: int,
    *,
    model: DynamicsEnsemble | None = None,
    num_simulations: int = 1000,
    num_threads: int = 1,
    progress: ProgressCallback | None = None,
) -> FidelityReport:
    """Simulate a run's strategies in the true game and compare with what the model said of them.

    Parameters
    ----------
    game
        The true game.
    result
        A run: its strategies and empirical game.
    seed
        In ``[0, 2**63)``.
    model
        The model that the run was in, for the figures of the second definition.
    num_simulations
        Episodes a profile in the true game, for each definition; players of a role are seated in turn.
    num_threads
        Threads for simulation, 0 for all cores; the report does not depend on it.
    progress
        Called after the first definition, and after each profile of the second.

    Notes
    -----
    Cost: as many episodes for each profile, of which there are as many as in the run's empirical game.

    References
    ----------
    Nguyen and Wellman 2026, Section 5.4 and Figure 2: utility error and mean uncertainty. The second definition is that
    of the authors' public code.
    """
    if not isinstance(result, PSROResult):
        raise InvalidArgumentError(f"fidelity: result must be a PSROResult, got {shown(result)}")
    check_dynamics("fidelity", "game", game)
    if game.spec.roles != result.roles:
        raise InvalidArgumentError(
            f"fidelity: game must have the roles of the run, {list(result.roles)} seats, got {list(game.spec.roles)}"
        )
    if model is not None:
        check_dynamics("fidelity", "model", model)
        if not hasattr(model.core, "rewards"):
            raise InvalidArgumentError(
                f"fidelity: model must be a DynamicsEnsemble, whose reward networks are asked, got {shown(model)}; "
                "leave it out for a tree or a game, which have none"
            )
    roles, profiles = result.roles, result.empirical_game.profiles
    true_game = simulate_missing(
        EmpiricalGame(1, roles),
        game,
        result.strategies,
        num_simulations,
        seed=derive_seed(seed, "payoffs"),
        num_threads=num_threads,
    )
    utility_error = _utility_error(true_game.table(), result.table, profiles)
    disagreement = np.concatenate([record.disagreement for record in result.records])
    found = correlation_over_profiles(utility_error, disagreement, profiles, derive_seed(seed, "correlation"), roles)
    if progress:
        progress("fidelity", 0 if model else 1, len(profiles) if model else 1, {})
    second = {} if model is None else _reward_figures(game, model, result, seed, num_simulations, num_threads, progress)
    return FidelityReport(profiles.copy(), utility_error, disagreement, found.value, found.low, found.high, **second)


def _utility_error(true: PayoffTable, model: PayoffTable, profiles: Int32) -> Float64:
    """How far the players' payoffs are apart in each profile, on average: f64 ``[P]``."""
    errors = [
        np.abs(true.payoffs(player).mean(axis=0) - model.payoffs(player).mean(axis=0))[tuple(profiles.T)]
        for player in range(true.num_players)
    ]
    return np.asarray(np.mean(errors, axis=0), dtype=np.float64)


def _payoffs(model: DynamicsEnsemble, log: Mapping[str, Any]) -> tuple[Float64, Float64, Float64]:
    """Returns of true episodes ``[B, N]``, what reward networks say of them, and the disagreement summed ``[B]``.

    They are asked about the last step of an episode, or about every step where every step may pay.
    """
    offsets = log["trajectory_offsets"]
    rows = np.arange(offsets[-1]) if model.spec.rewards == "every_step" else offsets[1:] - 1
    players = log["acting_player"][rows].astype(np.int32)
    by_member, disagreement = model.core.rewards(log["state"][rows], log["action"][rows], players)
    parts = log["reward"][rows].astype(np.float64), by_member.mean(axis=2), disagreement
    first = np.searchsorted(rows, offsets[:-1])
    true, predicted, disagreed = (np.add.reduceat(part, first, axis=0) for part in parts)
    return true, predicted, disagreed


def _reward_figures(
    game: Dynamics,
    model: DynamicsEnsemble,
    result: PSROResult,
    seed: int,
    num_simulations: int,
    num_threads: int,
    progress: ProgressCallback | None,
) -> dict[str, Any]:
    profiles, role_of = result.empirical_game.profiles, game.spec.role_of
    figures = np.zeros((3, len(profiles)))
    for place, profile in enumerate(profiles.tolist()):
        seatings = rotations(profile, result.roles)
        for seated in seatings:
            played = simulate(
                game,
                [result.strategies[role][strategy] for role, strategy in zip(role_of, seated, strict=True)],
                num_episodes=-(-num_simulations // len(seatings)),
                seed=derive_seed(seed, "true_play", *seated),
                num_threads=num_threads,
                record=True,
            )
            assert played.trajectories is not None
            figures[:, place] += _reward_errors(model, played.trajectories)
        figures[:, place] /= len(seatings)
        if progress:
            progress("fidelity", place + 1, len(profiles), {})
    utility_error, reward_error, disagreement = figures
    found: Correlation = correlation_over_profiles(
        reward_error, disagreement, profiles, derive_seed(seed, "reward_correlation"), result.roles
    )
    return {
        "reward_utility_error": utility_error,
        "reward_error": reward_error,
        "reward_disagreement": disagreement,
        "reward_correlation": found.value,
        "reward_correlation_low": found.low,
        "reward_correlation_high": found.high,
    }


def _reward_errors(model: DynamicsEnsemble, log: Mapping[str, Any]) -> tuple[float, float, float]:
    """The three figures of one seating, of the true episodes in ``log``."""
    true, predicted, disagreement = _payoffs(model, log)
    return (
        float(np.abs(true.mean(axis=0) - predicted.mean(axis=0)).mean()),
        float(np.abs(true - predicted).sum(axis=1).mean()),
        float(disagreement.mean()),
    )
