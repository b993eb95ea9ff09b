"""Robust Q-iteration on a log and on play: what the log does not show is looked up in a simulator or a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from coffee_fast.checks import check_number, check_progress
from coffee_fast.data import TrajectoryDataset
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.policies import as_profile
from coffee_fast.regularized.robust.decisions import decisions_of, seats_of
from coffee_fast.regularized.robust.fitting import Fear, Fitting
from coffee_fast.regularized.robust.network_rpq import NetworkAnswer
from coffee_fast.regularized.robust.played_rounds import Playground, Rounds
from coffee_fast.simulation import check_dynamics
from coffee_fast.typing import ProgressCallback

if TYPE_CHECKING:
    from coffee_fast.dynamics import Dynamics


def hytq(
    log: TrajectoryDataset,
    dynamics: Dynamics,
    player: int | str | Sequence[int | str] = 0,
    *,
    against: Any = "uniform_random",
    weight: float | None = None,
    num_rounds: int = 3,
    num_episodes: int = 500,
    exploration: float = 0.2,
    discount: float = 0.99,
    hidden_sizes: Sequence[int] = (64, 64),
    num_iterations: int = 50,
    num_steps: int = 200,
    batch_size: int = 256,
    learning_rate: float = 3e-3,
    tolerance: float = 0.1,
    seed: int = 0,
    progress: ProgressCallback | None = None,
) -> NetworkAnswer:
    """Return a seat's policy by :func:`network_rpq` on a log and on episodes that are played meanwhile.

    It is fitted to the log, played, fitted to the log and that play, and so on: then it is known what follows where it
    goes, which the log may never show. What is feared is total variation, with the end of the episode as the worst.

    Parameters
    ----------
    log
        A dataset; each decision of it counts as much as one that is played.
    dynamics
        A game, a simulator or a model with the sizes of the log's game.
    player
        The seat, by number or name, or several that are alike and share the policy, an episode each in turn.
    against
        How the others play there, as :func:`coffee_fast.best_response` takes it; the answer is one to the others of the
        log and these alike, so clone the former for an answer to them alone.
    weight
        What a difference of transitions costs, in units of payoff; by default the range of what decisions earned.
    num_rounds, num_episodes, exploration
        Rounds of play, episodes of each, and how often an action in them is uniformly random.
    discount, hidden_sizes, num_iterations, num_steps, batch_size, learning_rate, tolerance, seed
        As in :func:`network_rpq`, for each round.
    progress
        Called with ``("hytq", rounds done, rounds, figures)``.

    Raises
    ------
    InvalidArgumentError
        For a game of other sizes than the log's, and impossible arguments.
    NumericalError
        If values grow without end.

    Notes
    -----
    Cost: that of :func:`network_rpq` once more than there are rounds, and the episodes. Source: hybrid robust total
    variation regularized Q-iteration (HyTQ).

    >>> import coffee_fast as cf
    >>> game = cf.load_game("generalized_bargaining")
    >>> few = {"num_rounds": 1, "num_episodes": 20, "num_iterations": 2, "num_steps": 20}
    >>> found = hytq(cf.generate_dataset(game, num_trajectories=20, seed=0), game, **few)
    >>> found.about
    'the others as in 40 logged episodes'
    """
    caller = "hytq"
    options = {"num_steps": num_steps, "batch_size": batch_size, "learning_rate": learning_rate, "seed": seed}
    options |= {"num_iterations": num_iterations, "discount": discount, "tolerance": tolerance}
    fitting = Fitting.of(caller, hidden_sizes, **options)
    rounds = Rounds.of(caller, num_rounds, num_episodes, exploration)
    check_progress(f"{caller}: progress", progress)
    check_dynamics(caller, "dynamics", dynamics)
    if weight is not None:
        weight = check_number(f"{caller}: weight", weight, is_open=True)
    fear = Fear("total_variation", None, weight, has_fail_state=True)
    if not isinstance(log, TrajectoryDataset):
        raise InvalidArgumentError(f"{caller}: log must be a TrajectoryDataset, got {shown(log)}")
    sizes = [(s.num_players, s.information_state_size, s.num_actions) for s in (log.spec, dynamics.spec)]
    if sizes[0] != sizes[1]:
        raise InvalidArgumentError(
            f"{caller}: dynamics must have the players, entries of information states and actions of the log's game, "
            f"{list(sizes[0])}, got {list(sizes[1])}"
        )
    seats = seats_of(caller, player, log.spec.num_players, log.spec)
    playground = Playground(dynamics, as_profile(against, log.spec.num_players), seats)
    return rounds.run(caller, playground, decisions_of(caller, log, seats), fear, fitting, progress, caller)
