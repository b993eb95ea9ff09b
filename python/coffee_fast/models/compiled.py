"""The arrays of a dynamics ensemble as the core takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    members = range(config.num_members)
    return _core.DynamicsEnsemble(
        num_players=spec.num_players,
        history_start=spec.history_start,
        max_episode_length=spec.max_episode_length,
        terminal_state_value=spec.terminal_state_value,
        terminal_threshold=config.terminal_threshold,
        reward_scale=float(arrays["reward_scale"].item()),
        disagreement=config.disagreement,
        history_source=config.history_source,
        delta=[_mlp(model, f"delta.{member}") for member in members],
        reward=[_mlp(model, f"reward.{member}") for member in members],
        shared=_mlp(model, "shared.0"),
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
        **(_drawn(model) if model.draws_ends else {}),
    )


def _drawn(model: DynamicsEnsemble) -> dict[str, Any]:
    """What the core needs beside it of a model that draws ends."""
    spec, arrays = model.spec, model.arrays
    drawn: dict[str, Any] = {
        "end": _mlp(model, "end.0"),
        "is_simultaneous": spec.moves == "simultaneous",
        "pays_every_step": spec.rewards == "every_step",
    }
    if predicts_mover(spec):
        drawn["mover"] = _mlp(model, "mover.0")
    if spec.num_chance_actions:
        normalize = Normalizer(arrays["chance.mean"], arrays["chance.scale"])
        drawn |= {"chance": _mlp(model, "chance.0"), "chance_inputs": normalize(spec.chance_vectors)}
    return drawn


def _mlp(model: DynamicsEnsemble, network: str) -> _core.Mlp:
    return _core.Mlp(list(model.layers(network)))
