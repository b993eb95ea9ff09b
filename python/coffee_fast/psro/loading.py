"""The result in a run folder, without the model it was made with."""

from __future__ import annotations

from pathlib import Path

from coffee_fast.errors import CheckpointError, CoffeeError
from coffee_fast.games import GameSpec
from coffee_fast.psro.checkpoint import RunFolder
from coffee_fast.psro.config import PSROConfig
from coffee_fast.psro.result import PSROResult


def load_result(run_dir: str | Path) -> PSROResult:
    """Read the result in a run folder, complete or not, without the model it was made with.

    Raises
    ------
    CheckpointError
        If the folder holds no run, no complete iteration, or a damaged file; the message names it.
    """
    folder = RunFolder.read(run_dir)
    state = folder.load()
    if state is None:
        raise CheckpointError(f"{folder.path}: the run has no complete iteration yet")
    manifest = folder.manifest
    try:
        config: PSROConfig | None = PSROConfig.from_json(manifest["config"])
    except CoffeeError:  # an oracle or solver of one's own: known to whoever made the run, not to this package
        config = None
    try:
        spec = GameSpec.from_json(manifest["game"]) if manifest.get("game") else None
    except CoffeeError as error:
        raise CheckpointError(f"{folder.path / 'run.json'}: {error}") from None
    is_complete = len(state.records) == manifest["config"].get("num_iterations", -1) + 1
    return PSROResult(
        strategies=state.strategies,
        empirical_game=state.empirical_game,
        records=state.records,
        config=config,
        seed=manifest["seed"],
        model_fingerprint=manifest["model_fingerprint"],
        versions=manifest["versions"],
        status="complete" if is_complete else "incomplete",
        spec=spec,
    )
