"""How large the runs of a sweep were, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SIZES = {
    "psro.num_iterations": "{} iterations",
    "psro.num_simulations": "{} simulations a profile",
    "psro.response.num_steps": "{} steps a response",
    "model.num_members": "{} ensemble members",
    "model.num_steps": "{} gradient steps a dynamics network",
    "evaluation.num_simulations": "{} true-game simulations a profile",
    "evaluation.response.num_steps": "{} steps a best response in the evaluation",
}


def scale_in_words(configs: Sequence[Mapping[str, Any]]) -> str:
    """Return the sizes that these configurations have; a range where they differ.

    >>> scale_in_words([{"psro": {"num_iterations": 8}}, {"psro": {"num_iterations": 40}}])
    '8 to 40 iterations'
    """
    words = []
    for dotted, form in SIZES.items():
        values = sorted({value for config in configs if (value := _at(config, dotted)) is not None})
        if values:
            ends = dict.fromkeys([values[0], values[-1]])
            words.append(form.format(" to ".join(f"{value:,}" for value in ends)))
    return ", ".join(words)


def seeds_in_words(seeds_by_setting: Sequence[int]) -> str:
    """Return how many runs the settings have.

    >>> seeds_in_words([5, 10, 5])
    '5 to 10 seeds a setting'
    """
    low, high = min(seeds_by_setting), max(seeds_by_setting)
    number = f"{low}" if low == high else f"{low} to {high}"
    return f"{number} seed{'s' if high > 1 else ''} a setting"


def _at(config: Mapping[str, Any], dotted: str) -> Any:
    value: Any = config
    for name in dotted.split("."):
        if isinstance(value, list):  # of several kinds, the first counts
            value = value[0] if value else None
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
