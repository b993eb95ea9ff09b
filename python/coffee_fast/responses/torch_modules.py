"""Policies to torch modules and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from coffee_fast.errors import InvalidArgumentError
from coffee_fast.policies import NetworkPolicy
from coffee_fast.typing import Float32

if TYPE_CHECKING:
    import torch


def to_torch_module(policy: NetworkPolicy) -> torch.nn.Sequential:
    """Return a policy's network as ``Linear, ReLU, Linear, ...``, with weights of its own.

    The module maps float32 ``[..., inputs]`` to the network's raw outputs ``[..., num_actions]``: what the policy does
    with them, and that illegal actions do not count, is the caller's to add.

    Raises
    ------
    InvalidArgumentError
        If the policy has no network.

    Examples
    --------
    >>> import numpy as np
    >>> weights, bias = np.ones((2, 3), np.float32), np.zeros(2, np.float32)
    >>> to_torch_module(NetworkPolicy(((weights, bias),)))
    Sequential(
      (0): Linear(in_features=3, out_features=2, bias=True)
    )
    """
    import torch

    if not isinstance(policy, NetworkPolicy):
        raise InvalidArgumentError(f"to_torch_module: policy must be a NetworkPolicy, got {type(policy).__name__}")
    modules: list[torch.nn.Module] = []
    for weights, bias in policy.layers:
        linear = torch.nn.Linear(weights.shape[1], weights.shape[0])
        linear.load_state_dict({"weight": torch.tensor(weights), "bias": torch.tensor(bias)})
        modules += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1])


def from_torch_module(module: Any, kind: Literal["greedy", "softmax"] = "greedy") -> NetworkPolicy:
    """Return the policy of a torch network, with copies of its weights in float32.

    Parameters
    ----------
    module
        ``torch.nn.Sequential`` of ``Linear`` layers with ``ReLU`` between them, on any device.
    kind
        How the policy chooses by the outputs; see ``NetworkPolicy``.

    Raises
    ------
    InvalidArgumentError
        If the module is anything else: other networks cannot be played by the kernels.

    Examples
    --------
    >>> import torch
    >>> network = torch.nn.Sequential(torch.nn.Linear(41, 200), torch.nn.ReLU(), torch.nn.Linear(200, 109))
    >>> [weights.shape for weights, _ in from_torch_module(network).layers]
    [(200, 41), (109, 200)]
    """
    import torch

    parts: list[Any] = list(module) if isinstance(module, torch.nn.Sequential) else [module]
    linears, between = parts[::2], parts[1::2]
    is_ours = len(parts) % 2 == 1 and all(isinstance(part, torch.nn.ReLU) for part in between)
    if not is_ours or not all(isinstance(part, torch.nn.Linear) and part.bias is not None for part in linears):
        names = ", ".join(type(part).__name__ for part in parts)
        raise InvalidArgumentError(
            f"from_torch_module: module must be a Sequential of Linear layers with ReLU between them, got {names}"
        )

    def array(tensor: torch.Tensor) -> Float32:
        copy: Float32 = tensor.detach().to("cpu", torch.float32, copy=True).numpy()
        return copy

    return NetworkPolicy(tuple((array(linear.weight), array(linear.bias)) for linear in linears), kind=kind)
