"""Best responses to given mixtures, trained in the true game and kept on disk if asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from coffee_fast import _files
from coffee_fast._provenance import describe_part, figures_from_json, is_duration, plain
from coffee_fast._sealed import read_sealed_json, write_sealed_json
from coffee_fast.errors import CheckpointError, shown
from coffee_fast.policies import NetworkPolicy
from coffee_fast.policy_files import policy_arrays, policy_from_arrays
from coffee_fast.psro.execution import Execution
from coffee_fast.responses import Response, ResponseObjective, ResponseRequest, respond_side_by_side
from coffee_fast.seeding import derive_seed
from coffee_fast.simulation import reward_scale

if TYPE_CHECKING:
    from coffee_fast.dynamics import Dynamics
    from coffee_fast.policies import Mixture, Policy
    from coffee_fast.responses import ResponseOracle

_FORM = {"policy": dict, "report": {...: (float, None)}, "sha256": str}
SECONDS_OF_A_WRITE = 60.0  # far more than one takes: what is unfinished by then was left by a killed process


BestResponses = Mapping[str, Sequence[Sequence[Response]]]
"""By oracle, called as `labels_of` says: best responses, one a role for each profile."""


def train_best_responses(
    game: Dynamics,
    profiles: Sequence[Sequence[Mixture]],
    seed: int,
    *,
    oracles: Sequence[ResponseOracle],
    execution: Execution,
) -> BestResponses:
    """Train each role's best response to each profile, one mixture a player, for nothing but the game's own payoffs.

    Every oracle does. Up to ``num_threads`` are trained at once. With a folder each is written there as soon as it is
    trained, under a name made of all that determines it (game, oracle, mixture, seed, machine, versions), and read from
    there the next time; one whose training was interrupted goes on within it.
    """
    cache_dir, num_threads, progress = execution.run_dir, execution.num_threads, execution.progress
    if cache_dir is not None:
        _files.sweep(cache_dir, SECONDS_OF_A_WRITE)
    scale = reward_scale(game, derive_seed(seed, "reward_scale"), num_threads)
    files: list[Path | None] = []
    requests: list[ResponseRequest] = []
    found: dict[int, Response] = {}
    wanted = product(oracles, range(len(profiles)), range(game.spec.num_roles))
    for index, (oracle, place, role) in enumerate(wanted):
        request = _request(game, profiles[place], role, oracle, seed, place, scale)
        file = None if cache_dir is None else cache_dir / f"{_key(request)}.safetensors"
        requests.append(request if file is None else replace(request, checkpoint=_checkpoint(file)))
        files.append(file)
        if file and (best := _load(file)):
            found[index] = best
    missing = [index for index in range(len(requests)) if index not in found]

    def take(place: int, trained: Response) -> None:
        index = missing[place]
        figures = {name: value for name, value in trained.report.items() if not is_duration(name)}
        found[index] = Response(trained.policy, figures)
        if file := files[index]:
            _save(file, found[index])
        execution.tell("best responses", len(found), len(requests), {})

    execution.tell("best responses", len(found), len(requests), {})
    respond_side_by_side([requests[index] for index in missing], num_threads, progress, take)
    each = iter([found[index] for index in range(len(requests))])
    return {label: [[next(each) for _ in range(game.spec.num_roles)] for _ in profiles] for label in labels_of(oracles)}


def labels_of(oracles: Sequence[ResponseOracle]) -> list[str]:
    """Return what tells oracles apart: nothing of the first, the kinds of the others, numbered where one recurs.

    >>> from coffee_fast import DDQN, PolicyGradient
    >>> labels_of([DDQN(), PolicyGradient(), DDQN(num_steps=100_000), DDQN(num_steps=500_000)])
    ['', 'policy_gradient', 'ddqn', 'ddqn 2']
    """
    labels = [""]
    kinds: list[str] = []
    for oracle in oracles[1:]:
        kinds.append(str(describe_part(oracle).get("kind", type(oracle).__name__)))
        count = kinds.count(kinds[-1])
        labels.append(kinds[-1] if count == 1 else f"{kinds[-1]} {count}")
    return labels


def names_of(best: BestResponses) -> list[str]:
    """Return what best responses are called, of all profiles by one oracle after the other."""
    ends = {label: f" ({label})" if label else "" for label in best}
    return [f"best response {place}{ends[label]}" for label, own in best.items() for place in range(len(own))]


def policies_of(best: BestResponses, role: int) -> list[Policy]:
    """Return a role's, in the order of `names_of`."""
    return [by_role[role].policy for own in best.values() for by_role in own]


def figures_of(best: BestResponses, place: int, role_names: Sequence[str]) -> dict[str, float]:
    """Return what oracles report of the best responses to one profile."""
    figures: dict[str, float] = {}
    for label, own in best.items():
        for role, response in zip(role_names, own[place], strict=True):
            path = [label] * bool(label) + [role] * (len(role_names) > 1)
            figures |= {"/".join([*path, name]): value for name, value in response.report.items()}
    return figures


def _request(
    game: Dynamics, profile: Sequence[Mixture], role: int, response: ResponseOracle, seed: int, place: int, scale: float
) -> ResponseRequest:
    is_only, objective = game.spec.num_roles == 1, ResponseObjective(0.0, 0.0)
    own_seed = derive_seed(seed, "best_response" if is_only else f"best_response/{role}", place)
    if is_only:
        return ResponseRequest(response, game, profile[0], objective, own_seed, scale)
    seats = tuple(game.spec.seats_of(role))
    return ResponseRequest(response, game, tuple(profile), objective, own_seed, scale, player=seats)


def _key(request: ResponseRequest) -> str:
    return hashlib.sha256(json.dumps(request.identity(), sort_keys=True).encode()).hexdigest()[:32]


def _checkpoint(file: Path) -> Path:
    return file.with_suffix(".training.safetensors")


def _save(file: Path, best: Response) -> None:
    description, arrays = policy_arrays(best.policy)
    file.parent.mkdir(parents=True, exist_ok=True)
    _files.write_tensors(file, arrays)
    about = {"policy": description, "report": plain(best.report), "sha256": _files.sha256_of(file)}
    write_sealed_json(file.with_suffix(".json"), "best_response", about)
    _checkpoint(file).unlink(missing_ok=True)


def _load(file: Path) -> Response | None:
    """Read a kept response, or nothing if its writing was interrupted before the second of its two files."""
    if not file.with_suffix(".json").exists():
        return None
    _checkpoint(file).unlink(missing_ok=True)
    about = read_sealed_json(file.with_suffix(".json"), "best_response", _FORM)
    policy = policy_from_arrays(about["policy"], _files.read_tensors(file, sha256=about["sha256"]))
    if not isinstance(policy, NetworkPolicy):
        raise CheckpointError(f"{file}: expected a network, got {shown(about['policy'])}")
    return Response(policy, figures_from_json(about["report"]))
