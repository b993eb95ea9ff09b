"""The waist: what everything that plays asks of what is played."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from coffee_fast.games.spec import GameSpec


@runtime_checkable
class Dynamics(Protocol):
    """Something that can be played: a true game, a model learned from a log, a simulator of your own.

    Attributes
    ----------
    core
        Its moves for the compiled kernels, many episodes at a time.
    spec
        Sizes and layout, and who moves and is paid when.
    fingerprint
        Tells dynamics apart that play differently; results and folders of runs name it.
    reward_scale
        Rewards are divided by it where values are learned.
    """

    @property
    def core(self) -> Any: ...
    @property
    def spec(self) -> GameSpec: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def reward_scale(self) -> float: ...
