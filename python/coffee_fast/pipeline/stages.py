"""The stages of a run; each leaves its result in the run's folder and is skipped when it lies there already."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coffee_fast._provenance import plain
from coffee_fast._sealed import SealedFolder, read_sealed_json, write_sealed_json
from coffee_fast.data import TrajectoryDataset, generate_dataset
from coffee_fast.games import load_game
from coffee_fast.models import DynamicsEnsemble, clone_behavior
from coffee_fast.pipeline.config import RunConfig
from coffee_fast.pipeline.dataset_config import EQUILIBRIUM_MIXTURE
from coffee_fast.policies import Policy
from coffee_fast.policy_files import policy_arrays, policy_from_arrays
from coffee_fast.psro import PSROResult, Solution, coffee_psro, equilibrium_profiles, oef, oef_bc, online_psro
from coffee_fast.seeding import derive_seed
from coffee_fast.typing import ProgressCallback, Resume

if TYPE_CHECKING:
    from coffee_fast.dynamics import Dynamics

_CLONED_POLICY = SealedFolder("policy", "policy.json", "policy.safetensors", {"policy": dict})


@dataclass(frozen=True)
class Workplace:
    """Where a run works, and what it is told."""

    folder: Path
    config: RunConfig
    cache_dir: Path
    num_threads: int
    progress: ProgressCallback | None
    resume: Resume = True
    """Whether a search in the folder is gone on with that was begun on an unlike machine."""

    def seed(self, stage: str) -> int:
        """Return the seed of a stage."""
        return derive_seed(self.config.seed, stage)

    @contextmanager
    def clocked(self, stage: str) -> Iterator[None]:
        """Add the time of the block to the stage's in ``seconds.json``, however the block ends."""
        start = time.perf_counter()
        try:
            yield
        finally:
            seconds = seconds_by_stage(self.folder)
            seconds[stage] = seconds.get(stage, 0.0) + time.perf_counter() - start
            write_sealed_json(self.folder / "seconds.json", "seconds", seconds)


@dataclass(frozen=True)
class Variant:
    """One result of a run's search: its only one, or of OEF-BC that of one weight; of self-play a solution."""

    cloning_weight: float | None
    result: PSROResult | None = None
    solution: Solution | None = None


def seconds_by_stage(folder: Path) -> dict[str, float]:
    """Return the wall-clock seconds of each stage so far."""
    file = folder / "seconds.json"
    return read_sealed_json(file, "seconds", {...: float}) if file.exists() else {}


def true_game(config: RunConfig) -> Any:
    """Return the game that the configuration names."""
    return load_game(config.dataset.game, **config.dataset.game_parameters)


def log_play(at: Workplace, own: TrajectoryDataset | None) -> TrajectoryDataset:
    """Return the dataset to learn from, generated if there is none of one's own, and write its card."""
    with at.clocked("dataset"):
        if own is None and not (at.folder / "dataset").exists():
            _generate(at).save(at.folder / "dataset")
        dataset = TrajectoryDataset.load(at.folder / "dataset") if own is None else own
        card = dataset.describe()
        figures = {"text": str(card), "figures": plain(card.to_json())}
        write_sealed_json(at.folder / "dataset.json", "dataset_card", figures)
    if at.progress:
        at.progress("dataset", dataset.num_trajectories, dataset.num_trajectories, {})
    return dataset


def _generate(at: Workplace) -> TrajectoryDataset:
    wanted, game = at.config.dataset, true_game(at.config)
    behavior: Any = wanted.behavior
    description = ""
    if wanted.behavior == EQUILIBRIUM_MIXTURE:
        behavior = _profiles(at, game)
        description = wanted.equilibrium.describe(wanted.equilibrium_seed)
    return generate_dataset(
        game,
        behavior=behavior,
        num_trajectories=wanted.num_trajectories,
        seed=at.seed("dataset"),
        mirrored=wanted.is_mirrored and bool(game.spec.state_swap),
        description=description,
        num_threads=at.num_threads,
    )


def _profiles(at: Workplace, game: Dynamics) -> list[Any]:
    wanted = at.config.dataset
    return list(
        equilibrium_profiles(
            game,
            wanted.equilibrium,
            wanted.equilibrium_seed,
            at.cache_dir,
            num_threads=at.num_threads,
            progress=at.progress,
        )
    )


def fit_model(at: Workplace, dataset: TrajectoryDataset) -> DynamicsEnsemble:
    """Return the model of the game that the dataset shows."""
    with at.clocked("model"):
        if not (at.folder / "model").exists():
            DynamicsEnsemble.fit(
                dataset, at.config.model, at.seed("model"), num_threads=at.num_threads, progress=at.progress
            ).save(at.folder / "model")
        return DynamicsEnsemble.load(at.folder / "model")


def search_in_game(at: Workplace) -> list[Variant]:
    """Find strategies in the true game."""
    with at.clocked("psro"):
        result = online_psro(
            true_game(at.config),
            at.config.psro,
            at.seed("psro"),
            at.folder / "psro",
            at.resume,
            at.num_threads,
            at.progress,
        )
    return [Variant(None, result)]


def search_in_model(at: Workplace, dataset: TrajectoryDataset, model: DynamicsEnsemble) -> list[Variant]:
    """Find strategies in the model; the first variant is the one that the report is about."""
    config = at.config
    find = coffee_psro if config.algorithm == "coffee_psro" else oef
    with at.clocked("psro"):
        result = find(model, config.psro, at.seed("psro"), at.folder / "psro", at.resume, at.num_threads, at.progress)
    if config.algorithm != "oef_bc":
        return [Variant(None, result)]
    with at.clocked("behavior cloning"):
        cloned = cloned_policies(at, dataset)
        return [Variant(weight, _mixed(at, result, model, cloned, weight)) for weight in config.cloning_weights]


def _mixed(
    at: Workplace, result: PSROResult, model: DynamicsEnsemble, cloned: list[Policy], weight: float
) -> PSROResult:
    if weight == 0.0:
        return result
    folder = at.folder / variant_folder(weight)
    folder.parent.mkdir(exist_ok=True)
    return oef_bc(result, model, cloned, weight, folder, at.resume, at.num_threads, at.progress)


def variant_folder(weight: float | None) -> str:
    """Return where in a run's folder the checkpoints of a variant lie."""
    return f"mixed/{weight}" if weight else "psro"


def cloned_policies(at: Workplace, dataset: TrajectoryDataset) -> list[Policy]:
    """Return one policy a role, cloned from what its players did."""
    spec = dataset.spec
    if spec.num_roles == 1:
        return [_cloned_policy(at, dataset, "cloned_policy", None, "behavior_cloning")]
    (at.folder / "cloned_policy").mkdir(exist_ok=True)
    return [
        _cloned_policy(at, dataset, f"cloned_policy/role-{role}", spec.seats_of(role), f"behavior_cloning/{role}")
        for role in range(spec.num_roles)
    ]


def _cloned_policy(
    at: Workplace, dataset: TrajectoryDataset, place: str, seats: Iterable[int] | None, stage: str
) -> Policy:
    folder = at.folder / place
    if not folder.exists():
        config = at.config.behavior_cloning
        cloned = clone_behavior(dataset, config, at.seed(stage), seats=seats, progress=at.progress)
        description, arrays = policy_arrays(cloned)
        _CLONED_POLICY.save(folder, {"policy": description}, arrays)
    about, arrays = _CLONED_POLICY.load(folder)
    return policy_from_arrays(about["policy"], arrays)


def evaluated_iterations(result: PSROResult, num_last_iterations: int) -> Sequence[int]:
    """Return the iterations whose solutions are judged, but for the start."""
    return range(max(1, result.num_iterations + 1 - num_last_iterations), result.num_iterations + 1)
