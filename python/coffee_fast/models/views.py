"""What players see and may do: examples for the networks of legal actions and observations, by what they look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from coffee_fast.models.entries import EntryKinds
from coffee_fast.models.inputs import Rows, as_class, num_movers, one_hot
from coffee_fast.models.normalization import Normalizers
from coffee_fast.typing import Float32, Int64

if TYPE_CHECKING:
    from coffee_fast.data import TrajectoryDataset

MASK_SEES = ((0,), (1,))  # the state; what sees less comes first
VIEW_SEES = ((0, 0), (1, 0), (0, 1), (1, 1))  # the move, the next state
WORSE = 1.1  # times the best error, within which what sees less is taken
AS_GOOD_MASK = 1e-3  # wrong entries a state, and
AS_GOOD_VIEW = 1e-4  # mean squared error in units of the normalizer: such errors are as good as none


def mask_examples(dataset: TrajectoryDataset, normalizers: Normalizers) -> tuple[Float32, Float32, Int64]:
    """Legal actions of players on move: inputs ``[B, O + N + D]``, targets ``[B, A]`` of 0 and 1, rows of the log.

    Inputs are the mover's observation, who it is, and the state.
    """
    rows = np.flatnonzero(dataset.acting_player >= 0)
    mover = dataset.acting_player[rows].astype(np.int64)
    own = normalizers.observation(dataset.observation[rows, mover])
    parts = [own, one_hot(mover, dataset.spec.num_players), normalizers.state(dataset.state[rows])]
    return np.concatenate(parts, axis=1), dataset.legal_masks()[rows].astype(np.float32), rows


def view_examples(
    dataset: TrajectoryDataset, normalizers: Normalizers, kinds: EntryKinds
) -> tuple[Float32, Float32, Float32, Int64]:
    """Players' next observations: inputs, targets and weights ``[B, O]``, rows of the log; a row for each player.

    Inputs are a player's own former observation, who it is, who moved, who moves next, the action, the outcome, the
    next state. Weights are 1 for entries that have to be predicted, else 0.
    """
    spec, rows = dataset.spec, np.flatnonzero(Rows.of(dataset).goes_on)
    N, M = spec.num_players, num_movers(spec)
    player, following = (dataset.acting_player[at].astype(np.int32) for at in (rows, rows + 1))
    is_chance, taken = player < 0, dataset.action[rows]
    action = normalizers.action(spec.action_vectors[np.where(is_chance, 0, taken)])
    action[is_chance] = 0.0
    outcome = np.zeros((len(rows), spec.chance_vectors.shape[1]), dtype=np.float32)
    if is_chance.any():
        outcome[is_chance] = normalizers.chance(spec.chance_vectors[taken[is_chance]])
    mover = as_class(spec, player)
    common = [one_hot(mover, M), one_hot(as_class(spec, following), M), action, outcome]
    common.append(normalizers.state(dataset.next_state[rows]))
    whole = np.repeat(np.concatenate(common, axis=1), N, axis=0)
    seat = np.tile(np.arange(N), len(rows))
    before, after = (dataset.observation[at].reshape(len(seat), -1) for at in (rows, rows + 1))
    inputs = np.concatenate([normalizers.observation(before), one_hot(seat, N), whole], axis=1)
    weights = kinds.predicts_observation[mover].astype(np.float32).reshape(len(seat), -1)
    return inputs, normalizers.observation(after), weights, np.repeat(rows, N)


def mask_seeing(dataset: TrajectoryDataset, inputs: Float32, sees: Sequence[int]) -> Float32:
    """The inputs of :func:`mask_examples`, zeros for what is not looked at."""
    return _seeing(inputs, [(dataset.spec.state_size, sees[0])])


def view_seeing(dataset: TrajectoryDataset, inputs: Float32, sees: Sequence[int]) -> Float32:
    """The inputs of :func:`view_examples`, zeros for what is not looked at."""
    spec = dataset.spec
    move = spec.action_vectors.shape[1] + spec.chance_vectors.shape[1]
    return _seeing(inputs, [(move, sees[0]), (spec.state_size, sees[1])])


def _seeing(inputs: Float32, last: Sequence[tuple[int, int]]) -> Float32:
    inputs, end = inputs.copy(), inputs.shape[1]
    for size, is_seen in reversed(last):
        inputs[:, end - size : end] *= np.float32(is_seen)
        end -= size
    return inputs


def least_that_predicts(errors: Sequence[float], as_good: float) -> int:
    """The first of the candidates, which see more and more, whose held-out error is within a tenth of the best.

    What a player must not know cannot be shown by what does not see it.
    """
    limit = WORSE * min(errors) + as_good
    return next(place for place, error in enumerate(errors) if error <= limit)
