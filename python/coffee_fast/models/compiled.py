"""The arrays of a dynamics ensemble as the core takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coffee_fast import _core
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.models.inputs import predicts_mover
from coffee_fast.models.normalization import Normalizer

if TYPE_CHECKING:
    from coffee_fast.models.ensemble import DynamicsEnsemble


def compiled(model: DynamicsEnsemble) -> _core.DynamicsEnsemble:
    """Return the compiled dynamics; refuse arrays that do not fit each other or the game."""
    spec, config, arrays = model.spec, model.config, model.arrays
    if arrays["initial.observation"].shape[1:] != (spec.num_players * spec.observation_size,):
        raise InvalidArgumentError("DynamicsEnsemble: initial observations do not fit the game's specification")
    observation = Normalizer(arrays["observation.mean"], arrays["observation.scale"]).repeated(spec.num_players)
    return _core.DynamicsEnsemble(
        num_players=spec.num_players,
        history_start=spec.history_start,
        max_episode_length=spec.max_episode_length,
        terminal_state_value=spec.terminal_state_value,
        terminal_threshold=config.terminal_threshold,
        reward_scale=float(arrays["reward_scale"].item()),
        disagreement=config.disagreement,
        history_source=config.history_source,
        delta=_networks(model, "delta"),
        reward=_networks(model, "reward"),
        shared=_network(model, "shared"),
        state_mean=arrays["state.mean"],
        state_scale=arrays["state.scale"],
        action_mean=arrays["action.mean"],
        action_scale=arrays["action.scale"],
        observation_mean=observation.mean,
        observation_scale=observation.scale,
        action_vectors=spec.action_vectors,
        initial_states=arrays["initial.state"],
        initial_observations=arrays["initial.observation"],
        initial_legal_masks=arrays["initial.legal_mask"],
        initial_players=arrays["initial.player"],
        flags=_flags(model),
        least_rewards=arrays.get("reward.least"),
        most_rewards=arrays.get("reward.most"),
        **(_drawn(model) if model.draws_ends else {}),
        **(_known(model) if "state.source" in arrays else {}),
    )


def _drawn(model: DynamicsEnsemble) -> dict[str, Any]:
    """What the core needs beside it of a model that draws ends."""
    spec, arrays = model.spec, model.arrays
    drawn: dict[str, Any] = {
        "end": _networks(model, "end"),
        "pay": _network(model, "pay"),
        "code": _network(model, "code"),
        "is_simultaneous": spec.moves == "simultaneous",
        "pays_every_step": spec.rewards == "every_step",
    }
    if predicts_mover(spec):
        drawn["mover"] = _networks(model, "mover")
    if spec.num_chance_actions:
        normalize = Normalizer(arrays["chance.mean"], arrays["chance.scale"])
        drawn |= {"chance": _networks(model, "chance"), "chance_inputs": normalize(spec.chance_vectors)}
    return drawn


def _known(model: DynamicsEnsemble) -> dict[str, Any]:
    """What the core needs of a model whose entries are of kinds."""
    arrays = model.arrays
    none = np.zeros(0, dtype=np.float32)

    def entries(part: str) -> tuple[Any, ...]:
        bounds = (arrays.get(f"{part}.{name}", none) for name in ("least", "most"))
        return (*(arrays[f"{part}.{name}"] for name in ("source", "values", "values_offsets")), *bounds)

    return {
        "mask": _network(model, "mask"),
        "view": _network(model, "view"),
        "state_entries": entries("state"),
        "observation_entries": entries("observation"),
        "chance_vectors": model.spec.chance_vectors,
    }


def _flags(model: DynamicsEnsemble) -> set[str]:
    """What is true of the model, by name."""
    arrays, config = model.arrays, model.config
    told = {f"{part}_is_certain": arrays.get(f"{part}.is_certain", [0])[0] for part in ("end", "mover", "pay")}
    (told["mask_sees_state"],) = arrays.get("mask.sees", [0])
    told["view_sees_move"], told["view_sees_state"] = arrays.get("view.sees", [0, 0])
    told |= {name: getattr(config, name) for name in ("outcome_disagreement", "member_per_episode")}
    return {name for name, is_true in told.items() if is_true}


def _networks(model: DynamicsEnsemble, part: str) -> list[_core.Mlp]:
    """All networks of a part, by member."""
    is_product = bool(model.arrays.get(f"{part}.is_product", [0])[0])
    return [
        _core.Mlp(list(model.layers(f"{part}.{member}")), "product" if is_product else "relu")
        for member in range(model.config.num_members)
        if f"{part}.{member}.0.weight" in model.arrays
    ]


def _network(model: DynamicsEnsemble, part: str) -> _core.Mlp | None:
    """The only network of a part, if there is one."""
    return next(iter(_networks(model, part)), None)
