"""Anchored self-play: the deep form of GANE and GAMD."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from coffee_fast.policies import Mixture, NetworkPolicy
from coffee_fast.psro.execution import Execution
from coffee_fast.psro.solution import Solution
from coffee_fast.self_play.config import SelfPlayConfig
from coffee_fast.self_play.judging import Judgement, check_judgeable, judge
from coffee_fast.self_play.snapshots import SelfPlaySnapshots, find_snapshots
from coffee_fast.simulation import check_dynamics
from coffee_fast.typing import Float64, ProgressCallback, Resume

if TYPE_CHECKING:
    from coffee_fast.dynamics import Dynamics


def anchored_self_play(
    model: Dynamics,
    config: SelfPlayConfig,
    seed: int,
    run_dir: str | Path | None = None,
    resume: Resume = False,
    num_threads: int = 1,
    progress: ProgressCallback | None = None,
    reference: NetworkPolicy | Sequence[NetworkPolicy] | None = None,
) -> Solution:
    r"""Find one policy a role of low regret by letting all players learn at once, each near a reference policy.

    In each update the players play episodes by their present policies and move them, by policy gradients, toward more
    of the payoff, less of the members' disagreement and less divergence from the reference, whose weight falls over
    the updates. The averaged policies of several late updates are kept. A response is trained against each of them
    inside the model, and the policies of the least pessimistic regret there are the solution: no true game is
    asked.

    Parameters
    ----------
    model
        The dynamics ensemble, a tree of the log (:meth:`coffee_fast.GameTree.from_dataset`), or a true game, for play
        that is learned online.
    config
        Sizes and parts.
    seed
        In ``[0, 2**63)``; each part's seed is derived from it.
    run_dir
        A folder that receives a checkpoint every 30 s and at every snapshot; none by default.
    resume
        Continue the run in ``run_dir`` if there is one. The result has the same bits as an uninterrupted run, so one
        that was begun on an unlike machine or build is refused, unless ``"anyway"`` is given.
    num_threads
        Threads, 0 for all cores; the result does not depend on it.
    progress
        Called with ``("self-play", updates done, num_updates, figures)`` after every update, and by the judge.
    reference
        Where ``config.reference`` is ``"cloned"``: a softmax policy, or of several roles one each, such as
        :func:`coffee_fast.clone_roles` gives.

    Returns
    -------
    Solution
        One policy a role. ``model_regret`` and ``pessimistic_regret`` are those of the judge, in a tree exact and
        against all policies there are; ``history`` holds the figures of :class:`SelfPlaySnapshots`, and of each
        snapshot ``snapshot_update``, ``snapshot_kl_weight``, ``snapshot_model_regret`` ``[num_snapshots, N]``,
        ``snapshot_pessimistic_regret`` likewise, and ``snapshot_chosen``, 1 for the one that was. The status is
        ``"complete"``: that play converged to an equilibrium is not claimed.

    Raises
    ------
    InvalidArgumentError
        For something that cannot be played, or a reference that is missing, not wanted or does not fit.
    CheckpointError
        If ``run_dir`` holds another run, a damaged one, one of an unlike machine, or any run while ``resume`` is false.
    NumericalError
        If values leave the finite numbers; a smaller learning rate may help.
    InvalidGameError
        For more than 24 players, whose responses are too many to tabulate.

    Notes
    -----
    Cost: ``num_updates`` times ``num_episodes`` episodes and ``num_epochs`` passes over their decisions, some 0.5 s an
    update of bargaining at the defaults; then a response a role and snapshot.

    References
    ----------
    Sokota et al. 2023; Rudolph et al. 2026. Pessimistic regret is that of Nguyen and Wellman 2026, Section 4.

    >>> import coffee_fast as cf
    >>> sizes = {"hidden_sizes": (8,), "num_updates": 4, "num_episodes": 20, "num_snapshots": 1, "num_simulations": 20}
    >>> judge = cf.DDQN(hidden_sizes=(8,), num_steps=200, replay_capacity=200, min_replay=100)
    >>> config = cf.SelfPlayConfig(**sizes, judge=judge)
    >>> solution = cf.anchored_self_play(cf.load_game("generalized_bargaining"), config, seed=0)
    >>> solution.policies, solution.status
    ((NetworkPolicy(41-8-109, softmax, temperature 1),), 'complete')
    """
    check_dynamics("anchored_self_play", "model", model)
    check_judgeable("anchored_self_play", model.spec)
    execution = Execution.of("anchored_self_play", run_dir, resume, num_threads, progress)
    found = find_snapshots("anchored_self_play", model, config, seed, execution, reference)
    judgement = judge(found.snapshots, model, config, seed, execution)
    policies = found.snapshots[judgement.chosen]
    return Solution(
        by_role=tuple(Mixture((policy,), np.ones(1)) for policy in policies),
        roles=model.spec.roles,
        model_regret=judgement.model_regret[judgement.chosen],
        pessimistic_regret=judgement.pessimistic_regret[judgement.chosen],
        table=judgement.table,
        solver={"kind": "self_play", **config.to_json()},
        status="complete",
        num_solver_iterations=config.num_updates,
        spec=model.spec,
        history={**found.history, **_of_snapshots(found, judgement)},
    )


def _of_snapshots(found: SelfPlaySnapshots, judgement: Judgement) -> Mapping[str, Float64]:
    return {
        "snapshot_update": np.array(found.updates, dtype=np.float64),
        "snapshot_kl_weight": found.kl_weights,
        "snapshot_model_regret": judgement.model_regret,
        "snapshot_pessimistic_regret": judgement.pessimistic_regret,
        "snapshot_chosen": np.eye(len(found.updates))[judgement.chosen],
    }
