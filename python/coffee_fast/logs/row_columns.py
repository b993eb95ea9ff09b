"""The columns of observations, states and probabilities, brought from the rows of a table to the rows of play."""

from __future__ import annotations

from typing import Any

import numpy as np

from coffee_fast.errors import DatasetError
from coffee_fast.logs.columns import ChosenColumns
from coffee_fast.logs.layout import Layout, states_of
from coffee_fast.logs.play import Play, latest_known
from coffee_fast.logs.rows import Steps
from coffee_fast.logs.views import Views, views_of, without_gaps
from coffee_fast.typing import Float32, Float64


class RowColumns:
    """What a table says beside who did what and was paid what."""

    def __init__(self, chosen: ChosenColumns, play: Play, steps: Steps) -> None:
        self.chosen, self.play, self.steps = chosen, play, steps
        self.table_row = steps.source.max(axis=1)[play.step]

    def observations(self, earlier: Layout | None) -> tuple[Views | None, Float64]:
        """``[T, N, F]``: what players see, NaN where it is not known."""
        steps, play, N = self.steps, self.play, self.steps.num_players
        names = steps.player_names
        views = views_of(self.chosen, "observation", steps, earlier.features if earlier else None, names)
        if views is None:
            if earlier and earlier.features:
                self.chosen.require("observation")
            return None, np.zeros((play.num_rows, N, 0))
        if earlier and views.kind != earlier.kind:
            raise DatasetError(
                f"{self.chosen.caller}: the observation must be of {earlier.kind}, as in the log that the "
                f"specification is from, got that of {views.kind}"
            )
        source = steps.source if views.kind != "each" else np.repeat(steps.source.max(axis=1)[:, None], N, axis=1)
        by_chance = steps.outcome >= 0
        if views.kind == "mover":
            source = np.where(by_chance[:, None], -1, source)
        found = views.at(source)
        acts = steps.action >= 0
        found = without_gaps(self.chosen, views, found, acts, steps.source.max(axis=1))
        return views, found[play.step]

    def states(self, earlier: Layout | None) -> tuple[Float64 | None, list[dict[str, Any]] | None]:
        """``[T, D]`` of the columns of states, None without such."""
        features = earlier.state_features if earlier else None
        if "state" not in self.chosen and features is None:
            return None, None
        if features is not None:
            self.chosen.require("state")
        views = views_of(self.chosen, "state", self.steps, features, ())
        assert views is not None
        found = views.values[:, 0]
        if (absent := np.argwhere(np.isnan(found[self.table_row]))).size:
            row = self.table_row[absent[0, 0]]
            raise DatasetError(f"{self.chosen.caller}: row {row}: state is missing; fill it in, or leave the row out")
        for seat in range(self.steps.num_players):
            own = np.where(self.steps.source[:, seat] >= 0, self.steps.source[:, seat], self.steps.source.max(axis=1))
            if (bad := np.flatnonzero((found[own] != found[self.steps.source.max(axis=1)]).any(axis=1))).size:
                raise DatasetError(
                    f"{self.chosen.caller}: {self.steps.place(bad[0])}: the rows of a step differ in state"
                )
        return found[self.table_row], views.features

    def as_given(
        self, found: Float64, state: Float64 | None, sizes: tuple[int, int]
    ) -> tuple[Float32, Float32, Float32 | None]:
        """Observations, states and next states as they are: a state that is not given is all observations."""
        caller, play = self.chosen.caller, self.play
        if found.shape[2] != sizes[1]:
            self.chosen.require("observation")
            raise DatasetError(
                f"{caller}: observation must have {sizes[1]} entries, as observation_size says, got {found.shape[2]}"
            )
        seen = latest_known(play, found, np.zeros(found.shape[2], dtype=bool))
        pending = states_of(play, seen[:, :, :0], None, Layout(horizon=1))
        pending = pending if play.moves == "simultaneous" else pending[:, :0]
        given = seen.reshape(play.num_rows, -1) if state is None else state
        if state is not None and given.shape[1] == sizes[0]:
            pending = pending[:, :0]  # they stand in it already
        whole = np.concatenate([given.astype(np.float32), pending], axis=1)
        if whole.shape[1] != sizes[0]:
            what = "the state" if state is not None else "all players' observations side by side, as there is no state,"
            raise DatasetError(
                f"{caller}: {what} must have {sizes[0]} entries, as state_size says, got {whole.shape[1]}; without a "
                "specification (None) the layout is worked out"
            )
        if "next_state" not in self.chosen or state is None:
            return seen.astype(np.float32), whole, None
        views = views_of(self.chosen, "next_state", self.steps, None, ())
        assert views is not None
        if views.values.shape[2] != sizes[0]:
            raise DatasetError(f"{caller}: next_state must have {sizes[0]} entries, got {views.values.shape[2]}")
        return seen.astype(np.float32), whole, views.values[self.table_row, 0].astype(np.float32)

    def log_probabilities(self) -> Float32 | None:
        """``[T]``: of the actions taken; 0 of chance and of not acting."""
        if "behavior_log_prob" not in self.chosen:
            return None
        views = views_of(self.chosen, "behavior_log_prob", self.steps, None, self.steps.player_names)
        assert views is not None
        seat, play = np.maximum(self.play.seat, 0), self.play
        row = self.steps.source[play.step, seat]
        width = views.values.shape[2]
        found = views.values[row, 0, seat] if width == play.num_players > 1 else views.values[row, 0, 0]
        found = np.where(play.acts, found, 0.0)
        if (bad := np.flatnonzero(np.isnan(found))).size:
            raise DatasetError(f"{self.chosen.caller}: row {row[bad[0]]}: behavior_log_prob is missing")
        return found.astype(np.float32)
