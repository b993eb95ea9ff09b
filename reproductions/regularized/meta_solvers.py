"""Anchored and risk-averse solvers beside replicator dynamics and R2D inside COffeE-PSRO: who explores, who extracts.

    coffee-fast sweep reproductions/regularized/meta_solvers.toml --sweep-dir meta_solvers --keep-going
    coffee-fast report meta_solvers -o reproductions/regularized/meta_solvers
    python reproductions/regularized/meta_solvers.py

reads ``meta_solvers/results.csv`` and writes ``meta_solvers/regrets.md`` and ``meta_solvers/regrets.png``: mean true
regret by exploration solver (rows) and extraction solver (columns), and by how much each extraction solver is below R2D
on the same strategies, a difference a run.
"""

from __future__ import annotations

import pandas as pd
from _parts import HERE
from matplotlib.figure import Figure

SOLVERS = ["GANE", "GAMD", "RQE", "R2D", "RD"]


def main() -> None:
    folder = HERE / "meta_solvers"
    results = pd.read_csv(folder / "results.csv")
    final = results[results.iteration == results.num_iterations]
    by_pair = final.pivot_table(index="exploration", columns="extraction", values="regret", aggfunc=["mean", "sem"])
    mean, error = (by_pair[name].loc[SOLVERS, SOLVERS] for name in ("mean", "sem"))
    lines = [f"| explored with | {' | '.join(f'solved by {name}' for name in SOLVERS)} |", "|---" * 6 + "|"]
    for row in SOLVERS:
        cells = [f"{mean.loc[row, column]:.2f} ± {error.loc[row, column]:.2f}" for column in SOLVERS]
        lines.append(f"| {row} | {' | '.join(cells)} |")
    by_run = final.pivot_table(index="key", columns="extraction", values="regret")
    lines += ["", "| solved by | less regret than R2D on the same strategies | in runs |", "|---|---|---|"]
    for name in SOLVERS:
        if name != "R2D":
            less = by_run["R2D"] - by_run[name]
            lines.append(f"| {name} | {less.mean():+.2f} ± {less.sem():.2f} | {(less > 0).sum()} of {len(less)} |")
    (folder / "regrets.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))

    figure = Figure(figsize=(6.4, 5.0), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(mean.to_numpy(), cmap="YlOrBr")
    middle = mean.to_numpy().mean()
    for i, row in enumerate(SOLVERS):
        for j, column in enumerate(SOLVERS):
            value = mean.loc[row, column]
            words = f"{value:.1f}\n± {error.loc[row, column]:.1f}"
            axes.text(j, i, words, ha="center", va="center", color="white" if value > 1.1 * middle else "black")
    axes.set_xticks(range(len(SOLVERS)), SOLVERS)
    axes.set_yticks(range(len(SOLVERS)), SOLVERS)
    axes.set(xlabel="extracts the solution", ylabel="explores")
    num_seeds = final.seed.nunique()
    title = (
        f"True regret, both players: mean ± standard error, {num_seeds} seeds\n12 iterations, 1000 uniform trajectories"
    )
    axes.set_title(title, fontsize="medium", loc="left")
    figure.colorbar(image, shrink=0.8)
    figure.savefig(folder / "regrets.png", dpi=130)


if __name__ == "__main__":
    main()
