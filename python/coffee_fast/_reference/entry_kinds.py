"""NumPy twin of cpp/src/entry_kinds.cpp: entries that follow a move, known from what was before it or predicted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coffee_fast.typing import Float32, Int32

PREDICTED = -1


@dataclass(frozen=True, eq=False)
class EntryKinds:
    """Of ``K`` entries and ``M`` movers, see entry_kinds.hpp.

    ``sources int32 [M, K]`` are places among what is known, or ``PREDICTED``; values of entry ``k`` are
    ``values[offsets[k]:offsets[k + 1]]``, ascending; ``least`` and ``most [K]`` bound entries that have none.
    """

    sources: Int32
    values: Float32
    offsets: Int32
    least: Float32 | None = None
    most: Float32 | None = None

    def settle(self, mover: int, first: int, known: Float32, entries: Float32) -> None:
        """Put entries from the ``first`` on right, which hold predictions; ``mover`` -1 is chance, the last."""
        for place, k in enumerate(range(first, first + len(entries))):
            source, values = self.sources[mover, k], self.values[self.offsets[k] : self.offsets[k + 1]]
            if source != PREDICTED:
                entries[place] = known[source]
            elif len(values):
                entries[place] = values[np.abs(values - entries[place]).argmin()]
            elif self.least is not None and self.most is not None:
                entries[place] = np.clip(entries[place], self.least[k], self.most[k])
