"""Makes tables and figures of what fits.py and small_games.py have found.

    python reproductions/models/page.py

Writes ablation.md, small_games.md, end.png and leak.png beside the raw results.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from scipy import stats

HERE = Path(__file__).parent
FIGURES = {  # of ablation.md
    "payoff_error": "error of payoffs",
    "correlation": "correlation",
    "rank_correlation": "by ranks",
    "within_members": "within members",
    "mask_errors": "wrong mask entries",
    "wrong_ends": "wrong ends",
    "seconds": "seconds",
}
SHOWN = {"paper": "the paper's", "paper, ends apart": "the paper's, ends told apart", "best": "preset best"}


def main() -> None:
    fits = read(HERE / "fits.jsonl")
    (HERE / "ablation.md").write_text("\n".join(ablation(fits)) + "\n")
    draw_end(fits)
    draw_leak(fits)
    if (HERE / "small_games.jsonl").exists():
        (HERE / "small_games.md").write_text("\n".join(small_games(read(HERE / "small_games.jsonl"))) + "\n")


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def ablation(fits: Sequence[Mapping[str, Any]]) -> list[str]:
    """Means over logs, and the p value of each variant's payoff error against preset best's, paired by log."""
    groups: dict[tuple[str, int], dict[str, dict[int, Mapping[str, Any]]]] = defaultdict(lambda: defaultdict(dict))
    for fit in fits:
        groups[fit["behavior"], fit["size"]][fit["variant"]][fit["log"]] = fit
    lines = ["# Models of logs, measured on games that none has seen", ""]
    for (behavior, size), variants in sorted(groups.items()):
        lines += [
            f"## {size} games, {behavior.replace('_', ' ')}",
            "",
            f"| variant | logs | {' | '.join(FIGURES.values())} | p |",
            "|---" * (len(FIGURES) + 3) + "|",
        ]
        for variant, by_log in variants.items():
            means = [np.mean([fit[name] for fit in by_log.values()]) for name in FIGURES]
            cells = [f"{mean:.3g}" if mean < 100 else f"{mean:.0f}" for mean in means]
            p_value = paired(variants.get("best", {}), by_log)
            lines.append(f"| {variant} | {len(by_log)} | {' | '.join(cells)} | {p_value} |")
        lines.append("")
    return lines


def paired(best: Mapping[int, Mapping[str, Any]], other: Mapping[int, Mapping[str, Any]]) -> str:
    """Of the payoff errors by log, two-sided; empty where there is nothing to tell."""
    logs = sorted(best.keys() & other.keys())
    differences = [other[log]["payoff_error"] - best[log]["payoff_error"] for log in logs]
    if len(logs) < 3 or not np.any(differences):
        return ""
    return f"{stats.ttest_1samp(differences, 0).pvalue:.2g}"


def by_moves(fits: Sequence[Mapping[str, Any]], variant: str, part: str, name: str) -> tuple[list[float], list[float]]:
    """Moves made, and the mean over logs of a figure after them."""
    found: dict[float, list[float]] = defaultdict(list)
    for fit in fits:
        if (fit["variant"], fit["behavior"], fit["size"]) == (variant, "uniform_random", 1000):
            for row in fit[part]:
                if name in row:
                    found[row["moves_made"]].append(row[name])
    made = sorted(found)
    return made, [float(np.mean(found[number])) for number in made]


def draw_end(fits: Sequence[Mapping[str, Any]]) -> None:
    """Bias of payoffs by moves made, of who accepts and of who made the offer."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True, constrained_layout=True)
    for axis, name, words in zip(
        axes, ("mover_bias", "others_bias"), ("who accepts", "who made the offer"), strict=True
    ):
        axis.axhline(0, color="0.7", linewidth=0.8)
        for variant, label in SHOWN.items():
            axis.plot(*by_moves(fits, variant, "by_moves", name), marker="o", markersize=3, label=label)
        axis.set(xlabel="offers made", title=f"payoff of {words}")
    axes[0].set_ylabel("predicted minus true")
    axes[0].legend(frameon=False, fontsize=8)
    figure.savefig(HERE / "end.png", dpi=130)
    plt.close(figure)


def draw_leak(fits: Sequence[Mapping[str, Any]]) -> None:
    """What a player is told of what only the other one knows, by moves made."""
    figure, axis = plt.subplots(figsize=(5, 3.4), constrained_layout=True)
    for variant, label in SHOWN.items():
        made, shares = by_moves(fits, variant, "leaks", "share")
        axis.plot(made, [100 * share for share in shares], marker="o", markersize=3, label=label)
    axis.set(xlabel="offers made", ylabel="variance of a hidden entry told, %")
    axis.legend(frameon=False, fontsize=8)
    figure.savefig(HERE / "leak.png", dpi=130)
    plt.close(figure)


def small_games(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """NashConv of what was found in each kind of model."""
    table = [
        "# Small games solved from logs: exact NashConv in the true game",
        "",
        "| game | logged play | games | uniform play has | model, chance averaged | model | tree | its bounds |",
        "|---" * 8 + "|",
    ]
    rows: dict[tuple[Any, ...], dict[str, list[Mapping[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        rows[line["game"], line["behavior"], line["size"]][line["kind"]].append(line)
    for place, kinds in rows.items():
        solved = [line for lines_ in kinds.values() for line in lines_ if "nash_conv" in line]
        cells = [f"{solved[0]['uniform_nash_conv']:.3g}" if solved else ""]
        for kind in ("model, chance averaged", "model", "tree"):
            found = [line["nash_conv"] for line in kinds.get(kind, []) if "nash_conv" in line]
            cells.append(f"{np.mean(found):.3g}" if found else "not solved" if kind in kinds else "")
        bounds = [line["bounds"] for line in kinds.get("tree", []) if "bounds" in line]
        cells.append("; ".join(f"{low:.2f} to {high:.2f}" for low, high in bounds))
        table.append(f"| {' | '.join(map(str, place))} | {' | '.join(cells)} |")
    return table


if __name__ == "__main__":
    main()
