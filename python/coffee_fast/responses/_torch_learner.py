"""The double-Q gradient step on flat parameter vectors."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from coffee_fast.errors import ConfigError, InvalidArgumentError
from coffee_fast.typing import Float32

Layers = list[tuple[torch.Tensor, torch.Tensor]]


def layer_views(flat: torch.Tensor, sizes: Sequence[int]) -> Layers:
    """Split a flat vector into (weights [outputs, inputs], bias [outputs]) of each layer, sharing its memory."""
    views, start = [], 0
    for inputs, outputs in itertools.pairwise(sizes):
        weights = flat[start : start + inputs * outputs].view(outputs, inputs)
        start += inputs * outputs
        views.append((weights, flat[start : start + outputs]))
        start += outputs
    return views


def flat_parameters(layers: Sequence[tuple[Float32, Float32]]) -> torch.Tensor:
    """Return the flat vector that `layer_views` splits into these layers."""
    return torch.from_numpy(np.concatenate([np.ravel(array) for layer in layers for array in layer]))


def _check_device(device: str) -> None:
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:  # torch says an unknown device and a missing one by these two
        raise ConfigError(f"device must be one that torch can compute on here, got {device!r}: {error}") from error


class TorchLearner:
    """A Q-network, its target network and Adam.

    The gradient is written out instead of recorded: the loss looks at one output a row, so the last layer at s is
    computed for the taken actions alone and the target network for the chosen next actions alone.
    """

    def __init__(
        self,
        online: Sequence[tuple[Float32, Float32]],
        target: Sequence[tuple[Float32, Float32]],
        *,
        learning_rate: float,
        discount: float,
        reward_scale: float,
        device: str,
    ) -> None:
        _check_device(device)
        sizes = (online[0][0].shape[1], *(len(bias) for _, bias in online))
        self._sizes = sizes
        self._discount, self._reward_scale = discount, reward_scale
        self._parameters = flat_parameters(online).to(device)
        self._target_parameters = flat_parameters(target).to(device)
        self._gradient = torch.zeros_like(self._parameters)
        self._parameters.grad = self._gradient
        self._online = layer_views(self._parameters, sizes)
        self._target = layer_views(self._target_parameters, sizes)
        self._gradients = layer_views(self._gradient, sizes)
        self._adam = torch.optim.Adam([self._parameters], lr=learning_rate, fused=True)
        self._loss_sum = torch.zeros((), dtype=torch.float32, device=device)
        self._num_losses, self._mean_loss = 0, math.nan
        self.num_gradient_steps = 0
        self.num_target_copies = 0

    @torch.no_grad()
    def gradient_step(self, batch: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Take one step of Adam on the mean squared error of a mini-batch (arrays of ``_core.Actor.sample``)."""
        device = self._parameters.device
        arrays = {name: torch.from_numpy(array) for name, array in batch.items()}
        both_states = torch.cat((arrays["information_states"], arrays["next_information_states"])).to(device)
        actions = arrays["actions"].to(device, torch.int64)
        rewards = arrays["rewards"].to(device) / self._reward_scale
        is_final = arrays["is_final"].to(device, torch.bool)
        is_illegal = arrays["next_legal_masks"].to(device) == 0
        size = len(actions)

        activations = self._hidden_activations(self._online, both_states)
        weights, bias = self._online[-1]
        next_values = torch.addmm(bias, activations[-1][size:], weights.t())
        next_actions = next_values.masked_fill_(is_illegal, -math.inf).argmax(1)
        target_features = self._hidden_activations(self._target, both_states[size:])[-1]
        continuation = self._values_of(self._target, target_features, next_actions)[1].masked_fill_(is_final, 0.0)
        features = activations[-1][:size]
        action_weights, values = self._values_of(self._online, features, actions)
        errors = values - (rewards + self._discount * continuation)

        value_gradient = errors * (2.0 / size)
        self._loss_sum += torch.dot(errors, errors) / size
        output_gradient = torch.zeros((size, self._sizes[-1]), dtype=torch.float32, device=device)
        output_gradient.scatter_(1, actions[:, None], value_gradient[:, None])
        self._write_gradient(-1, output_gradient, features)
        hidden_gradient = action_weights * value_gradient[:, None]
        for layer in range(len(self._online) - 2, -1, -1):
            hidden_gradient *= activations[layer + 1][:size] > 0
            self._write_gradient(layer, hidden_gradient, activations[layer][:size])
            if layer > 0:
                hidden_gradient = hidden_gradient @ self._online[layer][0]
        self._adam.step()
        self._num_losses += 1
        self.num_gradient_steps += 1

    @staticmethod
    def _hidden_activations(layers: Layers, inputs: torch.Tensor) -> list[torch.Tensor]:
        activations = [inputs]
        for weights, bias in layers[:-1]:
            activations.append(torch.addmm(bias, activations[-1], weights.t()).relu_())
        return activations

    @staticmethod
    def _values_of(layers: Layers, features: torch.Tensor, actions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the last layer's rows of the actions, [B, H], and the actions' values, [B]."""
        weights, bias = layers[-1]
        rows = weights.index_select(0, actions)
        return rows, (features * rows).sum(1) + bias[actions]

    def _write_gradient(self, layer: int, output_gradient: torch.Tensor, inputs: torch.Tensor) -> None:
        weights, bias = self._gradients[layer]
        torch.mm(output_gradient.t(), inputs, out=weights)
        torch.sum(output_gradient, 0, out=bias)

    def copy_to_target(self) -> None:
        """Give the target network the present weights."""
        self._target_parameters.copy_(self._parameters)
        self.num_target_copies += 1

    def update_mean_loss(self) -> float:
        """Return the mean loss of the gradient steps since the last call, or what that returned if there were none."""
        if self._num_losses > 0:
            self._mean_loss = float(self._loss_sum) / self._num_losses
            self._loss_sum.zero_()
            self._num_losses = 0
        return self._mean_loss

    def layers(self) -> tuple[tuple[Float32, Float32], ...]:
        """Return (weights, bias) of each layer of the Q-network as arrays of their own."""
        flat = self._parameters.detach().to("cpu", copy=True)
        return tuple((weights.numpy(), bias.numpy()) for weights, bias in layer_views(flat, self._sizes))

    def export_state(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return parameters, target parameters and Adam's moments as named arrays."""
        moments = self._adam.state.get(self._parameters, {})
        zeros = torch.zeros_like(self._parameters)
        tensors = {
            "parameters": self._parameters,
            "target_parameters": self._target_parameters,
            "first_moment": moments.get("exp_avg", zeros),
            "second_moment": moments.get("exp_avg_sq", zeros),
        }
        state = {name: tensor.detach().to("cpu", copy=True).numpy() for name, tensor in tensors.items()}
        counters = [self.num_gradient_steps, self.num_target_copies, self._num_losses]
        losses = [float(self._loss_sum), self._mean_loss]
        return state | {"counters": np.array(counters, np.int64), "losses": np.array(losses, np.float64)}

    def restore(self, state: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Continue from an exported state of a learner of the same arguments."""
        like = self.export_state()
        for name, array in like.items():
            if name not in state or state[name].shape != array.shape or state[name].dtype != array.dtype:
                raise InvalidArgumentError(f"'{name}' must be a {array.dtype} array of shape {list(array.shape)}")
        device = self._parameters.device
        tensors = {name: torch.tensor(state[name], device=device) for name in like}
        self._parameters.copy_(tensors["parameters"])
        self._target_parameters.copy_(tensors["target_parameters"])
        self._loss_sum.fill_(state["losses"][0])
        self._mean_loss = float(state["losses"][1])
        self.num_gradient_steps, self.num_target_copies, self._num_losses = (int(n) for n in state["counters"])
        self._adam.state.clear()
        if self.num_gradient_steps > 0:
            self._adam.state[self._parameters] = {
                "step": torch.tensor(float(self.num_gradient_steps), dtype=torch.float32, device=device),
                "exp_avg": tensors["first_moment"],
                "exp_avg_sq": tensors["second_moment"],
            }
