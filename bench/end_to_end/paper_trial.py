"""One whole trial of the preset `paper` on one core, by phase: where its hour goes, and how much memory it takes.

    taskset -c 0 python bench/end_to_end/paper_trial.py runs/paper

runs the trial (or goes on with it: times add up over all calls) and writes ``paper_trial.json`` into
``bench/results/``, of which ``bench/report.py`` makes a table.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

import cpuinfo

import coffee_fast as cf

RESULT = Path(__file__).parents[1] / "results" / cf.build_info()["isa"] / "paper_trial.json"


def run(run_dir: Path) -> dict[str, float]:
    """Carry the trial on to its end; return the usage of all calls so far, as kept in the folder."""
    start = time.perf_counter()
    cf.run_pipeline(cf.RunConfig.preset("paper"), run_dir, resume=True, num_threads=1)
    used, file = resource.getrusage(resource.RUSAGE_SELF), run_dir / "usage.json"
    before = json.loads(file.read_text()) if file.exists() else {}
    usage = {
        "wall_s": before.get("wall_s", 0.0) + time.perf_counter() - start,
        "processor_s": before.get("processor_s", 0.0) + used.ru_utime + used.ru_stime,
        "peak_memory_mib": max(before.get("peak_memory_mib", 0.0), used.ru_maxrss / 1024),
    }
    file.write_text(json.dumps(usage))
    return usage


def phases(run_dir: Path) -> dict[str, float]:
    """Wall-clock seconds of the stages, that of PSRO by what it does."""
    stages = json.loads((run_dir / "seconds.json").read_text())
    total: dict[str, float] = {}
    for record in cf.psro.load_result(run_dir / "psro").records:
        for part, seconds in record.seconds.items():
            total[part] = total.get(part, 0.0) + seconds
    parts = {
        "model_s": stages["model"],
        "learning_s": total["learning_s"],
        "acting_s": total["response"] - total["learning_s"],
        "payoff_table_s": total["payoffs"],
        "solver_s": total["meta_solver"],
    }
    parts["files_and_rest_s"] = stages["psro"] - sum(parts.values()) + parts["model_s"]
    return {**parts, "evaluation_s": stages["evaluation"]}


def main(run_dir: Path) -> None:
    usage = run(run_dir)
    summary = json.loads((run_dir / "results.json").read_text())["summary"]
    regret = {name: summary[name] for name in ("initial_sum_regret", "final_sum_regret")}
    assert regret["final_sum_regret"] < regret["initial_sum_regret"]
    benchmark: dict[str, Any] = {
        "name": "paper_trial",
        "group": "a whole trial of the preset paper, 40 iterations and evaluation, one thread",
        "implementation": "coffee_fast",
        "median_s": usage["wall_s"],
        "figures": {n: float(f"{v:.4g}") for n, v in {**usage, **phases(run_dir), **regret}.items()},
    }
    machine = {"processor": cpuinfo.get_cpu_info()["brand_raw"], "coffee_fast": cf.build_info()}
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout[:12]
    content = {"date": str(date.today()), "commit": commit, "machine": machine, "benchmarks": [benchmark]}
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(content, indent=1) + "\n")
    print(json.dumps(benchmark, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
