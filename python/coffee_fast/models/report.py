"""How well a dynamics ensemble predicts what it was not trained on."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from coffee_fast.policies import UniformRandom
from coffee_fast.simulation import simulate

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
    model_mean_length, model_deal_rate, model_mean_return
        Uniform play inside the model: actions an episode; share of the episodes whose last action is one that ended a
        trajectory of the dataset with a payoff (an acceptance); return averaged over players.
    data_mean_length, data_deal_rate, data_mean_return
        Of the dataset's trajectories, whoever played them; deals are what pays anybody anything.
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
    model_deal_rate: float | None = None
    model_mean_return: float | None = None
    data_mean_length: float | None = None
    data_deal_rate: float | None = None
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
        return cls(
            losses=dict(losses),
            num_held_out=0 if held_out is None else held_out.num_trajectories,
            **_play_figures(model, dataset, seed),
            **({} if held_out is None else _held_out_figures(model, held_out)),
        )

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> FitReport:
        return cls(**values)

    def __str__(self) -> str:
        lines = [
            f"uniform play in the model: {_figure(self.model_mean_length)} actions, deals "
            f"{_figure(self.model_deal_rate)}, return {_figure(self.model_mean_return)}",
            f"in the dataset: {_figure(self.data_mean_length)} actions, deals {_figure(self.data_deal_rate)}, "
            f"return {_figure(self.data_mean_return)}",
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


def _play_figures(model: DynamicsEnsemble, dataset: TrajectoryDataset, seed: int) -> dict[str, float]:
    """Uniform play in the model beside the play in the dataset."""
    num_players, ends = model.spec.num_players, dataset.trajectory_offsets[1:] - 1
    is_deal = (dataset.reward[ends] != 0).any(axis=1)
    log = simulate(model, [UniformRandom()] * num_players, num_episodes=NUM_ROLLOUTS, seed=seed, record=True)
    assert log.trajectories is not None
    last_actions = log.trajectories["action"][log.trajectories["trajectory_offsets"][1:] - 1]
    return {
        "model_mean_length": float(log.lengths.mean()),
        "model_deal_rate": float(np.isin(last_actions, dataset.action[ends][is_deal]).mean()),
        "model_mean_return": float(log.returns.mean()),
        "data_mean_length": float(np.diff(dataset.trajectory_offsets).mean()),
        "data_deal_rate": float(is_deal.mean()),
        "data_mean_return": float(dataset.reward.sum(dtype=np.float64)) / dataset.num_trajectories / num_players,
    }


def _held_out_figures(model: DynamicsEnsemble, held_out: TrajectoryDataset) -> dict[str, float | None]:
    is_terminal = held_out.terminal != 0
    predicted = model.core.next_states(held_out.state, held_out.action)
    distance = np.abs(predicted - np.float32(model.spec.terminal_state_value)).mean(axis=1)
    is_predicted = distance < model.config.terminal_threshold
    _, masks = model.core.observe(held_out.state)
    figures: dict[str, float | None] = {
        "state_error": _mean(np.abs(predicted - held_out.next_state)[~is_terminal]),
        "terminal_recall": _mean(is_predicted[is_terminal]),
        "terminal_precision": _mean(is_terminal[is_predicted]),
        "mask_errors": _mean((masks != held_out.legal_masks()).sum(axis=1)),
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
