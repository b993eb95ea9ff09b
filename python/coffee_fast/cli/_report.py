"""Where a command's words go: progress and remarks to standard error, the result to standard output."""

from __future__ import annotations

import json
import math
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

import typer

import coffee_fast as cf
from coffee_fast.typing import ProgressCallback

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from coffee_fast.models.report import FitReport

SECONDS_BETWEEN_LINES = 5.0


def finish(result: Mapping[str, Any], text: str, as_json: bool) -> None:
    """Print the result of a command: ``text`` for a person, or one line of JSON."""
    typer.echo(json.dumps(_plain(result), allow_nan=False) if as_json else text)


def remark(text: str) -> None:
    """Tell a person something that is not the result."""
    typer.echo(text, err=True)


@contextmanager
def progress_reports(trackers: Sequence[cf.trackers.Tracker] = ()) -> Iterator[ProgressCallback]:
    """Yield a progress callback: bars with the time left on a terminal, plain lines now and then elsewhere.

    What the library warns of meanwhile is told as a remark. Trackers are told too, and closed in the end.
    """
    with ExitStack() as closing, warnings.catch_warnings():
        warnings.simplefilter("always", cf.ModelWarning)
        warnings.showwarning = _tell_warning(warnings.showwarning)
        for tracker in trackers:
            closing.enter_context(tracker)
        with _bars_or_lines() as progress:
            yield cf.trackers.tracked_by(progress, *trackers) if trackers else progress


def _tell_warning(others: Callable[..., None]) -> Callable[..., None]:
    def tell(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, cf.ModelWarning):
            remark(f"warning: {message}")
        else:
            others(message, category, *place, **more)

    return tell


@contextmanager
def _bars_or_lines() -> Iterator[ProgressCallback]:
    if not sys.stderr.isatty():
        yield PlainLines()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("[dim]{task.fields[figures]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        yield Bars(bars)


class Bars:
    """A bar for each phase; a phase that starts anew takes up its bar again."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, tuple[TaskID, int]] = {}

    def __call__(self, phase: str, done: int, total: int, figures: Mapping[str, float]) -> None:
        if phase not in self._tasks:
            self._tasks[phase] = self._bars.add_task(phase, total=total, figures=""), 0
        task, before = self._tasks[phase]
        if done < before:
            self._bars.reset(task)
        self._bars.update(task, completed=done, total=total, figures=in_words(dict(islice(figures.items(), 2))))
        self._tasks[phase] = task, done


class PlainLines:
    """One line when a phase ends, and one every few seconds on the way."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._last: dict[str, float] = {}

    def __call__(self, phase: str, done: int, total: int, figures: Mapping[str, float]) -> None:
        now = time.monotonic()
        if done < total and now - self._last.setdefault(phase, now) < SECONDS_BETWEEN_LINES:
            return
        self._last[phase] = now
        remark(f"[{now - self._start:6.1f} s] {phase} {done}/{total}  {in_words(figures)}".rstrip())


def in_words(figures: Mapping[str, float]) -> str:
    """Return ``{"loss": 0.25}`` as ``"loss 0.25"``; a figure that is not known yet is left out."""
    known = {name: value for name, value in figures.items() if not math.isnan(value)}
    return ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in known.items())


def plus_minus(value: float, error: float) -> str:
    """Return a figure with its standard error, if it has one."""
    return f"{value:.4g} ± {error:.2g}" if error else f"{value:.6g}"


def rendered(markdown: str) -> str:
    """Return Markdown as text for a terminal of this width."""
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console()
    with console.capture() as captured:
        console.print(Markdown(markdown))
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def table(rows: list[tuple[str, str]]) -> str:
    """Return two aligned columns."""
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def _plain(value: Any) -> Any:
    """Return ``value`` as JSON values: arrays as lists, paths as text, NaN and infinity as null."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def regret_in_model(solution: cf.Solution, fit: FitReport) -> dict[str, Any]:
    """Return the regret of a solution inside a model, with what that is worth, for programs."""
    return {
        "model_regret": solution.model_regret,
        "pessimistic_regret": solution.pessimistic_regret,
        "model_verdict": fit.verdict.level if fit.verdict else None,
        "held_out_reward_error": fit.reward_error,
    }


def regret_in_model_rows(solution: cf.Solution, fit: FitReport) -> list[tuple[str, str]]:
    """Return the same for people."""
    doubt = f" ({fit.verdict.in_words})" if fit.caution() and fit.verdict else ""
    return [
        ("model regret, summed", f"{solution.model_regret.sum():.4g}{doubt}"),
        ("pessimistic, by members that disagree", f"{solution.pessimistic_regret.sum():.4g}{doubt}"),
        ("what these are worth", fit.worth_of_regret()),
    ]
