"""Array types and the letters of shapes.

======  ==========================================
letter  axis
======  ==========================================
``B``   rollouts or rows of a batch
``T``   steps of all trajectories, one after another
``N``   players
``A``   actions
``S``   strategies of a player
``P``   profiles
``E``   members of the dynamics ensemble
``D``   features of a state
``O``   features of one player's observation
``I``   features of an information state
======  ==========================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Float32 = NDArray[np.float32]
Int64 = NDArray[np.int64]
Int32 = NDArray[np.int32]
Int8 = NDArray[np.int8]
UInt8 = NDArray[np.uint8]
UInt64 = NDArray[np.uint64]

Profile = list[Float64]
"""One array a player: mixtures, references, payoffs; one alone of a symmetric game."""

ProgressCallback = Callable[[str, int, int, Mapping[str, float]], None]
"""``progress(phase, done, total, figures)``: told now and then how far a long computation has come."""

Resume = bool | Literal["anyway"]
"""Whether to continue what is in a run folder; ``"anyway"`` also what was begun on an unlike machine or build."""

LearningSeat = tuple[int, int, int | None]
"""A seat whose player learns, the network that plays there, and the seat that it is an adversary of."""
