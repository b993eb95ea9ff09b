"""Best responses to given mixtures, trained in the true game and kept on disk if asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from coffee_fast import _files
from coffee_fast._provenance import describe_part, figures_from_json, is_duration, plain, versions
from coffee_fast.errors import CheckpointError
from coffee_fast.policies import NetworkPolicy
from coffee_fast.policy_files import policy_arrays, policy_fingerprint, policy_from_arrays
from coffee_fast.responses import DDQN, Response, ResponseObjective
from coffee_fast.seeding import derive_seed
from coffee_fast.simulation import reward_scale
from coffee_fast.typing import ProgressCallback

if TYPE_CHECKING:
    from coffee_fast.games import Game
    from coffee_fast.policies import Mixture
    from coffee_fast.responses import ResponseOracle


def train_best_responses(
    game: Game,
    mixtures: Sequence[Mixture],
    seed: int,
    *,
    response: ResponseOracle | None = None,
    num_threads: int = 1,
    cache_dir: str | Path | None = None,
    progress: ProgressCallback | None = None,
) -> list[Response]:
    """Train one best response to each mixture in the game, for nothing but the game's own payoffs.

    With ``cache_dir`` each is written there as soon as it is trained, under a name made of all that determines it
    (game, oracle, mixture, seed, versions), and read from there the next time.
    """
    if response is None:
        response = DDQN()
    scale = reward_scale(game, derive_seed(seed, "reward_scale"), num_threads)
    found = []
    for index, mixture in enumerate(mixtures):
        response_seed = derive_seed(seed, "best_response", index)
        file = (
            None
            if cache_dir is None
            else Path(cache_dir) / f"{_key(game, response, mixture, response_seed)}.safetensors"
        )
        best = _load(file) if file is not None and file.exists() else None
        if best is None:
            best = response.respond(
                game, mixture, ResponseObjective(0.0, 0.0), seed=response_seed, reward_scale=scale, progress=progress
            )
            figures = {name: value for name, value in best.report.items() if not is_duration(name)}
            best = Response(best.policy, figures)
            if file is not None:
                _save(file, best)
        found.append(best)
        if progress:
            progress("best responses", index + 1, len(mixtures), {})
    return found


def _key(game: Game, response: ResponseOracle, mixture: Mixture, seed: int) -> str:
    parts = {
        "game": game.spec.to_json(),
        "response": describe_part(response),
        "policies": [policy_fingerprint(policy) for policy in mixture.policies],
        "probabilities": [float(p) for p in mixture.probabilities],
        "seed": seed,
        "versions": versions(),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _save(file: Path, best: Response) -> None:
    description, arrays = policy_arrays(best.policy)
    file.parent.mkdir(parents=True, exist_ok=True)
    _files.write_tensors(file, arrays)
    about = {"policy": description, "report": plain(best.report), "sha256": _files.sha256_of(file)}
    _files.write_json(file.with_suffix(".json"), about)


def _load(file: Path) -> Response | None:
    """Read a kept response, or nothing if its writing was interrupted between its two files."""
    if not file.with_suffix(".json").exists():
        return None
    about = _files.read_json(file.with_suffix(".json"), CheckpointError)
    arrays = _files.read_tensors(file, CheckpointError)
    if about.get("sha256") != _files.sha256_of(file):
        raise CheckpointError(f"{file}: damaged, its sha256 is not the one in {file.with_suffix('.json').name}")
    policy = policy_from_arrays(about["policy"], arrays)
    if not isinstance(policy, NetworkPolicy):
        raise CheckpointError(f"{file}: expected a network, got {about['policy']!r:.80}")
    return Response(policy, figures_from_json(about["report"]))
