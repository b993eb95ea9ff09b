"""The presets keep their bits: hashes of small runs of each, held against those of the commit that recorded them.

Bits depend on processor and torch's kernels, so elsewhere the test is skipped. Where a change of bits is meant, say so
in the change log and record anew: ``python tests/determinism/test_preset_bits.py``.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast._provenance import machine
from coffee_fast.pipeline import RunConfig, run_pipeline
from coffee_fast.psro import load_result

RECORD = Path(__file__).parent.parent / "golden" / "preset_bits.json"
FEW_STEPS = "num_steps = 300, min_replay = 100, epsilon_decay_steps = 200"
FEW_UPDATES = "kind = 'policy_gradient', num_updates = 3, num_episodes = 40"
SMALLER = [
    "dataset.num_trajectories=60",
    "model.num_steps=40",
    "model.num_reward_steps=40",
    "psro.num_iterations=2",
    "psro.num_simulations=30",
    "evaluation.num_simulations=50",
    f"psro.response={{{FEW_STEPS}}}",
]
PRESETS = ("demo", "quick", "paper")
JUDGES = dict.fromkeys(PRESETS, f"[{{{FEW_STEPS}}}, {{{FEW_UPDATES}}}]") | {"paper": f"{{{FEW_STEPS}}}"}


def numbers(*arrays) -> str:
    """Hash of arrays: their shapes and bytes."""
    digest = hashlib.sha256()
    for array in arrays:
        array = np.ascontiguousarray(array)
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]


def trained(strategies) -> list:
    """The strategies after uniform random play, of the one role."""
    of_the_role = strategies[0] if isinstance(strategies[0], tuple) else strategies
    return list(of_the_role[1:])


def bits(preset: str, run_dir: Path) -> dict[str, str]:
    """Hashes of what a small run of a preset computes, a stage at a time."""
    config = RunConfig.preset(preset).with_overrides([*SMALLER, f"evaluation.response={JUDGES[preset]}"])
    summary = run_pipeline(config, run_dir)
    dataset = cf.TrajectoryDataset.load(run_dir / "dataset")
    model = cf.DynamicsEnsemble.load(run_dir / "model")
    result = load_result(run_dir / "psro")
    solution = result.solve(config.psro.meta_solver)
    layers = [part for policy in trained(result.strategies) for layer in policy.layers for part in layer]
    return {
        "dataset": numbers(dataset.state, dataset.action, dataset.reward, dataset.next_state, dataset.observation),
        "model": numbers(*(model.arrays[name] for name in sorted(model.arrays))),
        "strategies": numbers(*layers),
        "payoffs": numbers(result.table.payoffs(0)),
        "solution": numbers(solution.mixture.probabilities),
        "true_regret": numbers([summary.final_sum_regret, summary.final_debiased_sum_regret]),
    }


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_keep_their_bits(preset, tmp_path):
    record = json.loads(RECORD.read_text())
    here = {name: said for name, said in machine().items() if name in record["machine"]}
    if here != record["machine"]:
        pytest.skip(f"recorded on {record['machine']}, this is {here}")
    assert bits(preset, tmp_path / "run") == record["bits"][preset]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        found = {preset: bits(preset, Path(folder) / preset) for preset in PRESETS}
    about = {name: said for name, said in machine().items() if name != "coffee_fast"}
    RECORD.parent.mkdir(exist_ok=True)
    RECORD.write_text(json.dumps({"machine": about, "bits": found}, indent=2) + "\n")
