"""Real runs in real processes: killed, told to stop and gone on with, to the same table."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet
import pytest
from tests.small_runs import PLAN

import coffee_fast as cf
from coffee_fast import _files
from coffee_fast.sweeps import SweepPlan, run_sweep, states

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds workers in /proc")


@pytest.fixture(scope="module")
def plan_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("plan") / "plan.toml"
    file.write_text(PLAN)
    return file


@pytest.fixture(scope="module")
def finished(plan_file, tmp_path_factory):
    """An uninterrupted sweep."""
    folder = tmp_path_factory.mktemp("finished")
    summary = run_sweep(plan_file, folder)
    assert summary.is_complete, summary
    return folder


def start(plan_file, folder, *options) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "coffee_fast", "sweep", str(plan_file), "--sweep-dir", str(folder), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def workers_of(sweep: subprocess.Popen[str]) -> list[int]:
    with contextlib.suppress(FileNotFoundError):
        tasks = list(Path(f"/proc/{sweep.pid}/task").iterdir())
        return [int(pid) for task in tasks for pid in (task / "children").read_text().split()]
    return []


def wait_until(condition, seconds=30.0):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "that took too long"
        time.sleep(0.02)
    return found


def nobody_works(folder):
    locks = [*(folder / "locks").glob("*"), *(folder / "runs").glob("*/.lock")]

    def is_free(path):
        with contextlib.suppress(_files.LockedError), _files.lock(path):
            return True
        return False

    return all(map(is_free, locks))


def num_written(folder) -> int:
    return sum(file.is_file() for file in (folder / "runs").rglob("*"))


def test_killed_again_and_again_it_ends_in_the_same_table(plan_file, finished, tmp_path):
    rng = random.Random(5)
    # Moments are told by what is written, not by the clock, so that there is something left to kill on any machine.
    for victim, moment in (("worker", 1), ("sweep", 20)):
        with start(plan_file, tmp_path, "--retries", "2") as sweep:
            workers = wait_until(lambda sweep=sweep: workers_of(sweep))
            wait_until(lambda moment=moment: num_written(tmp_path) >= moment)
            os.kill(sweep.pid if victim == "sweep" else rng.choice(workers), signal.SIGKILL)
            sweep.kill()
    assert not (tmp_path / "results.parquet").exists()
    # Two sweeps at once bring it to its end, while the workers of the last may still be leaving.
    with start(plan_file, tmp_path, "--num-workers", "1") as one, start(plan_file, tmp_path) as other:
        for sweep in (one, other):
            _, err = sweep.communicate(timeout=60)
            assert sweep.returncode == 0, err
            assert "2/2 runs ended" in err
    assert (tmp_path / "results.parquet").read_bytes() == (finished / "results.parquet").read_bytes()


def test_a_killed_worker_is_replaced_and_a_killed_sweep_takes_its_workers_along(plan_file, finished, tmp_path):
    with start(plan_file, tmp_path, "--num-workers", "1") as sweep:
        (worker,) = wait_until(lambda: workers_of(sweep))
        wait_until(lambda: list(tmp_path.glob("runs/*/config.json")))
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: set(workers_of(sweep)) - {worker})
        wait_until(lambda: list(tmp_path.glob("runs/*/dataset.json")))
        sweep.kill()
    wait_until(lambda: nobody_works(tmp_path))
    assert {state.state for state in states(SweepPlan.read(plan_file), tmp_path).values()} == {"pending"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_stops_its_workers_and_says_how_to_go_on(plan_file, tmp_path, number):
    with start(plan_file, tmp_path) as sweep:
        wait_until(lambda: list(tmp_path.glob("runs/*/config.json")))
        sweep.send_signal(number)
        _, err = sweep.communicate(timeout=20)
    assert sweep.returncode == 75, err
    assert f"go on with: coffee-fast sweep {plan_file} --sweep-dir {tmp_path}" in err
    assert "Traceback" not in err
    assert nobody_works(tmp_path)
    assert {state.state for state in states(SweepPlan.read(plan_file), tmp_path).values()} == {"pending"}


def test_a_damaged_run_folder_is_named_and_left_alone(plan_file, finished, tmp_path):
    folder = shutil.copytree(finished, tmp_path / "sweep")
    first, _ = SweepPlan.read(plan_file).runs
    file = folder / "runs" / first.key / "config.json"
    (folder / "outcomes" / f"{first.key}.json").unlink()
    file.write_text("{")
    with start(plan_file, folder, "--keep-going") as sweep:
        out, err = sweep.communicate(timeout=60)
    assert sweep.returncode == 1, err
    assert f"{file}: is not JSON" in out
    assert "1 done, 1 failed" in out
    assert file.read_text() == "{"


def test_a_dry_run_lists_and_writes_nothing(plan_file, finished, tmp_path):
    keys = [run.key for run in SweepPlan.read(plan_file).runs]
    for folder, state in ((tmp_path / "new", "pending"), (finished, "done")):
        with start(plan_file, folder, "--dry-run", "--json") as sweep:
            listed = json.loads(sweep.communicate(timeout=20)[0])
        assert [(run["key"], run["state"]) for run in listed["runs"]] == [(key, state) for key in keys]
    assert not (tmp_path / "new").exists()


def test_ray_runs_on_all_nodes_and_outlives_the_loss_of_one(plan_file, finished, tmp_path, monkeypatch):
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    command = [sys.executable, "-c", RAY_SWEEP, str(plan_file), str(tmp_path)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert answer.returncode == 0, answer.stderr
    assert "both nodes are at work" in answer.stdout
    assert answer.stdout.splitlines()[-1] == "done done"
    outcomes = [json.loads(file.read_text()) for file in tmp_path.glob("outcomes/*.json")]
    assert sorted(outcome["num_attempts"] for outcome in outcomes) == [1, 2]
    assert (tmp_path / "results.parquet").read_bytes() == (finished / "results.parquet").read_bytes()


# A cluster of two nodes with a processor each, so that both runs can only be under way on different ones.
RAY_SWEEP = """
import sys, threading, time
from pathlib import Path
from ray.cluster_utils import Cluster
from coffee_fast.sweeps import run_sweep

node = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}
cluster = Cluster(initialize_head=True, head_node_args=node)
second = cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20)
cluster.wait_for_nodes()
folder = Path(sys.argv[2])

def remove_a_node():
    while len(list(folder.glob("runs/*/config.json"))) < 2:
        time.sleep(0.05)
    assert not list(folder.glob("outcomes/*"))
    print("both nodes are at work", flush=True)
    cluster.remove_node(second, allow_graceful=False)

thread = threading.Thread(target=remove_a_node)
thread.start()
summary = run_sweep(sys.argv[1], folder, engine="ray", address=cluster.address, retries=2)
thread.join()
print(*(state.state for state in summary.states.values()))
cluster.shutdown()
"""


def test_runs_learn_from_a_log_of_ones_own(tmp_path):
    """Named relative to where the sweep is started; of a game that nobody can play, so the model alone speaks."""
    log = cf.generate_dataset(cf.load_game("generalized_bargaining"), num_trajectories=60, seed=3)
    log = cf.TrajectoryDataset(dataclasses.replace(log.spec, name="our_auction_house"), log.arrays)
    log.save(tmp_path / "log")
    file = tmp_path / "plan.toml"
    file.write_text(PLAN.replace("dataset.num_trajectories = 60", f'dataset.path = "{os.path.relpath(tmp_path)}/log"'))

    assert run_sweep(file, tmp_path / "sweep").is_complete
    table = pyarrow.parquet.read_table(tmp_path / "sweep" / "results.parquet").to_pylist()
    assert len(table) == 2
    for row in table:
        assert row["evaluation.status"].startswith("skipped")
        assert 0.0 <= row["solution.sum_model_regret"] <= row["solution.sum_pessimistic_regret"]
    with pytest.raises(cf.InvalidArgumentError, match="judged in a true game"):
        cf.report_sweep(tmp_path / "sweep", tmp_path / "report")
