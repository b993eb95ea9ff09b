"""Keep the results of a benchmark run and rewrite the tables made of them.

    python -m pytest bench --benchmark-json=bench/latest.json
    python bench/report.py bench/latest.json

splits a run into one small file for each benchmark module in ``bench/results/``, in a folder for each instruction set,
then rewrites the tables between the markers of ``bench/README.md`` and the headlines of ``README.md`` from all
committed results: headlines are the lower of the ratios. Without an argument it only rewrites the tables.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BENCH = Path(__file__).parent
RESULTS = BENCH / "results"
OURS = "coffee_fast"
SIGNIFICANT_DIGITS = 4
BEGIN, END = "<!-- begin: {} (written by bench/{}) -->", "<!-- end: {} -->"


@dataclass(frozen=True)
class Headline:
    """A row of README's table: the work in words, the file and group of its benchmark, and the sides compared."""

    work: str
    file: str
    group: str
    rival: str
    rival_in_words: str
    ours: str = OURS


PLAY, LEARNED = "uniform random play", "1000 rollouts in a learned model"
RESPONSE, TWO = "best response 41-200-200-109, Table 2", "two responses of 2e4 own steps"
HEADLINES = (
    Headline("random play in the true game, a move", "test_random_play", PLAY, "open_spiel", "OpenSpiel from Python"),
    Headline("the same on two threads", "test_random_play", PLAY, OURS, "one thread", ours="two_threads"),
    Headline(
        "rollouts in the learned model", "test_ensemble_rollout", LEARNED, "torch_batched", "the same in torch, batched"
    ),
    Headline("the same", "test_ensemble_rollout", LEARNED, "torch_one_by_one", "torch, one episode at a time"),
    Headline("the same on two threads", "test_ensemble_rollout", LEARNED, OURS, "one thread", ours="two_threads"),
    Headline(
        "double Q-learning, a gradient step on 64 samples",
        "test_q_network",
        "double-Q gradient step 41-200-200-109, batch 64",
        "torch",
        "torch, fused Adam",
    ),
    Headline(
        "a best response at the paper's settings, a decision while learning",
        "test_best_response",
        RESPONSE,
        "open_spiel",
        "OpenSpiel 2.0's DQN in PyTorch",
    ),
    Headline("two responses, side by side", "test_best_response", TWO, OURS, "one after the other", ours="two_threads"),
    Headline(
        "robust replicator dynamics, a step with 41 strategies",
        "test_replicator",
        "robust dynamics, symmetric, 41 strategies",
        "numpy_two_players",
        "NumPy, as the method was published",
    ),
    Headline(
        "network forward 18-250-250-15, batch 256", "test_mlp", "delta 18-250-250-15, batch 256", "torch", "torch"
    ),
)


def keep(run: dict[str, Any]) -> None:
    """Write one trimmed file for each benchmark module of a run of pytest-benchmark."""
    modules: dict[str, list[dict[str, Any]]] = {}
    for benchmark in run["benchmarks"]:
        module = Path(benchmark["fullname"].split("::")[0]).stem
        modules.setdefault(module, []).append(_trim(benchmark))
    commit = run.get("commit_info", {})
    for module, benchmarks in modules.items():
        content = {
            "date": run["datetime"][:10],
            "commit": commit.get("id", "")[:12] + ("+" if commit.get("dirty") else ""),
            "machine": run["machine_info"],
            "benchmarks": sorted(benchmarks, key=lambda b: (b["group"], b["name"])),
        }
        folder = RESULTS / run["machine_info"]["coffee_fast"]["isa"]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{module}.json").write_text(json.dumps(content, indent=1) + "\n")


def _trim(benchmark: dict[str, Any]) -> dict[str, Any]:
    stats = benchmark["stats"]
    return {
        "name": benchmark["name"],
        "group": benchmark["group"] or benchmark["name"],
        "implementation": (benchmark["params"] or {}).get("implementation", OURS),
        "median_s": _round(stats["median"]),
        "min_s": _round(stats["min"]),
        "iqr_s": _round(stats["iqr"]),
        "rounds": stats["rounds"],
        "figures": {name: _round(value) for name, value in benchmark["extra_info"].items()},
    }


def _round(value: Any) -> Any:
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}") if isinstance(value, float) else value


def cost(benchmark: dict[str, Any]) -> float:
    """Return what to compare, smaller is better: time for one unit of work, or the median time where that is all."""
    for name, value in benchmark["figures"].items():
        if name.startswith("microseconds_per_"):
            return value
        if name.endswith("_per_second") or name == "gflops":
            return 1.0 / value
    return benchmark["median_s"]


def groups(benchmarks: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return benchmarks by group, ours first, then by cost."""
    found: dict[str, list[dict[str, Any]]] = {}
    for benchmark in benchmarks:
        found.setdefault(benchmark["group"], []).append(benchmark)
    return {name: sorted(g, key=lambda b: (b["implementation"] != OURS, cost(b))) for name, g in found.items()}


def full_tables() -> Iterator[str]:
    """Yield the lines of bench/README.md's tables, one table a module and instruction set."""
    for file in sorted(RESULTS.glob("*/*.json"), key=lambda file: (file.stem, file.parent.name)):
        content = json.loads(file.read_text())
        machine = content["machine"]
        kernels = machine["coffee_fast"]
        yield f"### {file.stem.removeprefix('test_').replace('_', ' ')}, {file.parent.name}"
        yield ""
        yield (
            f"{machine['processor']}, kernels {kernels['isa']} by {kernels['compiler']}, revision {content['commit']}, "
            f"{content['date']}"
        )
        yield ""
        yield "| work | side | median | figures | ours is faster by |"
        yield "|---|---|---|---|---|"
        for group, rows in groups(content["benchmarks"]).items():
            ours = next((row for row in rows if row["implementation"] == OURS), None)
            for row in rows:
                compared = ours is not None and row is not ours and row["implementation"] != OURS
                ratio = _factor(cost(row) / cost(ours)) if compared else ""
                figures = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in row["figures"].items())
                yield f"| {group} | {row['implementation']} | {_time(row['median_s'])} | {figures} | {ratio} |"
        yield ""


def headline_table() -> Iterator[str]:
    """Yield the lines of README's table; a headline without a committed result is left out."""
    yield "| work | rival | ours is faster by |"
    yield "|---|---|---|"
    for headline in HEADLINES:
        ratios = [ratio for file in RESULTS.glob(f"*/{headline.file}.json") for ratio in _ratios(headline, file)]
        if ratios:
            yield f"| {headline.work} | {headline.rival_in_words} | {_factor(min(ratios))} |"


def _ratios(headline: Headline, file: Path) -> Iterator[float]:
    """Yield how much faster ours is in these results, if both sides are there."""
    rows = groups(json.loads(file.read_text())["benchmarks"]).get(headline.group, [])
    costs = {row["implementation"]: cost(row) for row in rows}
    if headline.ours in costs and headline.rival in costs:
        yield costs[headline.rival] / costs[headline.ours]


def _factor(ratio: float) -> str:
    return f"{ratio:.0f}x" if ratio >= 10 else f"{ratio:.1f}x"


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def rewrite(page: Path, part: str, lines: Iterable[str], writer: str = "report.py") -> None:
    """Replace what stands between the markers of ``part`` in ``page``."""
    text = page.read_text()
    begin, end = BEGIN.format(part, writer), END.format(part)
    before, found_begin, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found_begin or not found_end:
        raise SystemExit(f"{page} lacks the markers {begin} ... {end}")
    page.write_text(f"{before}{begin}\n" + "\n".join(lines).rstrip() + f"\n{end}{after}")


def main(arguments: list[str]) -> None:
    for argument in arguments:
        keep(json.loads(Path(argument).read_text()))
    rewrite(BENCH / "README.md", "results", full_tables())
    rewrite(BENCH.parent / "README.md", "headlines", headline_table())


if __name__ == "__main__":
    main(sys.argv[1:])
