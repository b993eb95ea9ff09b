"""Policies as named arrays and plain words, for safetensors files and JSON manifests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast._sealed import check_form
from coffee_fast.errors import CheckpointError, InvalidArgumentError, shown
from coffee_fast.policies import NetworkPolicy, PerStepMixture, Policy, UniformRandom
from coffee_fast.policy_tables import TablePolicy

Arrays = dict[str, NDArray[Any]]
_FORMS: Mapping[str, Mapping[str, Any]] = {
    "uniform_random": {"policy": str},
    "network": {"policy": str, "kind": str, "temperature": float, "num_layers": int},
    "table": {"policy": str},
    "per_step_mixture": {"policy": str, "weights": [float], "components": [dict]},
}


def policy_arrays(policy: Policy, prefix: str = "") -> tuple[dict[str, Any], Arrays]:
    """Return a policy as a JSON description and its weights by name, each name starting with ``prefix``."""
    if isinstance(policy, UniformRandom):
        return {"policy": "uniform_random"}, {}
    if isinstance(policy, NetworkPolicy):
        arrays: Arrays = {}
        for index, (weight, bias) in enumerate(policy.layers):
            arrays[f"{prefix}layer{index}.weight"] = np.ascontiguousarray(weight, dtype=np.float32)
            arrays[f"{prefix}layer{index}.bias"] = np.ascontiguousarray(bias, dtype=np.float32)
        return {
            "policy": "network",
            "kind": policy.kind,
            "temperature": float(policy.temperature),
            "num_layers": len(policy.layers),
        }, arrays
    if isinstance(policy, TablePolicy):
        names = ("information_states", "action_probabilities")
        return {"policy": "table"}, {f"{prefix}{name}": getattr(policy, name) for name in names}
    if isinstance(policy, PerStepMixture):
        parts = [policy_arrays(part, f"{prefix}component{i}.") for i, part in enumerate(policy.components)]
        return {
            "policy": "per_step_mixture",
            "weights": [float(weight) for weight in policy.weights],
            "components": [description for description, _ in parts],
        }, {name: array for _, arrays in parts for name, array in arrays.items()}
    raise InvalidArgumentError(
        "policy must be a UniformRandom, NetworkPolicy, TablePolicy or PerStepMixture to be saved, got "
        f"{type(policy).__name__}"
    )


def policy_from_arrays(description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], prefix: str = "") -> Policy:
    """Rebuild what :func:`policy_arrays` took apart.

    Raises
    ------
    CheckpointError
        If the description is not of a known policy, or an array is missing or does not fit the others.
    """
    kind = description.get("policy") if isinstance(description, Mapping) else description
    if not isinstance(kind, str) or kind not in _FORMS:
        raise CheckpointError(f"unknown kind of policy {shown(kind)}, expected one of {', '.join(_FORMS)}")
    check_form(description, _FORMS[kind], f"policy of kind {kind!r}")
    try:
        if kind == "uniform_random":
            return UniformRandom()
        if kind == "network":
            layers = tuple(
                (arrays[f"{prefix}layer{index}.weight"], arrays[f"{prefix}layer{index}.bias"])
                for index in range(description["num_layers"])
            )
            network = NetworkPolicy(layers, kind=description["kind"], temperature=description["temperature"])
            _ = network.core  # checks that the layers fit each other
            return network
        if kind == "table":
            return TablePolicy(arrays[f"{prefix}information_states"], arrays[f"{prefix}action_probabilities"])
        parts = enumerate(description["components"])
        components = tuple(policy_from_arrays(part, arrays, f"{prefix}component{i}.") for i, part in parts)
        mixture = PerStepMixture(components, tuple(description["weights"]))
        _ = mixture.core  # checks that the weights are probabilities, one a component
        return mixture
    except KeyError as missing:
        raise CheckpointError(f"policy of kind {kind!r} lacks {missing.args[0]!r}") from None
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"policy of kind {kind!r} is malformed: {error}") from None


def policy_fingerprint(policy: Policy) -> str:
    """Return the sha256 (hex) of a policy's description and weights: equal for policies that play the same bits."""
    description, arrays = policy_arrays(policy)
    digest = hashlib.sha256(json.dumps(description, sort_keys=True).encode())
    for array in arrays.values():
        digest.update(array.tobytes())
    return digest.hexdigest()
