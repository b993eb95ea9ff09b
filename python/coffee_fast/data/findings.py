"""What a check of a log finds, and what follows from it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from coffee_fast.data.rounds import moves_before
from coffee_fast.errors import DatasetError, shown
from coffee_fast.typing import Int64

if TYPE_CHECKING:
    from coffee_fast.data.dataset import TrajectoryDataset


@dataclass(frozen=True)
class Finding:
    """One thing about a log that a reader must know before learning from it.

    Attributes
    ----------
    kind
        What it is about, in a word or two.
    severity
        ``"refused"``: no model is learned from this log. ``"warning"``: one is, and this is to be kept in mind.
    place
        The first trajectory and step where it shows; ``"the log"`` where it shows in the log as a whole.
    message, consequence, remedy
        What was found; what a model or a solution would make of it; what to do.
    """

    kind: str
    severity: Literal["refused", "warning"]
    place: str
    message: str
    consequence: str
    remedy: str

    def to_json(self) -> dict[str, str]:
        """Return the finding as plain JSON values."""
        return dataclasses.asdict(self)

    def __str__(self) -> str:
        return f"{self.place}: {self.message}; {self.consequence}. {self.remedy}"


@dataclass(frozen=True)
class DatasetCheck:
    """What :meth:`TrajectoryDataset.check` found in the log of a game; ``str()`` of it is for reading.

    Attributes
    ----------
    game
        Name of the game.
    findings
        Those that are refused first.
    """

    game: str
    findings: tuple[Finding, ...]

    @property
    def refused(self) -> tuple[Finding, ...]:
        """Findings that forbid to learn a model from the log."""
        return tuple(finding for finding in self.findings if finding.severity == "refused")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Findings to be kept in mind."""
        return tuple(finding for finding in self.findings if finding.severity == "warning")

    @property
    def is_learnable(self) -> bool:
        """Whether nothing is refused."""
        return not self.refused

    def require_learnable(self, function: str) -> None:
        """Raise ``DatasetError`` with the first refused finding; ``function`` is what the message names."""
        if self.refused:
            first, *others = self.refused
            more = f" ({len(others)} more in dataset.check())" if others else ""
            raise DatasetError(f"{function}: {first}{more}")

    @property
    def summary(self) -> str:
        """The findings counted, in words."""
        if not self.findings:
            return "nothing found"
        counts = ((len(self.refused), "refused"), (len(self.warnings), "warning"))
        return ", ".join(
            f"{count} {word}{'s' if word == 'warning' and count > 1 else ''}" for count, word in counts if count
        )

    def to_json(self) -> dict[str, Any]:
        """Return the check as plain JSON values."""
        return {
            "game": self.game,
            "is_learnable": self.is_learnable,
            "findings": [finding.to_json() for finding in self.findings],
        }

    def __str__(self) -> str:
        verdict = "a model can be learned from it" if self.is_learnable else "no model is learned from it"
        lines = [f"{shown(self.game)[1:-1]}: {self.summary}; {verdict}"]
        for finding in self.findings:
            lines += [
                f"  {finding.severity}: {finding.kind}, {finding.place}",
                *(f"    {sentence}" for sentence in (finding.message, finding.consequence, finding.remedy)),
            ]
        return "\n".join(lines)


class Log:
    """A dataset as the checks see it."""

    def __init__(self, dataset: TrajectoryDataset, terminal_threshold: float) -> None:
        self.dataset, self.spec = dataset, dataset.spec
        self.terminal_threshold = terminal_threshold

    @cached_property
    def trajectory(self) -> Int64:
        """``int64 [T]``: to which trajectory a transition belongs."""
        return np.repeat(np.arange(self.dataset.num_trajectories), np.diff(self.dataset.trajectory_offsets))

    @cached_property
    def step(self) -> Int64:
        """``int64 [T]``: how many rows its trajectory has before it."""
        return np.arange(self.dataset.num_transitions) - self.dataset.trajectory_offsets[self.trajectory]

    @cached_property
    def move(self) -> Int64:
        """``int64 [T]``: which move of its trajectory a transition is; of moves at once, which round."""
        if self.spec.moves == "turns":
            return self.step
        return moves_before(self.dataset.trajectory_offsets, self.dataset.acting_player) // self.spec.num_players

    @cached_property
    def shared_roles(self) -> tuple[range, ...]:
        """The seats of each role that has several, which must be alike; none in mirrored logs, where they are."""
        if self.dataset.is_mirrored:
            return ()
        seats = map(self.spec.seats_of, range(self.spec.num_roles))
        return tuple(role for role in seats if len(role) > 1)

    @cached_property
    def openings(self) -> Int64:
        """``int64``: the first decision of each trajectory; of moves at once, that of every seat."""
        player = self.dataset.acting_player >= 0
        before = moves_before(self.dataset.trajectory_offsets, self.dataset.acting_player)
        count = 1 if self.spec.moves == "turns" else self.spec.num_players
        return np.flatnonzero(player & (before < count))

    @property
    def first(self) -> Int64:
        """``int64 [N]``: the first transition of each trajectory."""
        return self.dataset.trajectory_offsets[:-1]

    @property
    def last(self) -> Int64:
        """``int64 [N]``: the last transition of each trajectory."""
        return self.dataset.trajectory_offsets[1:] - 1

    @property
    def independent_share(self) -> float:
        """Independent episodes a stored trajectory."""
        return self.dataset.num_independent_episodes / self.dataset.num_trajectories

    def place(self, row: int | np.integer[Any]) -> str:
        """Return where a transition stands, in words."""
        return f"trajectory {self.trajectory[row]}, step {self.step[row]}"
