"""Put what the paper claims (Nguyen and Wellman 2026, Sections 5.3 and 5.4) beside what a sweep found.

    coffee-fast report SWEEP_DIR -o reproductions/reduced
    python reproductions/claims.py reproductions/reduced

reads ``results.csv`` of the report and writes ``claims.md`` beside it. Each line is a comparison of mean true-game
regrets over runs: "agrees" if a one-sided test (Welch's, or of paired differences) for the claimed sign is below 0.05,
"contradicts" if that for the other sign is, and else "open".
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

LEVEL = 0.05
KIND = {"COffeE with R2D": ("COffeE", "R2D"), "COffeE with RD": ("COffeE", "RD")}
KIND |= {"OEF with R2D": ("OEF", "R2D"), "OEF with RD": ("OEF", "RD")}
CLONED = ("OEF-BC with R2D", "OEF-BC with RD")


class Results:
    """The final solutions' regrets; OEF-BC at the weight that is best over all datasets, as the paper tunes it."""

    def __init__(self, table: pd.DataFrame) -> None:
        self.final = table[table.iteration == table.num_iterations]
        cloned = self.final[self.final.algorithm == "OEF-BC"]
        means = cloned.groupby(["exploration", "cloning_weight", "condition"]).regret.mean()
        self.weights = {
            explores: float(means[explores].groupby("cloning_weight").mean().idxmin())
            for explores in means.index.get_level_values(0).unique()
        }

    def conditions(self) -> list[str]:
        return sorted(self.final.condition.unique())

    def regrets(self, method: str, condition: str, extraction: str) -> pd.Series:
        """One number a run, by seed."""
        algorithm, explores = KIND.get(method, (method.split(" with ")[0], method.split(" with ")[-1]))
        f = self.final
        rows = f[(f.condition == condition) & (f.algorithm == algorithm) & (f.exploration == explores)]
        rows = rows[rows.extraction == extraction]
        if algorithm == "OEF-BC":
            rows = rows[rows.cloning_weight == self.weights[explores]]
        return rows.set_index("seed").regret


def is_lower(first: pd.Series, second: pd.Series, is_paired: bool = False) -> tuple[str, str]:
    """The difference of the means in words, and whether the first is lower as claimed."""
    if is_paired:
        both = pd.concat([first, second], axis=1, join="inner").to_numpy()
        differences = both[:, 0] - both[:, 1]
        p = float(stats.ttest_1samp(differences, 0.0, alternative="less").pvalue) if np.ptp(differences) > 0 else 0.5
        difference, error, count = differences.mean(), stats.sem(differences), f"{len(differences)} pairs"
    else:
        p = float(stats.ttest_ind(first, second, equal_var=False, alternative="less").pvalue)
        difference = first.mean() - second.mean()
        error = float(np.hypot(stats.sem(first), stats.sem(second)))
        count = f"{len(first)} and {len(second)} runs"
    verdict = "agrees" if p < LEVEL else "contradicts" if p > 1 - LEVEL else "open"
    return f"{difference:+.2f} ± {error:.2f} (p = {p:.3g}, {count})", verdict


def lines(results: Results) -> Iterator[tuple[str, str, str, str]]:
    """Claim, where, what was found, verdict."""
    pairs = (
        ("COffeE with R2D has lower regret than OEF", "COffeE with R2D", ("OEF with R2D", "OEF with RD"), None),
        ("COffeE with R2D has lower regret than OEF-BC", "COffeE with R2D", CLONED, None),
        ("OEF-BC has lower regret than OEF on uniform data", "OEF-BC with R2D", ("OEF with R2D",), "uniform"),
        ("OEF has lower regret than OEF-BC on equilibrium data", "OEF with R2D", ("OEF-BC with R2D",), "equilibrium"),
        ("COffeE with R2D has lower regret than with RD", "COffeE with R2D", ("COffeE with RD",), None),
    )
    for claim, method, rivals, only in pairs:
        for condition in results.conditions():
            if only is not None and only not in condition:
                continue
            for rival in rivals:
                for extraction in ("R2D", "RD"):
                    first, second = (results.regrets(m, condition, extraction) for m in (method, rival))
                    if min(len(first), len(second)) > 1:
                        yield claim, f"{condition}, {rival}, extracted by {extraction}", *is_lower(first, second)
    for condition in results.conditions():
        for method in (*KIND, *CLONED):
            first, second = (results.regrets(method, condition, extraction) for extraction in ("R2D", "RD"))
            if min(len(first), len(second)) > 1:
                found = is_lower(first, second, is_paired=True)
                yield "R2D extracts solutions of lower regret than RD", f"{condition}, {method}", *found


def correlations(table: pd.DataFrame) -> Iterator[tuple[str, str, str, str]]:
    """The paper's Figure 2 in numbers: one point a run and cloning weight."""
    final = table[(table.iteration == table.num_iterations) & (table.extraction == "R2D")]
    for claim, first, second in (
        ("Disagreement and utility error rise together", "disagreement", "utility_error"),
        ("Utility error and regret do not simply rise together", "utility_error", "regret"),
    ):
        for condition, rows in final.groupby("condition"):
            own = rows[rows.algorithm.isin(["COffeE", "OEF"])]
            if len(own) < 4:
                continue
            found = stats.pearsonr(own[first], own[second])
            low, high = found.confidence_interval()
            words = f"r = {found.statistic:.2f} ({low:.2f} to {high:.2f}), {len(own)} runs"
            positive = "agrees" if low > 0 else "contradicts" if high < 0 else "open"
            yield claim, str(condition), words, positive if second == "utility_error" else "-"
    for condition, rows in final.groupby("condition"):
        groups = [rows[rows.algorithm == name].set_index("key").utility_error for name in ("COffeE", "OEF")]
        if min(map(len, groups)) > 1:
            yield "Conservative terms lower the utility error", str(condition), *is_lower(*groups)


def main(folder: Path) -> None:
    table = pd.read_csv(folder / "results.csv")
    results = Results(table)
    out = ["| claim | where | found | verdict |", "|---|---|---|---|"]
    last = ""
    for claim, where, found, verdict in [*lines(results), *correlations(table)]:
        out.append(f"| {claim if claim != last else ''} | {where} | {found} | {verdict} |")
        last = claim
    weights = ", ".join(f"{weight:g} with {solver}" for solver, weight in sorted(results.weights.items()))
    out += ["", f"OEF-BC acts by the cloned policy with probability {weights}: the best over all datasets here."]
    (folder / "claims.md").write_text("\n".join(out) + "\n")
    print("\n".join(out))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
