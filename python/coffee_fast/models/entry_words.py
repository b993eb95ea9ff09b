"""What kinds of entries a log was found to have, in sentences for its owner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from coffee_fast.typing import Int32, Int64

if TYPE_CHECKING:
    from coffee_fast.games import GameSpec
    from coffee_fast.models.entry_kinds import EntryKinds, Values

MOST_GROUPS = 12  # of entries alike, that are listed
STAYS, TOLD, MOVED, IN_STATE = "stays as it was", "told by the last move", "copied from another", "part of the state"
NUMBER = "predicted as a number"


def in_words(spec: GameSpec, kinds: EntryKinds, movers: Int64, lost: Int64, views_lost: Int64) -> tuple[str, ...]:
    """Say what was found: how many entries of which kind, which ones, and what failed on held-out trajectories."""
    D, size = spec.state_size, spec.observation_size
    state = kinds.state_source[movers]
    seen = kinds.observation_source[movers]
    state_kinds = [_of_state(state[:, entry], entry, D, kinds.state_values) for entry in range(D)]
    view_kinds = [
        _of_view(seen[:, entry], entry % size, size, D, kinds.observation_values, entry)
        for entry in range(seen.shape[1])
    ]
    names = spec.log_columns.get("entries")
    named = [str(name) for name in names] if isinstance(names, list) and len(names) == size else None
    sentences = [f"the state's {D} entries: {_counts(state_kinds)}", _listed("state entries", state_kinds, None)]
    sentences += [f"the {size} entries of each of {spec.num_players} players' observations: {_counts(view_kinds)}"]
    for player in range(spec.num_players):
        whose = spec.player_names[player] if spec.player_names else f"player {player}"
        sentences.append(_listed(f"seen by {whose}", view_kinds[player * size : (player + 1) * size], named))
    return (*sentences, *_failed(lost, views_lost))


def _of_state(source: Int32, entry: int, D: int, values: Values) -> str:
    if (source < 0).any():
        return _predicted(values, entry)
    if (source == entry).all():
        return STAYS
    return TOLD if (source >= D).any() else MOVED


def _of_view(source: Int32, own: int, size: int, D: int, values: Values, entry: int) -> str:
    if (source < 0).any():
        return _predicted(values, entry)
    if (source == own).all():
        return STAYS
    if ((source >= size) & (source < size + D)).any():
        return IN_STATE
    return TOLD if (source >= size + D).any() else MOVED


def _predicted(values: Values, entry: int) -> str:
    count = int(values.counts[entry])
    return (NUMBER, "always the same after a move")[count] if count < 2 else f"predicted, one of {count} values"


def _counts(found: list[str]) -> str:
    kinds = Counter("predicted, one of a few values" if "value" in kind else kind for kind in found)
    return ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())


def _listed(what: str, found: list[str], names: list[str] | None) -> str:
    groups = [f"{_range(list(entries), names)} {kind}" for kind, entries in _runs(found)]
    more = f"; and {len(groups) - MOST_GROUPS} more" if len(groups) > MOST_GROUPS else ""
    return f"{what}: {'; '.join(groups[:MOST_GROUPS])}{more}"


def _runs(found: list[str]) -> Iterator[tuple[str, Iterable[int]]]:
    return groupby(range(len(found)), key=found.__getitem__)


def _range(entries: list[int], names: list[str] | None) -> str:
    first, last = ((names[entry][:40] if names else str(entry)) for entry in (entries[0], entries[-1]))
    return first if len(entries) == 1 else f"{first} to {last}"


def _failed(lost: Int64, views_lost: Int64) -> Iterator[str]:
    for what, entries in (("state", lost), ("observations", np.unique(views_lost))):
        if len(entries):
            shown = ", ".join(map(str, entries[:MOST_GROUPS].tolist())) + ", ..." * (len(entries) > MOST_GROUPS)
            yield (
                f"predicted after all: {len(entries)} entr{'ies' if len(entries) > 1 else 'y'} of the {what} ({shown}) "
                "that stayed, or was told by the move, in all games learned from and not in those held out"
            )
