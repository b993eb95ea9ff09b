"""How a run is carried out: nothing that its result depends on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from coffee_fast.checks import check_count, check_path, check_progress, check_resume
from coffee_fast.simulation import LARGEST_INT
from coffee_fast.typing import ProgressCallback, Resume


@dataclass(frozen=True)
class Execution:
    """Where a run is kept, whether it is taken up there, how many threads work on it, and who is told."""

    run_dir: Path | None = None
    resume: Resume = False
    num_threads: int = 1
    progress: ProgressCallback | None = None

    @classmethod
    def of(
        cls, caller: str, run_dir: Any, resume: Any, num_threads: Any, progress: Any, *, folder: str = "run_dir"
    ) -> Self:
        """Return the arguments of a public function as plain values, or raise in its name."""
        return cls(
            None if run_dir is None else check_path(f"{caller}: {folder}", run_dir),
            check_resume(f"{caller}: resume", resume),
            check_count(f"{caller}: num_threads", num_threads, at_most=LARGEST_INT),
            check_progress(f"{caller}: progress", progress),
        )

    def tell(self, phase: str, done: int, total: int, figures: dict[str, float]) -> None:
        """Call ``progress``, if there is one."""
        if self.progress:
            self.progress(phase, done, total, figures)
