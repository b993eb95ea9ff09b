"""What a policy does at a batch of decisions, as probabilities: the distributions that the kernels draw from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from coffee_fast.errors import InvalidArgumentError, NumericalError, shown
from coffee_fast.typing import Float32, Float64

Legal = NDArray[np.bool_]


def as_batch(
    name: str,
    information_states: Any,
    legal_masks: Any,
    num_features: int | None = None,
    num_actions: int | None = None,
) -> tuple[Float32, Legal]:
    """Return information states ``[B, I]`` and legal masks ``[B, A]`` as arrays, or say what is wrong with them.

    ``name`` is the function that messages name; sizes are checked where they are given.
    """
    features = as_features(f"{name}: information_states", information_states, ("B", num_features or "I"))
    legal = as_masks(f"{name}: legal_masks", legal_masks, num_actions)
    if len(features) != len(legal):
        raise InvalidArgumentError(f"{name}: legal_masks must have {len(features)} rows, got {len(legal)}")
    return features, legal


def as_features(name: str, values: Any, shape: tuple[int | str, ...]) -> Float32:
    """Return finite numbers as a new ``float32`` array of ``shape``, in which letters stand for any size."""
    try:
        with np.errstate(over="ignore"):
            array: Float32 = np.array(values, dtype=np.float32, order="C")
    except (TypeError, ValueError, OverflowError):
        raise InvalidArgumentError(f"{name} must be numbers of {_shape(shape)}, got {shown(values)}") from None
    wanted = tuple(size if isinstance(size, int) else found for size, found in zip(shape, array.shape, strict=False))
    if array.ndim != len(shape) or array.shape != wanted:
        raise InvalidArgumentError(f"{name} must have {_shape(shape)}, got {list(array.shape)}")
    if not np.isfinite(array).all():
        place = np.argwhere(~np.isfinite(array))[0].tolist()
        raise InvalidArgumentError(f"{name} must be finite, got {array[tuple(place)]} at {place}")
    return array


def as_masks(name: str, values: Any, num_actions: int | None) -> Legal:
    """Return legal masks ``[B, A]`` as booleans; each row must allow an action."""
    shape = ("B", num_actions or "A")
    try:
        array = np.asarray(values)
        is_mask = array.dtype.kind in "buif" and bool(((array == 0) | (array == 1)).all())
    except (TypeError, ValueError, OverflowError):
        is_mask = False
    if not is_mask:
        raise InvalidArgumentError(f"{name} must be 0 and 1, of {_shape(shape)}, got {shown(values)}")
    if array.ndim != 2 or num_actions not in (None, array.shape[1]):
        raise InvalidArgumentError(f"{name} must have {_shape(shape)}, got {list(array.shape)}")
    legal = array.astype(bool)
    if not legal.any(axis=1).all():
        row = int(np.argmin(legal.any(axis=1)))
        raise InvalidArgumentError(f"{name}[{row}] must allow an action, all are illegal")
    return legal


def greedy(outputs: Float32, legal: Legal) -> Float64:
    """Return probability 1 for the legal action of largest output, the lowest on ties."""
    _check_finite(outputs, legal)
    values = np.where(legal, outputs, -np.inf)
    result: Float64 = np.zeros(legal.shape)
    np.put_along_axis(result, values.argmax(axis=1)[:, None], 1.0, axis=1)
    return result


def softmax(outputs: Float32, legal: Legal, temperature: float) -> Float64:
    """Return probabilities proportional to ``exp(output / temperature)`` over the legal actions."""
    _check_finite(outputs, legal)
    values = np.where(legal, outputs.astype(np.float64), -np.inf)
    weights = np.exp((values - values.max(axis=1, keepdims=True)) / temperature)
    result: Float64 = weights / weights.sum(axis=1, keepdims=True)
    return result


def _check_finite(outputs: Float32, legal: Legal) -> None:
    wrong = legal & ~np.isfinite(outputs)
    if wrong.any():
        row, action = np.argwhere(wrong)[0].tolist()
        raise NumericalError(f"the network's output for action {action} at decision {row} is {outputs[row, action]}")


def _shape(sizes: tuple[int | str, ...]) -> str:
    return f"shape [{', '.join(map(str, sizes))}]"
