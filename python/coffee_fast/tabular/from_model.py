"""Tables from models: the arrays of a :class:`coffee_fast.TabularGame`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast.checks import check_count
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.tabular.checks import check_size
from coffee_fast.tabular.log_columns import counts
from coffee_fast.typing import Float64


def tabulate_model(model: Any, horizon: int, num_actions: Sequence[int], initial: ArrayLike) -> dict[str, Any]:
    """Return the arrays of the game that a model tells, see :meth:`coffee_fast.TabularGame.from_model`."""
    if not callable(model):
        raise InvalidArgumentError(f"from_model: model must be a function, got {type(model).__name__}")
    check_count("from_model: horizon", horizon, at_least=1)
    start = _floats("initial", initial)
    if start.ndim != 1 or start.size == 0:
        raise InvalidArgumentError(f"from_model: initial must have shape [S], got {list(start.shape)}")
    sizes, num_states = counts("from_model: num_actions", num_actions, None), len(start)
    check_size("from_model", horizon, num_states, sizes)
    rewards = np.empty((len(sizes), horizon, num_states, *sizes))
    transitions = np.empty((horizon, num_states, *sizes, num_states))
    for step in range(horizon):
        for state in range(num_states):
            for actions in np.ndindex(sizes):
                answer = model(step, state, actions)
                if not isinstance(answer, tuple | list) or len(answer) != 2:
                    raise InvalidArgumentError(
                        f"from_model: model must return rewards and probabilities, got {type(answer).__name__}"
                    )
                reward, following = (_floats("what model returns", x) for x in answer)
                for name, array, size in (("rewards", reward, len(sizes)), ("states", following, num_states)):
                    if array.ndim not in (1, 2) or array.shape[-1] != size:
                        raise InvalidArgumentError(
                            f"from_model: model must return {name} of shape [{size}] or [E, {size}], "
                            f"got {list(array.shape)} at step {step}, state {state}, actions {actions}"
                        )
                place = (step, state, *actions)
                rewards[(slice(None), *place)] = reward if reward.ndim == 1 else reward.mean(axis=0)
                transitions[place] = following if following.ndim == 1 else following.mean(axis=0)
    return {"rewards": rewards, "transitions": transitions, "initial": start}


def _floats(name: str, values: ArrayLike) -> Float64:
    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InvalidArgumentError(f"from_model: {name} must hold numbers, got {shown(values)}") from None
