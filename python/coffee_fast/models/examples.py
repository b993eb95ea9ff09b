"""What a log shows to each network of a model, by the networks' names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coffee_fast.models.config import EnsembleConfig
from coffee_fast.models.entry_kinds import EntryKinds
from coffee_fast.models.inputs import (
    Rows,
    as_class,
    broke_off,
    delta_inputs,
    draws_ends,
    network_inputs,
    one_hot,
    pays,
    predicts_mover,
    rewarded_rows,
    shared_inputs,
)
from coffee_fast.models.normalization import Normalizers
from coffee_fast.models.parts import Examples
from coffee_fast.models.views import looking_examples
from coffee_fast.typing import Float32, Int64

if TYPE_CHECKING:
    from coffee_fast.data import TrajectoryDataset


def examples(
    dataset: TrajectoryDataset,
    normalizers: Normalizers,
    config: EnsembleConfig,
    kinds: EntryKinds | None = None,
    codes: Int64 | None = None,
) -> dict[str, Examples]:
    """Inputs, targets and episodes for each network; with ``codes [T]`` inputs tell the kind of luck.

    Delta networks learn ``z(s') - z(s)``: the paper's the jump to the terminal state as well; where ends are drawn,
    only what goes on. Reward networks learn from ends, or from all that may pay, in units of ``reward_scale``; where
    payments have a probability, only from what pays.
    """
    draws, rows, episodes = draws_ends(dataset.spec, config), Rows.of(dataset), episodes_of(dataset)
    inputs, states = network_inputs(dataset, normalizers, draws=draws), normalizers.state(dataset.state)
    without_luck = inputs
    if codes is not None:
        inputs = np.concatenate([inputs, one_hot(codes, config.chance_codes)], axis=1)
        without_luck = np.concatenate([without_luck, np.zeros_like(inputs[:, without_luck.shape[1] :])], axis=1)
    learned = rows.goes_on if draws else ~broke_off(dataset)
    seen = delta_inputs(dataset, inputs, rows) if draws else inputs
    deltas = normalizers.state(dataset.next_state) - states
    paid = rewarded_rows(dataset, config)
    rewards = (dataset.reward[paid] / np.float32(normalizers.reward_scale)).astype(np.float32)
    found = {
        "delta": Examples(seen[learned], deltas[learned], episodes[learned]),
        "reward": Examples(inputs[paid], rewards, episodes[paid]),
    }
    if codes is not None:
        told = codes >= 0
        found["code"] = Examples(without_luck[told], codes[told], episodes[told])
    if kinds is None:
        observations = normalizers.observation(dataset.observation).reshape(dataset.num_transitions, -1)
        views = np.concatenate([observations, dataset.legal_masks().astype(np.float32)], axis=1)
        found["shared"] = Examples(shared_inputs(dataset, normalizers, draws=draws), views, episodes)
    else:
        asked = kinds.asks_state[as_class(dataset.spec, rows.player[learned])].astype(np.float32)
        found["delta"] = found["delta"]._replace(weights=asked).that_count()
        found |= looking_examples(dataset, normalizers, kinds, episodes)
    return found | (_drawn_examples(dataset, normalizers, config, rows, inputs, episodes) if draws else {})


def _drawn_examples(
    dataset: TrajectoryDataset,
    normalizers: Normalizers,
    config: EnsembleConfig,
    rows: Rows,
    inputs: Float32,
    episodes: Int64,
) -> dict[str, Examples]:
    """What a log shows of ends, of payments, of who moves next, and of outcomes of chance.

    An episode that broke off had not ended there: left out, such rows would make ends look more likely than they are.
    """
    acts, goes_on = rows.acts, rows.goes_on
    found = {"end": Examples(inputs[acts], dataset.terminal[acts].astype(np.int64), episodes[acts])}
    if config.payments == "probability":
        may_pay, does_pay = pays(dataset)
        found["pay"] = Examples(inputs[may_pay], does_pay.astype(np.int64), episodes[may_pay])
    if predicts_mover(dataset.spec):
        following = as_class(dataset.spec, rows.next_player)
        found["mover"] = Examples(inputs[goes_on], following[goes_on], episodes[goes_on])
    if dataset.spec.num_chance_actions:
        is_chance = dataset.acting_player < 0
        states = normalizers.state(dataset.state[is_chance])
        found["chance"] = Examples(states, dataset.action[is_chance].astype(np.int64), episodes[is_chance])
    return found


def episodes_of(dataset: TrajectoryDataset) -> Int64:
    """``int64 [T]``: the episode of each row, by number; a mirror image is of the episode it mirrors."""
    trajectories = np.repeat(np.arange(dataset.num_trajectories), np.diff(dataset.trajectory_offsets))
    return trajectories // 2 if dataset.is_mirrored else trajectories
