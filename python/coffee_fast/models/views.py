"""What players see and may do: examples for the networks of legal actions and observations, by what they look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coffee_fast.models.entry_kinds import EntryKinds
from coffee_fast.models.inputs import Rows, as_class, normalized_moves, num_movers, one_hot
from coffee_fast.models.normalization import Normalizers
from coffee_fast.models.parts import Examples, Part
from coffee_fast.typing import Float32, Int64

if TYPE_CHECKING:
    from coffee_fast.data import TrajectoryDataset

MASK_SEES = ((0,), (1,))  # the state; what sees less comes first
VIEW_SEES = ((0, 0), (1, 0), (0, 1), (1, 1))  # the move, the next state
WORSE = 1.1  # times the best error, within which what sees less is taken
AS_GOOD_MASK = 1e-3  # wrong entries a state, and
AS_GOOD_VIEW = 1e-4  # mean squared error in units of the normalizer: such errors are as good as none


def looking_examples(
    dataset: TrajectoryDataset, normalizers: Normalizers, kinds: EntryKinds, episodes: Int64
) -> dict[str, Examples]:
    """What a log shows to networks of legal actions and, where there are such, of observations.

    One for each of what they may look at, what sees less first: ``"mask 0"``, ``"mask 1"``, ``"view 0"``, ...
    """
    inputs, legal, rows = _masks(dataset, normalizers)
    found = {
        f"mask {place}": Examples(_seeing(inputs, [dataset.spec.state_size], sees), legal, episodes[rows])
        for place, sees in enumerate(MASK_SEES)
    }
    if kinds.has_views:
        inputs, after, weights, rows = _views(dataset, normalizers, kinds)
        move = dataset.spec.action_vectors.shape[1] + dataset.spec.chance_vectors.shape[1]
        for place, sees in enumerate(VIEW_SEES):
            seen = _seeing(inputs, [move, dataset.spec.state_size], sees)
            found[f"view {place}"] = Examples(seen, after, episodes[rows], weights).that_count()
    return found


def choose_looks(parts: Sequence[Part], judges: Mapping[str, Examples]) -> dict[str, NDArray[np.uint8]]:
    """Choose, of networks that see more and more, the first that predicts as well as the best; give it its name.

    What a player must not know cannot be shown by what does not see it. Chosen is by held-out examples, ``judges``.
    The others keep their names and are not for the model. Returns ``mask.sees`` and ``view.sees``.
    """
    chosen: dict[str, NDArray[np.uint8]] = {}
    for name, options, error, as_good in (
        ("mask", MASK_SEES, _wrong_actions, AS_GOOD_MASK),
        ("view", VIEW_SEES, _squared_error, AS_GOOD_VIEW),
    ):
        tried = sorted((part for part in parts if part.name.startswith(f"{name} ")), key=lambda part: part.name)
        if tried:
            errors = [error(part, judges[part.name]) for part in tried]
            best = least_that_predicts(errors, as_good)
            tried[best].name = name
            chosen[f"{name}.sees"] = np.array(options[best], dtype=np.uint8)
    return chosen


def least_that_predicts(errors: Sequence[float], as_good: float) -> int:
    """The first of the candidates whose error is within a tenth of the best, or as good as that."""
    limit = WORSE * min(errors) + as_good
    return next(place for place, error in enumerate(errors) if error <= limit)


def _wrong_actions(part: Part, judge: Examples) -> float:
    """Wrong entries a state."""
    if not len(judge.targets):
        return 0.0
    return float(((part.outputs(judge.inputs)[0] > 0.5) != (judge.targets > 0.5)).sum(axis=1).mean())


def _squared_error(part: Part, judge: Examples) -> float:
    """Mean squared error of what is predicted."""
    if judge.weights is None or not len(judge.targets):
        return 0.0
    errors = (part.outputs(judge.inputs)[0] - judge.targets) ** 2
    return float((errors * judge.weights).sum() / judge.weights.sum())


def _masks(dataset: TrajectoryDataset, normalizers: Normalizers) -> tuple[Float32, Float32, Int64]:
    """Inputs ``[B, O + N + D]``, legal actions ``[B, A]`` of 0 and 1, rows of the log.

    Inputs are the mover's observation, who it is, and the state; of players' moves alone.
    """
    rows = np.flatnonzero(dataset.acting_player >= 0)
    mover = dataset.acting_player[rows].astype(np.int64)
    own = normalizers.observation(dataset.observation[rows, mover])
    parts = [own, one_hot(mover, dataset.spec.num_players), normalizers.state(dataset.state[rows])]
    return np.concatenate(parts, axis=1), dataset.legal_masks()[rows].astype(np.float32), rows


def _views(
    dataset: TrajectoryDataset, normalizers: Normalizers, kinds: EntryKinds
) -> tuple[Float32, Float32, Float32, Int64]:
    """Inputs, players' next observations ``[B, O]``, 1 where they have to be predicted and else 0, rows of the log.

    One row for each player after each move. Inputs are a player's own former observation, who it is, who moved, who
    moves next, the action, the outcome, the next state.
    """
    spec, rows = dataset.spec, np.flatnonzero(Rows.of(dataset).goes_on)
    N, M = spec.num_players, num_movers(spec)
    mover, following = (as_class(spec, dataset.acting_player[at].astype(np.int32)) for at in (rows, rows + 1))
    common = [one_hot(mover, M), one_hot(following, M), *normalized_moves(dataset, normalizers, rows)]
    common.append(normalizers.state(dataset.next_state[rows]))
    whole = np.repeat(np.concatenate(common, axis=1), N, axis=0)
    seat = np.tile(np.arange(N), len(rows))
    before, after = (dataset.observation[at].reshape(len(seat), -1) for at in (rows, rows + 1))
    inputs = np.concatenate([normalizers.observation(before), one_hot(seat, N), whole], axis=1)
    asked = kinds.asks_observation[mover].reshape(len(seat), -1).astype(np.float32)
    return inputs, normalizers.observation(after), asked, np.repeat(rows, N)


def _seeing(inputs: Float32, sizes: Sequence[int], sees: Sequence[int]) -> Float32:
    """Inputs that end with parts of these sizes, with zeros for those that are not looked at."""
    inputs, end = inputs.copy(), inputs.shape[1]
    for size, is_seen in zip(reversed(sizes), reversed(sees), strict=True):
        inputs[:, end - size : end] *= np.float32(is_seen)
        end -= size
    return inputs
