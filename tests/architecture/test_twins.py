"""Every kernel has its specification: a NumPy twin of the same name, and a test that holds the two together."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEADERS = {header.stem for header in (ROOT / "cpp" / "include" / "coffee_fast").glob("*.hpp")}
# What computes nothing of its own.
TOOLS = {"aligned", "cancel", "check", "coffee_fast", "dynamics", "error", "fma_peak", "isa", "parallel", "tensor_view"}
TOOLS |= {"any_dynamics", "layer_shape", "version"}
# Specified and tested with what they serve.
TWIN = {
    "deviation": "payoff_table",
    "dynamics_ensemble_parts": "dynamics_ensemble",
    "profile_index": "payoff_table",
    "stage_game": "anchored",
}
TEST = TWIN | {"policy": "rollout", "anchored_branch": "anchored_solver", "risk_averse_branch": "risk_averse_solver"}
# The loop of acting and learning is specified by the same loop around torch.
LOOPS = {"q_learner": "responses/_torch_training.py"}


@pytest.mark.parametrize("kernel", sorted(HEADERS - TOOLS))
def test_a_kernel_has_a_twin_and_a_parity_test(kernel):
    twin = LOOPS.get(kernel, f"_reference/{TWIN.get(kernel, kernel)}.py")
    assert (ROOT / "python" / "coffee_fast" / twin).is_file()
    assert (ROOT / "tests" / "parity" / f"test_{TEST.get(kernel, kernel)}.py").is_file()


def test_the_lists_name_what_there_is():
    assert TOOLS | TEST.keys() | LOOPS.keys() <= HEADERS
