"""Makes people.md and people.png of what people.py has found.

python reproductions/people/page.py
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

HERE = Path(__file__).parent
BEST = "best reply, memory 2"
COOPERATIVE = 0.4
SHARES = ("0.01", "0.03", "0.1", "0.3", "1.0")
Line = dict[str, Any]
Figure = Callable[[Line], float | None]  # of one halving; None where there is none


def main() -> None:
    lines = [json.loads(line) for line in (HERE / "people.jsonl").read_text().splitlines()]
    variants: dict[int, list[Line]] = defaultdict(list)
    for line in lines:
        variants[line["variant"]].append(line)
    runs = list(variants.values())
    parts = [
        "# Against the people of the other half",
        "A payoff a round, 0 if both always defect and 1 if both always cooperate, against people of memory 2 whom the "
        f"strategy has not seen. Means over {len(runs[0])} halvings of each of {len(runs)} variants, with standard "
        "errors over variants.",
        *methods(runs),
        "## Where people cooperate, and where not",
        *split(runs),
        "## How much log",
        *curve(runs),
        "## Each variant",
        *by_variant(runs),
        "## How long people's memory is",
        "Loss in bits of predicting a decision of the other half's.",
        *memories(runs),
        "## Without a model of the judges",
        *replays(runs),
    ]
    (HERE / "people.md").write_text("\n\n".join(parts) + "\n")
    draw(runs)


def found(name: str, share: str = "1.0", judge: int = 0) -> Figure:
    """What a method earns, or None where it refused."""

    def of(line: Line) -> float | None:
        value = line["found"][name][share]
        return None if isinstance(value, str) else float(value[judge])

    return of


def famous(name: str) -> Figure:
    return lambda line: float(line["famous"][name][0])


def people(line: Line) -> float:
    return float(line["people"][0])


def best(line: Line) -> float:
    return float(line["best"][0])


def means(runs: Sequence[Sequence[Line]], figure: Figure) -> np.ndarray:
    """One mean over halvings a variant; NaN where there is none in any."""
    values = [[value for line in run if (value := figure(line)) is not None] for run in runs]
    return np.array([np.mean(of_run) if of_run else np.nan for of_run in values])


def methods(runs: Sequence[Sequence[Line]]) -> list[str]:
    rows = [
        "| strategy | earns | more than people | better in | in all halvings | short of the best | regret of itself |",
        "|---" * 7 + "|",
    ]
    first = runs[0][0]
    for name in [*first["found"], *first["famous"], "the best reply to the judges"]:
        figure = best if name.startswith("the best") else found(name) if name in first["found"] else famous(name)
        earned = means(runs, figure)
        gain = earned - means(runs, people)
        always = sum(all((figure(line) or 0.0) > people(line) for line in run) for run in runs)
        own = ""
        if name in first["found"]:
            own = f"{means(runs, lambda line, name=name: float(line['found'][name]['regret'])).mean():.3f}"  # type: ignore[misc]
        short = means(runs, best) - earned
        cells = [f"{earned.mean():.3f}", spread(gain), f"{(gain > 0).sum()}", f"{always}", f"{short.mean():.3f}", own]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    rows.append(f"| people, against each other | {means(runs, people).mean():.3f} |  |  |  |  |  |")
    judged = means(runs, found(BEST, judge=1)) - means(runs, lambda line: float(line["people"][1]))
    note = (
        f"By judges of memory 3, the {BEST}, earns {spread(judged)} more than people, and more in {(judged > 0).sum()}."
    )
    return ["\n".join(rows), note]


def split(runs: Sequence[Sequence[Line]]) -> list[str]:
    """What strategies earn more than people, by what people earn, and the best reply beside the fittest famous one."""
    names: dict[str, Figure] = {
        BEST: found(BEST),
        "the fittest famous strategy": found("the fittest famous strategy"),
        "table of the log": found("table of the log"),
        "equilibrium near people": found("equilibrium near people"),
        "always defect": famous("always defect"),
    }
    earned, cooperate = means(runs, people), means(runs, people) >= COOPERATIVE
    rows = [
        f"| more than people | {cooperate.sum()} variants in which they earn {COOPERATIVE} or more "
        f"| the {(~cooperate).sum()} others |",
        "|---" * 3 + "|",
    ]
    for name, figure in names.items():
        gain = means(runs, figure) - earned
        rows.append(f"| {name} | {spread(gain[cooperate])} | {spread(gain[~cooperate])} |")
    ahead = means(runs, found(BEST)) - means(runs, found("the fittest famous strategy"))
    text = f"The {BEST}, is {spread(ahead)} ahead of the fittest famous strategy, in {(ahead > 0).sum()} variants."
    return ["\n".join(rows), text]


def spread(values: np.ndarray) -> str:
    return f"{values.mean():+.3f} ± {values.std(ddof=1) / len(values) ** 0.5:.3f}"


def curve(runs: Sequence[Sequence[Line]]) -> list[str]:
    """Means over variants by how much of the half is used, and in how many variants it is better than people."""
    games = [np.mean([max(1, round(float(share) * line["games"])) for run in runs for line in run]) for share in SHARES]
    rows = [
        "| of the half | " + " | ".join(f"{float(share):.0%}" for share in SHARES) + " |",
        "|---" * 6 + "|",
        "| games of one person each, on average | " + " | ".join(f"{count:.0f}" for count in games) + " |",
    ]
    for name in (name for name, results in runs[0][0]["found"].items() if "0.01" in results):
        cells = []
        for share in SHARES:
            gains = means(runs, lambda line, name=name, share=share: gain_of(line, name, share))  # type: ignore[misc]
            known = gains[~np.isnan(gains)]
            refused = sum(found(name, share)(line) is None for run in runs for line in run)
            note = f", {refused} refused" if refused else ""
            cells.append(f"{known.mean():+.3f}, better in {(known > 0).sum()}{note}")
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return ["\n".join(rows)]


def gain_of(line: Line, name: str, share: str) -> float | None:
    value = found(name, share)(line)
    return None if value is None else value - people(line)


def by_variant(runs: Sequence[Sequence[Line]]) -> list[str]:
    columns: dict[str, Figure] = {
        "people": people,
        BEST: found(BEST),
        "table of the log": found("table of the log"),
        "near people": found("equilibrium near people"),
        "always defect": famous("always defect"),
        "tit for tat": famous("tit for tat"),
        "best": best,
    }
    rows = [
        f"| variant | experiment | rules | games a half | {' | '.join(columns)} | better in |",
        "|---" * (len(columns) + 5) + "|",
    ]
    for run in runs:
        cells = [f"{np.mean([line['games'] for line in run]):.0f}"]
        cells += [f"{means([run], figure)[0]:.2f}" for figure in columns.values()]
        gains = [gain_of(line, BEST, "1.0") or 0.0 for line in run]
        cells[2] += f" ± {np.std([found(BEST)(line) for line in run], ddof=1):.2f}"
        better = f"{sum(gain > 0 for gain in gains)} of {len(run)}"
        head = f"| {run[0]['variant']} | {run[0]['source']} | {run[0]['rules']}"
        rows.append(f"{head} | {' | '.join(cells)} | {better} |")
    note = (
        "± is the standard deviation over halvings, which overlap; `better in` counts the halvings of the best reply."
    )
    return ["\n".join(rows), note]


def memories(runs: Sequence[Sequence[Line]]) -> list[str]:
    bits = np.array([np.mean([line["bits"] for line in run], axis=0) for run in runs])
    least = np.bincount(bits.argmin(axis=1), minlength=4)
    rows = ["| memory | 0 | 1 | 2 | 3 |", "|---" * 5 + "|"]
    rows.append(
        "| bits a decision, mean of variants | " + " | ".join(f"{value:.3f}" for value in bits.mean(axis=0)) + " |"
    )
    rows.append("| foretells best in variants | " + " | ".join(map(str, least)) + " |")
    return ["\n".join(rows)]


def replays(runs: Sequence[Sequence[Line]]) -> list[str]:
    """The first rounds by games as they were, of variants in which these are worth enough games."""
    worth = means(runs, lambda line: float(line["replay"]["worth"]))
    enough = [run for run, games in zip(runs, worth, strict=True) if games >= 30]
    value = {
        name: means(enough, lambda line, name=name: float(line["replay"][name]))  # type: ignore[misc]
        for name in ("replayed", "model", "people", "people, model")
    }
    gain = value["replayed"] - value["people"]
    text = (
        f"Of the first rounds (up to four) in the {len(enough)} variants where the other half's games, weighed by how "
        f"likely the {BEST} makes the moves of whoever met these people, are worth 30 or more: it earns "
        f"{value['replayed'].mean():.3f} by these games and {value['model'].mean():.3f} by the model of memory 2 "
        f"(difference {spread(value['replayed'] - value['model'])}); people earned {value['people'].mean():.3f}, by "
        f"the model {value['people, model'].mean():.3f}. By games as they were it earns {spread(gain)} more than "
        f"people, and more in {(gain > 0).sum()} variants."
    )
    return [text]


def draw(runs: Sequence[Sequence[Line]]) -> None:
    """Each variant's payoffs, and means by size of the log."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), width_ratios=(3, 2), constrained_layout=True)
    order = np.argsort(means(runs, people))
    places = np.arange(len(runs))
    shown: list[tuple[str, Figure, str, str]] = [
        ("the best reply to them", best, "_", "0.4"),
        ("best reply from the other half's log", found(BEST), "o", "C0"),
        ("people against each other", people, "s", "C3"),
        ("always defect", famous("always defect"), "x", "0.6"),
    ]
    for label, of, marker, color in shown:
        left.plot(places, means(runs, of)[order], marker, label=label, color=color, markersize=6)
    left.set_xticks(places, [str(runs[place][0]["variant"]) for place in order], fontsize=7)
    left.set(xlabel="variant", ylabel="payoff a round: 0 both defect, 1 both cooperate")
    left.legend(frameon=False, fontsize=8)
    percent = [100 * float(share) for share in SHARES]
    for name in (name for name, results in runs[0][0]["found"].items() if "0.01" in results):
        right.plot(percent, [np.nanmean(means(runs, found(name, share))) for share in SHARES], "o-", label=name)
    for label, of, style in (("people", people, "--"), ("the best reply to them", best, ":")):
        right.axhline(means(runs, of).mean(), linestyle=style, color="0.4", label=label)
    right.set(xscale="log", xlabel="% of half of the people", ylabel="mean of the variants")
    low, high = right.get_ylim()
    right.set_ylim(low, high + 0.6 * (high - low))  # room for the legend
    right.legend(frameon=False, fontsize=8, loc="upper left")
    figure.savefig(HERE / "people.png", dpi=130)
    plt.close(figure)


if __name__ == "__main__":
    main()
