"""A run that solves its log as a table: no model, no search; the certificate is about the table."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast._provenance import plain
from coffee_fast._sealed import SealedFolder, write_sealed_json
from coffee_fast.data import TrajectoryDataset
from coffee_fast.errors import ConfigError
from coffee_fast.games import GameSpec
from coffee_fast.games.state_words import StateWords
from coffee_fast.pipeline.judge import EVALUATION
from coffee_fast.pipeline.stages import Workplace
from coffee_fast.pipeline.table_config import TableConfig
from coffee_fast.tabular import TabularGame
from coffee_fast.tabular.from_dataset import rows_of_dataset

NOT_JUDGED = "not in the true game, since the certificate of a table is about the table"
_SOLUTION = SealedFolder(
    "table_solution",
    "solution.json",
    "solution.safetensors",
    {
        **{"solver": dict, "figures": dict, "states": [[float]], "in_words?": [str]},
        **{"player_names": [str], "action_names": [str]},
    },
)
# What solvers say of what they found, each of them some of it.
_FIGURES = (
    "status",
    "num_iterations",
    "gap",
    "residual",
    "value",
    "nominal_value",
    "expected_return",
    "unseen_probability",
    "is_unique",
    "is_tractable",
    "was_perturbed",
    "about",
)


def tabulate(config: TableConfig, dataset: TrajectoryDataset) -> TabularGame:
    """Return the table of a log; ``DatasetError`` where it has none, as :meth:`TabularGame.from_dataset` says."""
    size, entries = dataset.spec.state_size, _entries(config, dataset.spec)
    if wrong := [entry for entry in entries if entry >= size]:
        raise ConfigError(f"table.state_entries must lie below the state's size {size}, got {wrong[0]}")
    keys = _keys(config, dataset)
    return TabularGame.from_dataset(dataset, state_key=keys, is_fully_observed=config.is_fully_observed)


def _keys(config: TableConfig, dataset: TrajectoryDataset) -> list[Hashable]:
    return [tuple(row) for row in dataset.state[:, _entries(config, dataset.spec)].tolist()]


def _entries(config: TableConfig, spec: GameSpec) -> list[int]:
    """The entries of the state that tell cells apart."""
    if config.state_entries is not None:
        return list(config.state_entries)
    # Where a round begins, nothing was chosen in it yet.
    pending = spec.num_players * spec.action_vectors.shape[1] if spec.moves == "simultaneous" else 0
    return list(range(spec.state_size - pending))


def solve_table(at: Workplace, dataset: TrajectoryDataset) -> None:
    """Leave the solution in the run's folder, and what is known of it in ``evaluation.json``."""
    file = at.folder / EVALUATION
    if file.exists():
        return
    if not (at.folder / "solution").exists():
        with at.clocked("table"):
            game = tabulate(at.config.table, dataset)
        with at.clocked("solver"):
            rows = partial(rows_of_dataset, dataset, _keys(at.config.table, dataset))
            found = at.config.table.solver.solve_log(game, rows, at.seed("table"))
        _save(at, dataset, game, found)
    fields, _ = load_table_solution(at.folder)
    gaps = fields["figures"]["gap"]
    about = {"algorithm": "table", "cloning_weight": None, "meta_solver": fields["solver"]}
    entry = {**about, **fields["figures"], "max_gap": max(gaps), "sum_gap": sum(gaps)}
    file.parent.mkdir(exist_ok=True)
    evaluation = {"status": NOT_JUDGED, "regret": [], "fidelity": [], "solutions": [entry]}
    write_sealed_json(file, "evaluation", evaluation)
    if at.progress:
        at.progress("table", 1, 1, {"max_gap": max(gaps)})


def load_table_solution(run_dir: Path) -> tuple[dict[str, Any], Mapping[str, NDArray[Any]]]:
    """Return what was found, and arrays: ``policies_0``, ... and ``legal_0``, ... ``[H, S, A_i]``, ``visits [H, S]``.

    Of correlated play also ``joint [H, S, A1, ..., An]``.
    """
    return _SOLUTION.load(run_dir / "solution")


def _save(at: Workplace, dataset: TrajectoryDataset, game: TabularGame, found: Any) -> None:
    assert game.counts is not None
    assert game.legal is not None
    figures = {name: getattr(found, name) for name in _FIGURES if hasattr(found, name)}
    visits = game.counts.sum(axis=tuple(range(2, game.counts.ndim)))
    sizes = {
        "horizon": game.horizon,
        "num_states": game.num_states,
        "num_actions": list(game.num_actions),
        "num_steps": int(visits.sum()),
        "num_unseen": game.num_unseen,
    }
    arrays = {f"policies_{player}": np.ascontiguousarray(p) for player, p in enumerate(found.policies)}
    arrays |= {f"legal_{player}": mask.astype(np.uint8) for player, mask in enumerate(game.legal)}
    if hasattr(found, "joint"):
        arrays["joint"] = np.ascontiguousarray(found.joint)
    spec, entries = dataset.spec, _entries(at.config.table, dataset.spec)
    states = [list(key) for key in game.state_keys or ()]  # type: ignore[call-overload]
    words = StateWords(spec)
    fields = {
        "solver": at.config.table.to_json()["solver"],
        "figures": plain({**figures, **sizes}),
        "states": states,
        "in_words": [words.say(entries, state) for state in states] if words.is_known else [],
        "player_names": list(spec.player_names),
        "action_names": list(spec.action_names),
    }
    _SOLUTION.save(at.folder / "solution", fields, {**arrays, "visits": visits})
