"""How well a dynamics ensemble predicts what it was not trained on."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from coffee_fast.policies import UniformRandom
from coffee_fast.simulation import simulate
from coffee_fast.typing import Float32, Float64

if TYPE_CHECKING:
    from coffee_fast.data import TrajectoryDataset
    from coffee_fast.models.ensemble import DynamicsEnsemble

NUM_ROLLOUTS = 2000


@dataclass(frozen=True)
class FitReport:
    """Figures of a fit; None where nothing was held out. Rewards and states are in raw units.

    Attributes
    ----------
    losses
        The last training losses, normalized units. They say little: reward networks fit what they have seen.
    num_held_out
        Trajectories kept out of training.
    state_error
        Mean absolute error of the mean next state, held-out transitions that are not terminal.
    terminal_recall, terminal_precision
        Share of terminal transitions predicted so, and of predicted ones that are.
    mask_errors
        Wrong entries in the predicted legal mask of a state.
    reward_error
        Mean absolute error of the mean reward, terminal transitions that pay anything, over players.
    disagreement
        Mean over the same transitions.
    disagreement_correlation
        Pearson's, of disagreement with the reward error: what the penalty lives on.
    model_mean_length, model_mean_return
        Uniform play inside the model, the return averaged over players.
    data_mean_length, data_mean_return
        Of the dataset's trajectories, whoever played them.
    """

    losses: Mapping[str, float] = field(default_factory=dict)
    num_held_out: int = 0
    state_error: float | None = None
    terminal_recall: float | None = None
    terminal_precision: float | None = None
    mask_errors: float | None = None
    reward_error: float | None = None
    disagreement: float | None = None
    disagreement_correlation: float | None = None
    model_mean_length: float | None = None
    model_mean_return: float | None = None
    data_mean_length: float | None = None
    data_mean_return: float | None = None

    @classmethod
    def of(
        cls,
        model: DynamicsEnsemble,
        losses: Mapping[str, float],
        dataset: TrajectoryDataset,
        held_out: TrajectoryDataset | None,
        seed: int,
    ) -> FitReport:
        """Measure ``model`` on the trajectories kept out of its training, and at uniform play."""
        players = [UniformRandom()] * model.spec.num_players
        played = simulate(model, players, num_episodes=NUM_ROLLOUTS, seed=seed)
        offsets = dataset.trajectory_offsets
        return cls(
            losses=dict(losses),
            num_held_out=0 if held_out is None else held_out.num_trajectories,
            model_mean_length=float(played.lengths.mean()),
            model_mean_return=float(played.returns.mean()),
            data_mean_length=float(np.diff(offsets).mean()),
            data_mean_return=float(dataset.reward.sum(dtype=np.float64)) / (len(offsets) - 1) / model.spec.num_players,
            **({} if held_out is None else _held_out_figures(model, held_out)),
        )

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> FitReport:
        return cls(**values)

    def __str__(self) -> str:
        lines = [
            f"uniform play in the model: {_figure(self.model_mean_length)} actions, "
            f"return {_figure(self.model_mean_return)}",
            f"in the dataset: {_figure(self.data_mean_length)} actions, return {_figure(self.data_mean_return)}",
        ]
        if self.num_held_out:
            lines += [
                f"on {self.num_held_out} held-out trajectories:",
                f"  next state, mean absolute error {_figure(self.state_error)}",
                f"  ends of episodes: recall {_figure(self.terminal_recall)}, "
                f"precision {_figure(self.terminal_precision)}",
                f"  legal actions, wrong entries a state {_figure(self.mask_errors)}",
                f"  payoffs of deals, mean absolute error {_figure(self.reward_error)}; disagreement "
                f"{_figure(self.disagreement)}, their correlation {_figure(self.disagreement_correlation)}",
            ]
        else:
            lines.append("nothing was held out: no figures on unseen transitions")
        return "\n".join(lines)


def _figure(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3g}"


def _held_out_figures(model: DynamicsEnsemble, held_out: TrajectoryDataset) -> dict[str, float | None]:
    is_terminal = held_out.terminal != 0
    predicted = _mean_next_states(model, held_out)
    distance = np.abs(predicted - model.spec.terminal_state_value).mean(axis=1)
    is_predicted = distance < model.config.terminal_threshold
    figures: dict[str, float | None] = {
        "state_error": _mean(np.abs(predicted - held_out.next_state)[~is_terminal]),
        "terminal_recall": _mean(is_predicted[is_terminal]),
        "terminal_precision": _mean(is_terminal[is_predicted]),
        "mask_errors": _mask_errors(model, held_out),
    }
    paying = is_terminal & (held_out.reward != 0).any(axis=1)
    if paying.any():
        member_rewards, disagreement = model.core.rewards(held_out.state[paying], held_out.action[paying])
        errors = np.abs(member_rewards.mean(axis=2) - held_out.reward[paying]).mean(axis=1)
        figures |= {"reward_error": _mean(errors), "disagreement": _mean(disagreement)}
        if len(errors) > 2 and errors.std() > 0 and disagreement.std() > 0:
            figures["disagreement_correlation"] = float(np.corrcoef(errors, disagreement)[0, 1])
    return figures


def _mean(values: Any) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _forward(model: DynamicsEnsemble, network: str, inputs: Float32) -> Float32:
    values = inputs
    layers = model.layers(network)
    for index, (weight, bias) in enumerate(layers):
        values = values @ weight.T + bias
        if index + 1 < len(layers):
            values = np.maximum(values, 0)
    return values


def _mean_next_states(model: DynamicsEnsemble, dataset: TrajectoryDataset) -> Float64:
    arrays = model.arrays
    states = (dataset.state - arrays["state.mean"]) / arrays["state.scale"]
    actions = model.spec.action_vectors[dataset.action]
    inputs = np.concatenate([states, (actions - arrays["action.mean"]) / arrays["action.scale"]], axis=1)
    delta = np.mean([_forward(model, f"delta.{member}", inputs) for member in range(model.num_members)], axis=0)
    predicted: Float64 = (states + delta) * arrays["state.scale"] + arrays["state.mean"]
    return predicted


def _mask_errors(model: DynamicsEnsemble, dataset: TrajectoryDataset) -> float | None:
    states = (dataset.state - model.arrays["state.mean"]) / model.arrays["state.scale"]
    outputs = _forward(model, "shared.0", states)[:, -model.spec.num_actions :]
    return _mean(((outputs > 0.5) != (dataset.legal_masks() != 0)).sum(axis=1))
