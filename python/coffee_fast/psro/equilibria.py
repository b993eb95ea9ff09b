"""Equilibrium profiles of the true game, found by PSRO once and kept on disk for every dataset that logs their play."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coffee_fast import _files
from coffee_fast._provenance import describe_fields, describe_part, machine
from coffee_fast.checks import check_count
from coffee_fast.errors import ConfigError, InvalidArgumentError, shown
from coffee_fast.meta_solvers import MetaSolver, Replicator
from coffee_fast.psro.baselines import online_psro
from coffee_fast.psro.config import PSROConfig
from coffee_fast.psro.execution import Execution
from coffee_fast.psro.loop import check_arguments
from coffee_fast.psro.solution import Solution
from coffee_fast.responses import DDQN, ResponseOracle
from coffee_fast.seeding import check_seed, derive_seed
from coffee_fast.simulation import check_dynamics
from coffee_fast.typing import ProgressCallback

if TYPE_CHECKING:
    from coffee_fast.dynamics import Dynamics

WAIT_S = 0.5


@dataclass(frozen=True)
class EquilibriumConfig:
    """How equilibrium profiles are found: so many runs of PSRO in the true game, alike but for their seeds.

    Attributes
    ----------
    num_profiles
        Runs, each of which gives one profile.
    num_iterations, num_simulations, meta_solver, response
        Of each run, as in :class:`PSROConfig`; the solver also extracts the profile.
    """

    num_profiles: int = 5
    num_iterations: int = 20
    num_simulations: int = 1000
    meta_solver: MetaSolver = field(default_factory=lambda: Replicator(regret_threshold=1e-5))
    response: ResponseOracle = field(default_factory=DDQN)

    def __post_init__(self) -> None:
        count = check_count("EquilibriumConfig: num_profiles", self.num_profiles, at_least=1, error=ConfigError)
        object.__setattr__(self, "num_profiles", count)
        for name in ("num_iterations", "num_simulations"):
            object.__setattr__(self, name, getattr(self.psro, name))  # which checks all the rest

    @property
    def psro(self) -> PSROConfig:
        """The configuration of each run."""
        return PSROConfig(
            num_iterations=self.num_iterations,
            num_simulations=self.num_simulations,
            meta_solver=self.meta_solver,
            response=self.response,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the configuration as plain JSON values."""
        return describe_fields(self)

    def describe(self, seed: int) -> str:
        """Return in a line who plays."""
        solver, oracle = (describe_part(part).get("kind") for part in (self.meta_solver, self.response))
        return (
            f"equilibrium mixture: {self.num_profiles} profiles of online PSRO ({self.num_iterations} iterations, "
            f"{oracle}, {solver}, seed {seed}), one drawn each episode"
        )


def equilibrium_profiles(
    game: Dynamics,
    config: EquilibriumConfig | None = None,
    seed: int = 0,
    cache_dir: str | Path | None = None,
    *,
    num_threads: int = 1,
    progress: ProgressCallback | None = None,
) -> tuple[Solution, ...]:
    """Find approximate equilibria of the true game, each by a run of :func:`online_psro` of its own.

    As ``behavior`` of :func:`generate_dataset` they give the paper's equilibrium mixture: a profile is drawn for each
    episode, then each player draws its strategy from that profile.

    Parameters
    ----------
    game
        The true game.
    config
        How many runs, and of which size.
    seed
        In ``[0, 2**63)``; run ``i`` has the same seed however many there are.
    cache_dir
        Folder that keeps finished profiles and the checkpoints of unfinished ones, each under a name made of all that
        determines it: game, sizes, parts, seed. Any number of processes may share it: one works on a profile while the
        others take the next or wait. None keeps nothing.
    num_threads, progress
        As in :func:`online_psro`.

    Returns
    -------
    tuple of Solution
        One a run: the mixture after its last iteration.

    Raises
    ------
    CheckpointError
        If a kept file is damaged; the message names it.

    Notes
    -----
    Cost: with the defaults 100 responses of 2e5 steps, about a minute each. Source: Nguyen and Wellman 2026, Section
    5.2 and Appendix C, which leave the oracle's sizes open.
    """
    config = EquilibriumConfig() if config is None else config
    if not isinstance(config, EquilibriumConfig):
        raise InvalidArgumentError(f"equilibrium_profiles: config must be an EquilibriumConfig, got {shown(config)}")
    check_dynamics("equilibrium_profiles", "game", game)
    check_arguments("equilibrium_profiles", game.spec, config.psro)
    seed = check_seed(seed)
    execution = Execution.of("equilibrium_profiles", cache_dir, False, num_threads, progress, folder="cache_dir")
    folder, num_threads = execution.run_dir, execution.num_threads
    seeds = [derive_seed(seed, "equilibrium", index) for index in range(config.num_profiles)]
    if folder is None:
        runs = (online_psro(game, config.psro, run, None, False, num_threads, progress) for run in seeds)
        return tuple(run.solve() for run in runs)

    folders = [folder / _key(game, config, run) for run in seeds]
    told = -1
    while missing := [place for place in zip(folders, seeds, strict=True) if not _is_finished(place[0])]:
        done = len(folders) - len(missing)
        if progress and done != told:
            progress("equilibrium profiles", done, len(folders), {})
        is_anything_done, told = False, done
        for folder, run in missing:
            try:
                with _files.lock(folder / ".lock"):
                    _find(game, config.psro, run, folder, num_threads, progress)
                is_anything_done = True
            except _files.LockedError:  # another process is at it; perhaps nobody is at the next
                continue
        if not is_anything_done:
            time.sleep(WAIT_S)
    return tuple(Solution.load(folder / "solution") for folder in folders)


def _find(
    game: Dynamics, config: PSROConfig, seed: int, folder: Path, num_threads: int, progress: ProgressCallback | None
) -> None:
    if _is_finished(folder):
        return
    _files.sweep(folder)
    begun = folder / f"psro-{_digest(machine())[:8]}"  # what an unlike machine began is not gone on with here
    result = online_psro(game, config, seed, begun, True, num_threads, progress)
    result.solve().save(folder / "solution")


def _is_finished(folder: Path) -> bool:
    return (folder / "solution").exists()


def _key(game: Dynamics, config: EquilibriumConfig, seed: int) -> str:
    parts = {"game": game.spec.to_json(), "psro": dataclasses.replace(config, num_profiles=1).to_json(), "seed": seed}
    return _digest(parts)[:32]


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
