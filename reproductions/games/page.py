"""Makes tables and figures of what solve.py has found.

    python reproductions/games/page.py

Writes results.md (every cell), summary.md, regret.png, size.png and calibration.png beside the raw results.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import _figures
import numpy as np
from _games import BEHAVIORS, NAMES
from _methods import METHODS, TRUE_GAME

HERE = Path(__file__).parent
TREES = tuple(name for name in METHODS if "tree of the log" in name)
FROM_COUNTS = ("frequencies", *TREES)
ENOUGH = 0.15  # of what uniform play leaves to gain by moves that were seen: so little makes players worth copying
Line = Mapping[str, Any]
Cells = Mapping[tuple[str, str, int], Mapping[str, Sequence[Line]]]  # by game, behavior, size, then method


def main() -> None:
    lines = [json.loads(line) for line in (HERE / "results.jsonl").read_text().splitlines()]
    true_games = {line["game"]: line for line in lines if line["method"] == TRUE_GAME}
    cells = by_cell(lines)
    (HERE / "results.md").write_text("\n".join(results(cells, true_games)) + "\n")
    (HERE / "summary.md").write_text("\n".join(summary(cells, true_games)) + "\n")
    _figures.draw_regret(cells, true_games, HERE / "regret.png")
    _figures.draw_size(cells, true_games, HERE / "size.png")
    _figures.draw_calibration(cells, true_games, HERE / "calibration.png")


def by_cell(lines: Iterable[Line]) -> Cells:
    """Lines that found something, in the order of games, behaviors and sizes."""
    found: dict[tuple[str, str, int], dict[str, list[Line]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        if line["size"]:
            found[line["game"], line["behavior"], line["size"]][line["method"]].append(line)
    order = sorted(found, key=lambda cell: (NAMES.index(cell[0]), BEHAVIORS.index(cell[1]), cell[2]))
    return {cell: {method: found[cell][method] for method in METHODS if method in found[cell]} for cell in order}


def results(cells: Cells, true_games: Mapping[str, Line]) -> list[str]:
    """A table a game: NashConv of every method, its claims, and what the tree of the log says of it."""
    page = ["# Every cell", "", "Means over seeds; ± one standard error of three. See [README.md](README.md).", ""]
    for game in (name for name in NAMES if name in true_games):
        top = true_games[game]
        page += [
            f"## {game}",
            "",
            f"{top['num_nodes']} nodes, {top['num_information_sets']} information sets. Uniform play leaves "
            f"{top['uniform_nash_conv']:.3g} to gain, the solver in the true game {top['nash_conv']:.2g}.",
            "",
            "| logged | games | method | seeds | NashConv | payoff | claimed | in the log's tree | verdict | s |",
            "|---" * 10 + "|",
        ]
        for (_, behavior, size), methods in ((cell, found) for cell, found in cells.items() if cell[0] == game):
            played = top["logged"][behavior]["nash_conv"]
            for method, found in methods.items():
                page.append(f"| {behavior} ({played:.2g}) | {size} | {method} | {row(found)} |")
        page.append("")
    return page


def row(found: Sequence[Line]) -> str:
    """The figures of one method in one cell."""
    solved = [line for line in found if "nash_conv" in line]
    if not solved:
        return f"{len(found)} | not solved: {found[0]['failed'].split(';')[0][:90]} | | | | |"
    regrets = [line["nash_conv"] for line in solved]
    spread = f" ± {np.std(regrets, ddof=1) / len(regrets) ** 0.5:.2g}" if len(regrets) > 2 else ""
    trees = [line["in_tree"]["over_members"] for line in solved if "over_members" in line["in_tree"]]
    low, high = np.mean(trees, axis=0) if trees else (np.nan, np.nan)
    verdicts = "; ".join(dict.fromkeys(line["verdict"] for line in solved if line.get("verdict")))
    cells = [
        f"{len(solved)}",
        f"{np.mean(regrets):.3g}{spread}",
        mean_of(solved, "payoff", ".2f"),
        mean_of(solved, "claimed", ".2g"),
        f"{low:.2f} to {high:.2f}" if trees else "no tree",
        verdicts,
        mean_of([{"s": line["seconds"] + line.get("fit_seconds", 0.0)} for line in solved], "s", ".0f"),
    ]
    return " | ".join(cells)


def mean_of(lines: Sequence[Line], name: str, form: str) -> str:
    values = [line[name] for line in lines if line.get(name) is not None]
    return format(np.mean(values), form).replace("-0.00", "0.00") if values else ""


def summary(cells: Cells, true_games: Mapping[str, Line]) -> list[str]:
    """What the figures come to: methods by who was logged, coverage of bounds, verdicts."""
    page = ["# In short", "", "Made by `page.py` of results.jsonl.", ""]
    page += ["## NashConv as a share of what uniform play leaves to gain: median over games", ""]
    page += medians(cells, true_games)
    page += ["", "## How often the tree's range held the true NashConv", "", *coverage(cells)]
    page += ["", "## The verdict of the model beside true and claimed regret", "", *verdicts(cells, true_games)]
    page += ["", "## Choosing among profiles by what the log's tree says of them", "", *choices(cells, true_games)]
    return page


def shares(found: Sequence[Line], top: Line) -> list[float]:
    return [line["nash_conv"] / top["uniform_nash_conv"] for line in found if "nash_conv" in line]


def medians(cells: Cells, true_games: Mapping[str, Line]) -> list[str]:
    """A row a size and method, a column a behavior; only methods that stand on the same games compare."""
    sizes = sorted({size for _, _, size in cells})
    table = [f"| games | method | {' | '.join(BEHAVIORS)} |", "|---" * (2 + len(BEHAVIORS)) + "|"]
    for size in sizes:
        for method in METHODS:
            entries = []
            for behavior in BEHAVIORS:
                values = [
                    np.mean(shares(cells[cell][method], true_games[cell[0]]))
                    for cell in cells
                    if cell[1:] == (behavior, size) and shares(cells[cell].get(method, ()), true_games[cell[0]])
                ]
                entries.append(f"{np.median(values):.3f} ({len(values)} games)" if values else "")
            if any(entries):
                table.append(f"| {size} | {method} | {' | '.join(entries)} |")
    return table


def coverage(cells: Cells) -> list[str]:
    """Of all profiles that were judged in the tree of their log, by whether anything was unseen."""
    groups: dict[tuple[str, str], list[tuple[bool, float]]] = defaultdict(list)
    for (_, behavior, _), methods in cells.items():
        for line in (line for found in methods.values() for line in found if "over_members" in line.get("in_tree", {})):
            low, high = line["in_tree"]["over_members"]
            part = "something was unseen" if line["in_tree"]["num_unseen"] else "everything was seen"
            held = low - 1e-6 <= line["nash_conv"] <= high + 1e-6
            groups[part, behavior].append((held, high - low))
    table = ["| in the log | who was logged | profiles | range held it | median width |", "|---" * 5 + "|"]
    for (part, behavior), found in sorted(groups.items()):
        held, width = zip(*found, strict=True)
        table.append(f"| {part} | {behavior} | {len(held)} | {np.mean(held):.0%} | {np.median(width):.2g} |")
    return table


def verdicts(cells: Cells, true_games: Mapping[str, Line]) -> list[str]:
    table = ["| logged | games | game | verdict | method | true | claimed | claimed too little by |", "|---" * 8 + "|"]
    for (game, behavior, size), methods in cells.items():
        for method, found in methods.items():
            for line in (line for line in found if line.get("verdict") and line["seed"] == 0):
                off = (line["nash_conv"] - line["claimed"]) / true_games[game]["uniform_nash_conv"]
                figures = f"{line['nash_conv']:.3g} | {line['claimed']:.3g} | {off:.0%} of uniform play's"
                table.append(f"| {behavior} | {size} | {game} | {line['verdict']} | {method} | {figures} |")
    return table


Rule = Callable[[Mapping[str, Line]], Line]  # which of the lines of a cell to take, by method


def least(figure: Callable[[Line], float]) -> Rule:
    return lambda found: min(found.values(), key=figure)


def players_or_solver(found: Mapping[str, Line]) -> Line:
    """Do as the players did, where known moves gain little against it; else what the cautious solver says."""
    own = found["frequencies"]["in_tree"]
    is_enough = own["if_unseen_pays_least"] <= ENOUGH * own["uniform_if_unseen_pays_least"]
    return found["frequencies" if is_enough else "tree of the log, penalty 1"]


RULES: dict[str, Rule] = {
    **{f"always {method}": lambda found, method=method: found[method] for method in FROM_COUNTS},
    "least NashConv in the log's tree": least(lambda line: float(line["in_tree"]["nash_conv"])),
    "least upper bound in the log's tree": least(lambda line: float(line["in_tree"]["bounds"][1])),
    "**players or solver**": players_or_solver,
    "the best, which no rule knows": least(lambda line: float(line["nash_conv"])),
}


def choices(cells: Cells, true_games: Mapping[str, Line]) -> list[str]:
    """Among frequencies and the three solutions of the tree, by rules that need the log alone."""
    table = [f"| rule | {' | '.join(BEHAVIORS)} | all |", "|---" * (2 + len(BEHAVIORS)) + "|"]
    for rule, choose in RULES.items():
        found: dict[str, list[float]] = {behavior: [] for behavior in BEHAVIORS}
        for (game, behavior, size), methods in cells.items():
            firsts = {method: methods[method][0] for method in FROM_COUNTS if method in methods}
            is_whole = len(firsts) == len(FROM_COUNTS) and all(
                "bounds" in one.get("in_tree", ()) for one in firsts.values()
            )
            if size <= 10_000 and is_whole and "uniform_if_unseen_pays_least" in firsts["frequencies"]["in_tree"]:
                found[behavior] += shares([choose(firsts)], true_games[game])
        entries = [f"{np.mean(values):.2f} ({len(values)})" if values else "" for values in found.values()]
        every = [value for values in found.values() for value in values]
        table.append(f"| {rule} | {' | '.join(entries)} | {f'{np.mean(every):.2f}' if every else ''} |")
    return table


if __name__ == "__main__":
    main()
