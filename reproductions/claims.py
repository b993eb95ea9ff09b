"""Put what the paper claims (Nguyen and Wellman 2026, Sections 5.3 to 5.5) beside what sweeps found.

    coffee-fast report reduced -o reproductions/reduced
    coffee-fast report reduced_ablation -o reproductions/reduced_ablation
    python reproductions/claims.py reproductions/reduced --ablation reproductions/reduced_ablation

reads ``results.csv`` of the reports and writes ``claims.md`` into the first: mean regrets, then a line for each claim
and place where it can be looked at. Each line compares mean true-game regrets (or model errors) over runs: "agrees" if
a one-sided test for the claimed sign is below 0.05, "contradicts" if that for the other sign is, and else "open". The
test is Welch's; of two solvers on the same strategies, and in the ablation, of paired differences. Runs of one seed
learn from one log and one model, so the p-value of their paired differences stands beside Welch's. No p-value is
adjusted for the number of lines.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

LEVEL = 0.05
MIN_PAIRS = 3  # two differences that happen to be alike would pass any test
KINDS = [(algorithm, solver) for algorithm in ("COffeE", "OEF", "OEF-BC") for solver in ("R2D", "RD")]
BEST = {"R2D": (2.0, 0.1), "RD": (4.0, 0.2)}  # penalty and coverage that the ablation departs from
EARLY = 1 / 3  # of the iterations
NUM_LAST = 5  # iterations whose mean regret counts in the ablation: single ones are noisy

Kind = tuple[str, str]  # algorithm and exploration solver
Line = tuple[str, str, str, str]  # claim, where, what was found, verdict


class Comparison:
    """The final solutions' regrets; OEF-BC at the weight that is best over all datasets, as the paper tunes it."""

    def __init__(self, results: pd.DataFrame) -> None:
        self.final = results[results.iteration == results.num_iterations]
        cloned = self.final[self.final.algorithm == "OEF-BC"]
        means = cloned.groupby(["exploration", "cloning_weight", "condition"]).regret.mean()
        self.weights = {
            explores: float(means[explores].groupby("cloning_weight").mean().idxmin())
            for explores in means.index.get_level_values(0).unique()
        }
        self.conditions = sorted(self.final.condition.unique())

    def regrets(self, kind: Kind, condition: str, extraction: str) -> pd.Series:
        """One number a run, by seed."""
        algorithm, explores = kind
        rows = self.final
        rows = rows[(rows.condition == condition) & (rows.algorithm == algorithm) & (rows.exploration == explores)]
        rows = rows[rows.extraction == extraction]
        if algorithm == "OEF-BC":
            rows = rows[rows.cloning_weight == self.weights[explores]]
        return rows.set_index("seed").regret


def is_lower(first: pd.Series, second: pd.Series, is_paired: bool = False) -> tuple[str, str]:
    """Say the difference of the means in words, and whether the first is lower as claimed; series are by seed."""
    both = pd.concat([first, second], axis=1, join="inner").to_numpy()
    differences = both[:, 0] - both[:, 1]
    of_pairs = float(stats.ttest_1samp(differences, 0.0, alternative="less").pvalue) if np.ptp(differences) > 0 else 0.5
    if is_paired:
        is_tested = len(differences) >= MIN_PAIRS
        p = of_pairs if is_tested else 0.5
        words = f"{f'p = {p:.3g}' if is_tested else 'not tested'}, {len(differences)} pairs"
        difference, error = differences.mean(), float(stats.sem(differences))
    else:
        p = float(stats.ttest_ind(first, second, equal_var=False, alternative="less").pvalue)
        words = f"p = {p:.3g}, paired {of_pairs:.3g}, {len(first)} and {len(second)} runs"
        difference, error = first.mean() - second.mean(), float(np.hypot(stats.sem(first), stats.sem(second)))
    verdict = "agrees" if p < LEVEL else "contradicts" if p > 1 - LEVEL else "open"
    return f"{difference:+.2f} ± {error:.2f} ({words})", verdict


def is_positive(rows: pd.DataFrame, first: str, second: str) -> tuple[str, str]:
    """Say the correlation of two columns in words, and whether it is positive as claimed."""
    found = stats.pearsonr(rows[first], rows[second])
    low, high = found.confidence_interval()
    verdict = "agrees" if low > 0 else "contradicts" if high < 0 else "open"
    return f"r = {found.statistic:.2f} ({low:.2f} to {high:.2f}), {len(rows)} runs", verdict


def in_words(kind: Kind) -> str:
    return f"{kind[0]} with {kind[1]}"


def regret_claims(comparison: Comparison) -> Iterator[Line]:
    """Section 5.3: who has the lower regret."""
    best, cloned, plain = ("COffeE", "R2D"), ("OEF-BC", "R2D"), ("OEF", "R2D")
    pairs: list[tuple[str, Kind, list[Kind], str]] = [
        ("COffeE with R2D has lower regret than OEF", best, KINDS[2:4], ""),
        ("COffeE with R2D has lower regret than OEF-BC", best, KINDS[4:], ""),
        ("OEF-BC has lower regret than OEF on uniform data", cloned, [plain], "uniform"),
        ("OEF has lower regret than OEF-BC on equilibrium data", plain, [cloned], "equilibrium"),
        ("COffeE with R2D has lower regret than with RD", best, [("COffeE", "RD")], ""),
    ]
    for claim, kind, rivals, only in pairs:
        for condition in comparison.conditions:
            for rival in rivals if only in condition else ():
                for extraction in ("R2D", "RD"):
                    first, second = (comparison.regrets(k, condition, extraction) for k in (kind, rival))
                    if min(len(first), len(second)) > 1:
                        where = f"{condition}, {in_words(rival)}, extracted by {extraction}"
                        yield claim, where, *is_lower(first, second)
    for condition in comparison.conditions:
        for kind in KINDS:
            first, second = (comparison.regrets(kind, condition, extraction) for extraction in ("R2D", "RD"))
            if min(len(first), len(second)) > 1:
                found = is_lower(first, second, is_paired=True)
                yield "R2D extracts solutions of lower regret than RD", f"{condition}, {in_words(kind)}", *found


def fidelity_claims(comparison: Comparison) -> Iterator[Line]:
    """Section 5.4 and Figure 2: model fidelity; one point a run, without OEF-BC."""
    rows = comparison.final[(comparison.final.extraction == "R2D") & (comparison.final.algorithm != "OEF-BC")]
    for condition, own in rows.groupby("condition"):
        claim = "Disagreement and utility error rise together"
        yield claim, str(condition), *is_positive(own, "disagreement", "utility_error")
    for condition, own in rows.groupby("condition"):
        for explores in ("R2D", "RD"):
            groups = own[own.exploration == explores].set_index("seed").groupby("algorithm").utility_error
            errors = [groups.get_group(name) for name in ("COffeE", "OEF")]  # by seed
            where = f"{condition}, explored with {explores}"
            yield "Conservative terms lower the utility error", where, *is_lower(*errors)
    for condition, own in rows.groupby("condition"):
        for name in ("COffeE", "OEF"):
            groups = own[own.algorithm == name].set_index("seed").groupby("exploration").utility_error
            errors = [groups.get_group(solver) for solver in ("RD", "R2D")]
            yield "Exploring with R2D compromises fidelity", f"{condition}, {name}, RD against R2D", *is_lower(*errors)
    for condition, own in rows.groupby("condition"):
        words, verdict = is_positive(own, "utility_error", "regret")
        verdict = "agrees" if verdict == "open" else "contradicts"
        yield "Low utility error does not by itself mean low regret", str(condition), words, verdict


def ablation_claims(results: pd.DataFrame) -> Iterator[Line]:
    """Section 5.5 and Figure 3: penalty and coverage; each solver extracts from what it explored."""
    own = results[(results.extraction == results.exploration) & (results.iteration > 0)]
    late = own[own.iteration > own.num_iterations - NUM_LAST]
    final = own[own.iteration == own.num_iterations]

    def runs(rows: pd.DataFrame, explores: str, penalty: float, coverage: float, column: str) -> pd.Series:
        rows = rows[(rows.exploration == explores) & (rows.uncertainty_penalty == penalty)]
        return rows[rows.coverage_weight == coverage].groupby("seed")[column].mean()

    for explores, claim in (
        ("R2D", "With R2D small penalty and coverage have the lowest regret"),
        ("RD", "With RD moderate penalty and coverage have the lowest regret"),
    ):
        penalty, coverage = BEST[explores]
        best = runs(late, explores, penalty, coverage, "regret")
        for other in settings(final, explores):
            if other != BEST[explores]:
                where = "against λ {:g}, β {:g}".format(*other)
                yield claim, where, *is_lower(best, runs(late, explores, *other, "regret"), is_paired=True)
    for explores in BEST:
        rows = final[final.exploration == explores]
        for column, name in (("uncertainty_penalty", "λ"), ("coverage_weight", "β")):
            fixed = "coverage_weight" if column == "uncertainty_penalty" else "uncertainty_penalty"
            line = rows[rows[fixed] == BEST[explores][fixed == "coverage_weight"]]
            words, verdict = is_positive(line.assign(fidelity=-line.utility_error), column, "fidelity")
            yield f"A larger {name} lowers the utility error", f"explored with {explores}", words, verdict
    early = own[own.iteration <= EARLY * own.num_iterations]
    for explores, (penalty, _) in BEST.items():
        small, large = (runs(early, explores, penalty, coverage, "regret") for coverage in (0.1, 0.3))
        claim, where = "More coverage slows the first iterations", f"explored with {explores}, β 0.1 against 0.3"
        yield claim, where, *is_lower(small, large, is_paired=True)


def regrets_table(comparison: Comparison, extraction: str = "R2D") -> list[str]:
    """Return mean true regrets of all methods as a table in Markdown."""
    data = [condition.strip("()").split(", ")[1] + " play" for condition in comparison.conditions]
    lines = [f"| method | explored with | {' | '.join(data)} |", "|---" * (2 + len(data)) + "|"]
    for algorithm, explores in KINDS:
        cells = []
        for condition in comparison.conditions:
            found = comparison.regrets((algorithm, explores), condition, extraction)
            cells.append(f"{found.mean():.2f} ± {stats.sem(found):.2f}")
        weight = f", weight {comparison.weights[explores]:g}" if algorithm == "OEF-BC" else ""
        lines.append(f"| {algorithm}{weight} | {explores} | {' | '.join(cells)} |")
    return lines


def settings(results: pd.DataFrame, explores: str) -> list[tuple[float, float]]:
    rows = results[results.exploration == explores]
    return sorted(set(zip(rows.uncertainty_penalty, rows.coverage_weight, strict=True)))


def page(folder: Path, ablation: Path | None = None) -> str:
    """Return all lines as a table in Markdown."""
    comparison = Comparison(pd.read_csv(folder / "results.csv"))
    lines = [*regret_claims(comparison), *fidelity_claims(comparison)]
    if ablation is not None:
        lines += ablation_claims(pd.read_csv(ablation / "results.csv"))
    out = [*regrets_table(comparison), "", "| claim | where | found | verdict |", "|---|---|---|---|"]
    last = ""
    for claim, where, found, verdict in lines:
        out.append(f"| {claim if claim != last else ''} | {where} | {found} | {verdict} |")
        last = claim
    weights = ", ".join(f"{weight:g} with {solver}" for solver, weight in sorted(comparison.weights.items()))
    out += ["", f"OEF-BC acts by the cloned policy with probability {weights}: the best over all datasets here."]
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=Path, help="folder of the comparison's report")
    parser.add_argument("--ablation", type=Path, help="folder of the ablation's report")
    arguments = parser.parse_args()
    text = page(arguments.report, arguments.ablation)
    (arguments.report / "claims.md").write_text(text)
    print(text)
