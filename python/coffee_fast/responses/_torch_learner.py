"""The double-Q gradient step in torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from coffee_fast.errors import InvalidArgumentError
from coffee_fast.responses._torch_network import Layers, TorchNetwork, hidden_activations, layer_views, layers_of
from coffee_fast.typing import Float32


class TorchLearner:
    """A Q-network, its target network and Adam.

    The loss looks at one output a row, so the last layer at s is computed for the taken actions alone and the target
    network for the chosen next actions alone.
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
        self._learning_rate, self._discount, self._reward_scale = learning_rate, discount, reward_scale
        self._online = TorchNetwork(online, device)
        self._target_parameters = TorchNetwork(target, device).parameters
        self._target = layer_views(self._target_parameters, self._online.sizes)
        self._loss_sum = torch.zeros((), dtype=torch.float32, device=device)
        self._num_losses, self._mean_loss = 0, math.nan
        self.num_target_copies = 0

    @property
    def num_gradient_steps(self) -> int:
        """Steps taken."""
        return self._online.num_steps

    @torch.no_grad()
    def gradient_step(self, batch: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Take one step of Adam on the mean squared error of a mini-batch (arrays of ``_core.Actor.sample``)."""
        device = self._target_parameters.device
        arrays = {name: torch.from_numpy(array) for name, array in batch.items()}
        both_states = torch.cat((arrays["information_states"], arrays["next_information_states"])).to(device)
        actions = arrays["actions"].to(device, torch.int64)
        rewards = arrays["rewards"].to(device) / self._reward_scale
        is_final = arrays["is_final"].to(device, torch.bool)
        is_illegal = arrays["next_legal_masks"].to(device) == 0
        size = len(actions)

        activations = hidden_activations(self._online.layers, both_states)
        weights, bias = self._online.layers[-1]
        next_values = torch.addmm(bias, activations[-1][size:], weights.t())
        next_actions = next_values.masked_fill_(is_illegal, -math.inf).argmax(1)
        target_features = hidden_activations(self._target, both_states[size:])[-1]
        continuation = self._values_of(self._target, target_features, next_actions)[1].masked_fill_(is_final, 0.0)
        now = [rows[:size] for rows in activations]
        action_weights, values = self._values_of(self._online.layers, now[-1], actions)
        errors = values - (rewards + self._discount * continuation)

        value_gradient = errors * (2.0 / size)
        self._loss_sum += torch.dot(errors, errors) / size
        output_gradient = torch.zeros((size, self._online.sizes[-1]), dtype=torch.float32, device=device)
        output_gradient.scatter_(1, actions[:, None], value_gradient[:, None])
        self._online.backward_from(now, output_gradient, action_weights * value_gradient[:, None])
        self._online.adam_step(self._learning_rate)
        self._num_losses += 1

    @staticmethod
    def _values_of(layers: Layers, features: torch.Tensor, actions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the last layer's rows of the actions, [B, H], and the actions' values, [B]."""
        weights, bias = layers[-1]
        rows = weights.index_select(0, actions)
        return rows, (features * rows).sum(1) + bias[actions]

    def copy_to_target(self) -> None:
        """Give the target network the present weights."""
        self._target_parameters.copy_(self._online.parameters)
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
        return layers_of(self._online.parameters, self._online.sizes)

    def export_state(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return parameters, target parameters and Adam's moments as named arrays."""
        first_moment, second_moment = self._online.moments()
        tensors = {
            "parameters": self._online.parameters,
            "target_parameters": self._target_parameters,
            "first_moment": first_moment,
            "second_moment": second_moment,
        }
        state = {name: tensor.detach().to("cpu", copy=True).numpy() for name, tensor in tensors.items()}
        counters = [self.num_gradient_steps, self.num_target_copies, self._num_losses]
        losses = [float(self._loss_sum), self._mean_loss]
        return state | {"counters": np.array(counters, np.int64), "losses": np.array(losses, np.float64)}

    def restore(self, state: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Continue from an exported state of a learner of the same arguments."""
        for name, array in self.export_state().items():
            if name not in state or state[name].shape != array.shape or state[name].dtype != array.dtype:
                raise InvalidArgumentError(f"'{name}' must be a {array.dtype} array of shape {list(array.shape)}")
        num_steps, self.num_target_copies, self._num_losses = (int(count) for count in state["counters"])
        self._online.restore(state["parameters"], state["first_moment"], state["second_moment"], num_steps)
        self._target_parameters.copy_(torch.tensor(state["target_parameters"]))
        self._loss_sum.fill_(state["losses"][0])
        self._mean_loss = float(state["losses"][1])
