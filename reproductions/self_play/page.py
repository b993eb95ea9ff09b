"""Makes compare.md and compare.png of what compare.py has found.

python reproductions/self_play/page.py
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
FIRST = "self-play"  # what all others are held against
MARKERS = "osD^v<>P"
Lines = Mapping[int, Mapping[str, Any]]  # of one method, by log


def main() -> None:
    groups: dict[tuple[str, int], dict[str, dict[int, Mapping[str, Any]]]] = defaultdict(lambda: defaultdict(dict))
    for line in (json.loads(line) for line in (HERE / "compare.jsonl").read_text().splitlines()):
        groups[line["behavior"], line["size"]][line["method"]][line["log"]] = line
    parts = ["# Regret in the true game, summed over both players", ""]
    for (behavior, size), methods in sorted(groups.items()):
        parts += [f"## {size} games, {behavior.replace('_', ' ')}", "", *table(methods), ""]
    (HERE / "compare.md").write_text("\n".join(parts))
    draw(groups["uniform_random", 1000])


def table(methods: Mapping[str, Lines]) -> list[str]:
    """Means over logs with standard errors; p values of regrets against the first method's, paired by log."""
    rows = [
        "| method | logs | regret | payoff | pessimistic, in the model | processor seconds | p |",
        "|---" * 7 + "|",
    ]
    for method, by_log in methods.items():
        regrets = [line["regret"] for line in by_log.values()]
        spread = f" ± {np.std(regrets, ddof=1) / len(regrets) ** 0.5:.2f}" if len(regrets) > 1 else ""
        payoff, seconds = (np.mean([line[name] for line in by_log.values()]) for name in ("payoff", "seconds"))
        pessimistic = [line["pessimistic_regret"] for line in by_log.values() if "pessimistic_regret" in line]
        claimed = f"{np.mean(pessimistic):.2f}" if pessimistic else ""
        p_value = paired(methods.get(FIRST, {}), by_log)
        cells = [f"{np.mean(regrets):.2f}{spread}", f"{payoff:.2f}", claimed, f"{seconds:.0f}", p_value]
        rows.append(f"| {method} | {len(by_log)} | {' | '.join(cells)} |")
    return rows


def paired(first: Lines, other: Lines) -> str:
    """Two-sided, by the logs that both have; empty where there is nothing to tell."""
    logs = sorted(first.keys() & other.keys())
    differences = [other[log]["regret"] - first[log]["regret"] for log in logs]
    if len(logs) < 3 or not np.any(differences):
        return ""
    return f"{stats.ttest_1samp(differences, 0).pvalue:.2g}"


def draw(methods: Mapping[str, Lines]) -> None:
    """Regret against processor time, a mark a log; methods in the order of their regret, but for cloning, far above."""
    figure, axis = plt.subplots(figsize=(9.5, 4.6), constrained_layout=True)
    means = {method: np.mean([line["regret"] for line in by_log.values()]) for method, by_log in methods.items()}
    means.pop("cloning", None)
    for number, method in enumerate(sorted(means, key=lambda name: means[name])):
        lines: Sequence[Mapping[str, Any]] = list(methods[method].values())
        style = {"marker": MARKERS[number % len(MARKERS)], "color": f"C{number % 10}", "alpha": 0.8}
        axis.plot(*([line[name] for line in lines] for name in ("seconds", "regret")), ls="", label=method, **style)
    axis.set(xlabel="processor seconds, the model's fit among them", ylabel="true regret, summed", xscale="log")
    axis.set_ylim(0, None)
    axis.grid(alpha=0.3)
    figure.legend(frameon=False, fontsize=8, loc="outside right center")
    figure.savefig(HERE / "compare.png", dpi=130)
    plt.close(figure)


if __name__ == "__main__":
    main()
