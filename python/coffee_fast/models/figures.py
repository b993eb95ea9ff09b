"""The figures of a fit report: what a model says of transitions that it has not seen, and how play in it looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.models.calibration import coverage, score
from coffee_fast.models.figures_of_exploring import exploring_figures
from coffee_fast.models.figures_of_moves import figures_by_moves
from coffee_fast.models.following import Followed
from coffee_fast.models.inputs import Rows, as_class, broke_off, paying_rows, pays, predicts_mover
from coffee_fast.models.leak_probe import leaks
from coffee_fast.models.limits import MIN_LONGEST
from coffee_fast.policies import UniformRandom
from coffee_fast.simulation import simulate
from coffee_fast.typing import Float32, Float64

if TYPE_CHECKING:
    from coffee_fast.data import TrajectoryDataset
    from coffee_fast.models.ensemble import DynamicsEnsemble

NUM_ROLLOUTS = 2000
MIN_CHANGES = 5  # an entry of the state that changes less often says nothing about what can be predicted
LEAST_CHANGE = 0.01  # deviation of an entry's changes in units of its own, below which they do not matter
MIN_PROBED = 300  # independent episodes held out, with fewer of which all are searched for leaks
MOST_PROBED = 2000  # trajectories
COUNTED_ERROR = 0.25  # of the size of an entry's changes


def play_figures(
    model: DynamicsEnsemble,
    dataset: TrajectoryDataset,
    training: TrajectoryDataset | None,
    held_out: TrajectoryDataset | None,
    seed: int,
) -> dict[str, Any]:
    """Uniform play in the model beside the play in the dataset."""
    num_players, ends = model.spec.num_players, np.flatnonzero(dataset.terminal)
    log = simulate(model, [UniformRandom()] * num_players, num_episodes=NUM_ROLLOUTS, seed=seed, record=True)
    lengths, whole = np.diff(dataset.trajectory_offsets), ~dataset.truncated
    returns = np.add.reduceat(dataset.reward, dataset.trajectory_offsets[:-1], axis=0, dtype=np.float64)[whole]
    lengths = lengths[whole]
    figures: dict[str, Any] = {
        "model_mean_length": float(log.lengths.mean()),
        "model_mean_return": float(log.returns.mean()),
        "data_mean_length": float(lengths.mean()),
        "data_mean_return": float(returns.mean()),
        "data_length_deviation": float(lengths.std()),
        "data_return_deviation": float(returns.std()),
        "state_spread": _spread(dataset.state),
        "data_is_uniform": _is_uniform(dataset),
        "num_episodes": dataset.num_independent_episodes,
        "draws_ends": model.draws_ends,
        "return_gap": float(np.abs(log.returns.mean(axis=0) - returns.mean(axis=0)).max()),
    }
    assert log.trajectories is not None
    if training is not None and held_out is not None:
        figures |= exploring_figures(model, log.trajectories, training, held_out, seed)
    if model.spec.rewards == "every_step":
        return figures | {"reward_spread": _spread(dataset.reward[paying_rows(dataset)])}
    is_deal = (dataset.reward[ends] != 0).any(axis=1)
    figures["reward_spread"] = max(_spread(dataset.reward[ends]), _spread(dataset.reward[ends][is_deal]))
    if not model.draws_ends:
        last_actions = log.trajectories["action"][log.trajectories["trajectory_offsets"][1:] - 1]
        figures["model_deal_rate"] = float(np.isin(last_actions, dataset.action[ends][is_deal]).mean())
    return figures | {"data_deal_rate": float(is_deal.mean())}


def held_out_figures(model: DynamicsEnsemble, held_out: TrajectoryDataset) -> dict[str, Any]:
    """How well the model predicts trajectories that were kept out of its training."""
    rows, is_terminal = Rows.of(held_out), held_out.terminal != 0
    predicted = model.core.next_states(held_out.state, held_out.action, rows.player, rows.next_player)
    figures: dict[str, Any]
    if model.draws_ends:
        ends, movers = model.core.outcomes(held_out.state, held_out.action, rows.player)
        figures = {"drawn": _drawn(model, held_out, rows, ends, movers)}
        goes_on, is_predicted = rows.goes_on, ends > 0.5
    else:
        distance = np.abs(predicted - np.float32(model.spec.terminal_state_value)).mean(axis=1)
        is_predicted = distance < model.config.terminal_threshold
        figures, goes_on = {}, ~is_terminal & ~broke_off(held_out)
    seen = held_out.observation.reshape(len(held_out.observation), -1)
    masks = model.core.legal_masks(held_out.state, seen, rows.player)
    figures |= {
        "state_error": _mean(np.abs(predicted - held_out.next_state)[goes_on]),
        "terminal_recall": _mean(is_predicted[is_terminal]),
        "terminal_precision": _mean(is_terminal[is_predicted]),
        "mask_errors": _mean((masks != held_out.legal_masks()).sum(axis=1)[rows.player >= 0]),
    }
    if goes_on.any():
        figures |= _unexplained(held_out.state[goes_on], held_out.next_state[goes_on], predicted[goes_on])
    figures |= _by_moves(model, held_out)
    paying = is_terminal & (held_out.reward != 0).any(axis=1)
    if model.spec.rewards == "every_step":
        paying = rows.acts
    if paying.any():
        member_rewards, disagreement = model.core.rewards(
            held_out.state[paying], held_out.action[paying], rows.player[paying]
        )
        errors = np.abs(member_rewards.mean(axis=2) - held_out.reward[paying]).mean(axis=1)
        figures |= {"reward_error": _mean(errors), "disagreement": _mean(disagreement)}
        figures |= coverage(member_rewards, held_out.reward[paying])
        if len(errors) > 2 and errors.std() > 0 and disagreement.std() > 0:
            figures["disagreement_correlation"] = float(np.corrcoef(errors, disagreement)[0, 1])
    return figures


def _drawn(
    model: DynamicsEnsemble, held_out: TrajectoryDataset, rows: Rows, ends: Float64, movers: Float64
) -> dict[str, dict[str, float]]:
    """How well what is drawn is predicted, by name."""
    spec, is_terminal, acts = model.spec, held_out.terminal != 0, rows.acts
    copies = held_out.num_trajectories / held_out.num_independent_episodes
    figures = {"end": score(_either(ends[acts]), is_terminal[acts].astype(np.int64), copies)}
    if predicts_mover(spec) and rows.goes_on.any():
        figures["mover"] = score(movers[rows.goes_on], as_class(spec, rows.next_player[rows.goes_on]), copies)
    may_pay, does_pay = pays(held_out)
    if "pay.0.0.weight" in model.arrays and "code.0.0.weight" not in model.arrays and len(may_pay):
        # With codes it would be that of the likeliest luck, which says nothing of what is drawn.
        paid = model.core.pays(held_out.state[may_pay], held_out.action[may_pay], rows.player[may_pay])
        figures["pay"] = score(_either(paid), does_pay.astype(np.int64), copies)
    is_chance = rows.player < 0
    if is_chance.any():
        chances = model.core.chance_probabilities(held_out.state[is_chance])
        figures["chance"] = score(chances, held_out.action[is_chance].astype(np.int64), copies)
    return figures


def _either(probabilities: Float64) -> Float64:
    return np.stack([1 - probabilities, probabilities], axis=1)


def _unexplained(before: Float32, after: Float32, predicted: Float32) -> dict[str, Any]:
    """Shares of the variance of state changes that the predictions leave: of all entries, and of the worst one.

    An error counts where it is more than a quarter of what the entry changes by when it does: small errors everywhere
    would else outweigh a change that is rare.
    """
    change, error = (part.astype(np.float64) for part in (after - before, predicted - after))
    num_changes = (change != 0).sum(axis=0)
    varies = (num_changes >= MIN_CHANGES) & (change.std(axis=0) > LEAST_CHANGE * before.std(axis=0, dtype=np.float64))
    if not varies.any():
        return {}
    change, error, num_changes = change[:, varies], error[:, varies], num_changes[varies]
    size = np.sqrt(np.square(change).sum(axis=0) / num_changes)
    error[np.abs(error) < COUNTED_ERROR * size] = 0.0
    left = np.square(error).mean(axis=0) / change.var(axis=0)
    worst = int(left.argmax())
    return {
        "state_unexplained": float(left.mean()),
        "worst_entry": int(np.flatnonzero(varies)[worst]),
        "worst_unexplained": float(left[worst]),
    }


def _by_moves(model: DynamicsEnsemble, held_out: TrajectoryDataset) -> dict[str, Any]:
    """Errors by moves made; of the states before the last decision of the longest episodes, and one decision earlier.

    Numbers of moves that few episodes reach are left out there where chance decides how long they are.
    """
    by_moves = figures_by_moves(Followed.of(model, held_out), held_out)
    least = MIN_LONGEST if model.draws_ends else 0
    errors = [row["state_error"] for row in by_moves if row["moves_made"] and row["num_episodes"] >= least]
    figures: dict[str, Any] = {"by_moves": by_moves}
    if len(errors) > 1:
        figures |= {"last_state_error": errors[-1], "earlier_state_error": errors[-2]}
    return figures


def leak_figures(
    model: DynamicsEnsemble, dataset: TrajectoryDataset, held_out: TrajectoryDataset | None
) -> dict[str, Any]:
    """What predicted observations tell of what is hidden, on held-out episodes or, where these are few, on all.

    The probe is about the model and not about what it learned from; it needs many episodes more than unseen ones.
    """
    are_unseen = held_out is not None and held_out.num_independent_episodes >= MIN_PROBED
    probed = held_out if held_out is not None and are_unseen else dataset
    group = 2 if probed.is_mirrored else 1
    num_groups = probed.num_trajectories // group
    if num_groups * group > MOST_PROBED:
        first = group * np.linspace(0, num_groups - 1, MOST_PROBED // group).astype(np.int64)
        probed = probed.select((first[:, None] + np.arange(group)).ravel())
    return {
        "leaks": leaks(Followed.of(model, probed), probed),
        "num_probed": probed.num_trajectories,
        "probed_are_held_out": are_unseen,
    }


def _is_uniform(dataset: TrajectoryDataset) -> bool:
    """Whether the log says that every action was drawn uniformly from the legal ones, and shows whole episodes."""
    if dataset.truncated.any():
        return False
    if dataset.behavior_log_prob is None:
        return dataset.behavior == "uniform_random"
    acts = dataset.acting_player >= 0
    uniform = -np.log(dataset.legal_masks()[acts].sum(axis=1))
    return bool(np.allclose(dataset.behavior_log_prob[acts], uniform, atol=1e-3))


def _spread(rows: Float32) -> float:
    """Mean absolute deviation from the mean: the error of a model that knows no more than that."""
    values = rows.astype(np.float64)
    return float(np.abs(values - values.mean(axis=0)).mean()) if len(values) else 0.0


def _mean(values: NDArray[Any]) -> float | None:
    return float(np.mean(values)) if len(values) else None
