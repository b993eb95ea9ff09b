"""Batches of episodes, in a true game or inside a learned model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from coffee_fast import _core
from coffee_fast.checks import check_count, check_flag
from coffee_fast.dynamics import Dynamics
from coffee_fast.errors import InvalidArgumentError, InvalidGameError, shown
from coffee_fast.games import GameSpec
from coffee_fast.games.true_game import REWARD_SCALE_EPISODES
from coffee_fast.policies import as_players
from coffee_fast.seeding import check_seed
from coffee_fast.typing import Float64, Int32

LARGEST_INT = 2**31 - 1  # of the counts of threads and the like that kernels take


@dataclass(frozen=True, eq=False)
class SimulationResult:
    """Episodes ``0 .. B - 1`` of a simulation.

    Attributes
    ----------
    returns
        ``float64 [B, N]``: each player's undiscounted sum of rewards; in a model the mean over its members.
    member_returns
        ``float64 [B, N, E]``: the same by each member's rewards; ``E`` is 1 in a true game.
    lengths
        ``int32 [B]``: actions taken, moves of chance among them.
    disagreement
        ``float64 [B]``: what the members disagree about, summed over the episode; 0 in a true game.
    strategies
        ``int32 [B, N]``: which policy of its mixture each player drew.
    trajectories
        Where recorded, the arrays of a :class:`coffee_fast.TrajectoryDataset`, by name.
    """

    returns: Float64
    member_returns: Float64
    lengths: Int32
    disagreement: Float64
    strategies: Int32
    trajectories: dict[str, NDArray[Any]] | None = None


def simulate(
    dynamics: Dynamics,
    policies: Sequence[Any],
    *,
    num_episodes: int,
    seed: int,
    num_threads: int = 1,
    record: bool = False,
) -> SimulationResult:
    """Play ``num_episodes`` episodes, player ``i`` by ``policies[i]``.

    Parameters
    ----------
    dynamics
        A true game of any number of players, a :class:`coffee_fast.DynamicsEnsemble`, or a simulator of your own
        (:func:`coffee_fast.games.from_simulator`).
    policies
        One a player: a known name (``"uniform_random"``), a policy, a mixture, or a solution.
    num_threads
        0 for all cores. Results are the same bits for any number.
    record
        Also keep every step of every episode.

    Raises
    ------
    InvalidArgumentError
        For a wrong number of policies, one that does not fit the game, or impossible counts.

    >>> import coffee_fast as cf
    >>> game = cf.load_game("generalized_bargaining")
    >>> result = cf.simulate(game, ["uniform_random", "uniform_random"], num_episodes=100, seed=0)
    >>> result.returns.shape, int(result.lengths.max())
    ((100, 2), 11)
    """
    check_dynamics("simulate", "dynamics", dynamics)
    num_episodes = check_count("simulate: num_episodes", num_episodes, at_least=1, at_most=LARGEST_INT)
    num_threads = check_count("simulate: num_threads", num_threads, at_most=LARGEST_INT)
    record = check_flag("simulate: record", record)
    core = dynamics.core
    players = [mixture.core for mixture in as_players(policies, core.num_players)]
    out = _core.rollout(core, players, num_episodes, check_seed(seed), num_threads=num_threads, record=record)
    return SimulationResult(
        returns=out["returns"].mean(axis=2),
        member_returns=out["returns"],
        lengths=out["lengths"],
        disagreement=out["disagreement"],
        strategies=out["strategies"],
        trajectories=out.get("trajectories"),
    )


def check_dynamics(caller: str, name: str, value: Any) -> None:
    """Raise ``InvalidArgumentError`` unless ``value`` can be played: it has a ``core`` for kernels and a ``spec``."""
    try:
        is_playable = _core.can_play(value.core) and isinstance(value.spec, GameSpec)
    except Exception:  # an attribute that is missing, or whatever else a stranger's object does
        is_playable = False
    if not is_playable:
        raise InvalidArgumentError(f"{caller}: {name} must be a game or a DynamicsEnsemble, got {shown(value)}")


def check_two_alike(caller: str, spec: Any) -> None:
    """Raise ``InvalidGameError`` unless the game is one of two players that are alike, so that they share strategies.

    >>> import coffee_fast as cf
    >>> check_two_alike("coffee_psro", cf.load_game("generalized_bargaining").spec)
    """
    if not (spec.is_symmetric and spec.num_players == 2):
        kind = "symmetric" if spec.is_symmetric else "not symmetric"
        raise InvalidGameError(
            f"{caller}: needs a symmetric two-player game, got {shown(spec.name)}, {kind}, "
            f"players: {spec.num_players}; other games are not searched yet. If all players see the same, solve the "
            "log as a table: "
            "coffee_fast.TabularGame with the solvers of coffee_fast.regularized; payoffs of your own: "
            "coffee_fast.PayoffTable with those of coffee_fast.meta_solvers"
        )


def reward_scale(game: Dynamics, seed: int, num_threads: int = 1) -> float:
    """Return the standard deviation of payoffs under uniform random play, by which an oracle divides rewards.

    It is the true game's counterpart of the model's terminal-reward deviation; 1 where all payoffs are equal.
    """
    players = ["uniform_random"] * game.spec.num_players
    played = simulate(game, players, num_episodes=REWARD_SCALE_EPISODES, seed=seed, num_threads=num_threads)
    return float(played.returns.std()) or 1.0
