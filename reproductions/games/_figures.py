"""The three figures of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from _games import BEHAVIORS, NAMES
from _methods import METHODS
from matplotlib.figure import Figure

from coffee_fast.plotting import _style

FLOOR = 1e-3  # shares of uniform play's NashConv below are drawn here
LOOKS = [
    *zip(_style.COLORS, _style.MARKERS, strict=True),
    ("#7f3fbf", "*"),
    ("#5f5f5f", "p"),
    ("#b8aca2", "h"),
    ("#d98880", "d"),
]
STYLES = dict(zip(METHODS, LOOKS, strict=True))
SHOWN_SIZE = 10_000
FEWEST_GAMES = 5  # of which there is a median
VERDICTS = {"good": "#009e73", "use with care": "#e69f00", "not judged": "#b8aca2", "do not trust": "#d55e00"}
Cells = Mapping[tuple[str, str, int], Mapping[str, Sequence[Mapping[str, Any]]]]


def _share(line: Mapping[str, Any], top: Mapping[str, Any], value: float | None = None) -> float:
    """A regret in units of what uniform play leaves to gain, not below the floor."""
    return max((line["nash_conv"] if value is None else value) / top["uniform_nash_conv"], FLOOR)


def draw_regret(cells: Cells, true_games: Mapping[str, Any], file: Path) -> None:
    """A panel a kind of players, a row a game, a mark a method; who was logged as a line across."""
    games = [name for name in NAMES if name in true_games]
    figure = Figure(figsize=(13, 0.5 * len(games) + 2.2), layout="constrained")
    panels = figure.subplots(1, len(BEHAVIORS), sharey=True)
    for axes, behavior in zip(panels, BEHAVIORS, strict=True):
        _style.clean(axes)
        for place, game in enumerate(reversed(games)):
            top = true_games[game]
            logged = max(top["logged"][behavior]["nash_conv"] / top["uniform_nash_conv"], FLOOR)
            axes.plot([logged, logged], [place - 0.4, place + 0.4], color="0.5", linewidth=2.5, alpha=0.6)
            found = cells.get((game, behavior, SHOWN_SIZE), {})
            for height, method in zip(np.linspace(0.32, -0.32, len(METHODS)), METHODS, strict=True):
                shares = [_share(line, top) for line in found.get(method, ()) if "nash_conv" in line]
                color, marker = STYLES[method]
                label = method if place == 0 else None
                axes.plot(
                    shares, [place + height] * len(shares), marker, color=color, markersize=5, label=label, alpha=0.85
                )
        axes.axvline(1.0, color="0.8", linewidth=0.8, zorder=0)
        axes.set_xscale("log")
        axes.set_title(behavior, loc="left", fontsize="medium")
        axes.set_yticks(range(len(games)), list(reversed(games)))
        axes.set_xlabel("NashConv / uniform play's")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(file, dpi=110)


def draw_size(cells: Cells, true_games: Mapping[str, Any], file: Path) -> None:
    """Regret against log size: a panel a kind of players; thin a game, thick the median of games with all sizes."""
    methods = ("frequencies", "tree of the log", "tree of the log, penalty 1", "tree of the log, near its players")
    sizes = sorted({size for _, _, size in cells})
    figure = Figure(figsize=(13, 3.9), layout="constrained")
    panels = figure.subplots(1, len(BEHAVIORS), sharey=True)
    for axes, behavior in zip(panels, BEHAVIORS, strict=True):
        _style.clean(axes)
        for method in methods:
            curves = []
            for game, top in true_games.items():
                found = [cells.get((game, behavior, size), {}).get(method, ()) for size in sizes]
                values = [[_share(line, top) for line in lines if "nash_conv" in line] for lines in found]
                curves.append([np.mean(shares) if shares else np.nan for shares in values])
                axes.plot(sizes, curves[-1], color=STYLES[method][0], linewidth=0.6, alpha=0.35)
            counts = np.isfinite(curves).sum(axis=0)
            kept = np.flatnonzero(counts >= FEWEST_GAMES)
            alike = [row for row in np.array(curves)[:, kept] if np.isfinite(row).all()]
            if len(kept) and alike:
                median = np.exp(np.median(np.log(alike), axis=0))
                label = f"{method} ({len(alike)} games)" if behavior == BEHAVIORS[0] else None
                axes.plot(
                    np.array(sizes)[kept], median, color=STYLES[method][0], marker="o", linewidth=2.2, label=label
                )
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.axhline(1.0, color="0.6", linewidth=0.8)
        axes.set_title(f"logged: {behavior}", loc="left", fontsize="medium")
        axes.set_xlabel("logged games")
    panels[0].set_ylabel("NashConv / uniform play's")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(file, dpi=110)


def draw_calibration(cells: Cells, true_games: Mapping[str, Any], file: Path) -> None:
    """Claimed against true regret: of solvers in the tree, of searches in the model, and the tree's upper bound."""
    figure = Figure(figsize=(13, 4.4), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True, sharex=True)
    titles = (
        "what solving the tree claims",
        "what a search in the model claims",
        "the most that the tree of the log allows",
    )
    for axes, title in zip(panels, titles, strict=True):
        _style.clean(axes)
        axes.plot([FLOOR, 30], [FLOOR, 30], color="0.6", linewidth=0.8)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_title(title, loc="left", fontsize="medium")
        axes.set_xlabel("claimed / uniform play's NashConv")
    panels[0].set_ylabel("true / uniform play's NashConv")
    seen = {"everything seen": "#009e73", "something unseen": "#d55e00"}
    marks: list[list[tuple[float, float, str]]] = [[], [], []]
    for (game, _, _), methods in cells.items():
        top = true_games[game]
        for line in (line for found in methods.values() for line in found if "nash_conv" in line):
            true, tree = _share(line, top), line["in_tree"]
            part = "something unseen" if tree.get("num_unseen", 1) else "everything seen"
            if line.get("verdict"):
                marks[1].append((_share(line, top, line["claimed"]), true, VERDICTS[line["verdict"]]))
            elif line["method"].startswith("tree"):
                marks[0].append((_share(line, top, line["claimed"]), true, seen[part]))
            if "over_members" in tree:
                marks[2].append((_share(line, top, tree["over_members"][1]), true, seen[part]))
    for axes, found in zip(panels, marks, strict=True):
        if found:
            claimed, true, colors = zip(*found, strict=True)
            axes.scatter(claimed, true, c=colors, s=14, alpha=0.6, linewidths=0)
    for axes, names in zip(panels, (seen, VERDICTS, seen), strict=True):
        for name, color in names.items():
            axes.plot([], [], "o", color=color, label=name)
        axes.legend(frameon=False, fontsize="small", loc="lower right")
    panels[0].text(FLOOR * 1.3, 12, "above the line: worse than claimed", fontsize="small", color="0.4")
    figure.savefig(file, dpi=110)
