"""An exported solution acts as the solution does, without this package."""

from __future__ import annotations

import importlib.util
import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import coffee_fast as cf

EXAMPLE = Path(__file__).parents[3] / "examples" / "play_exported.py"
SPEC = cf.load_game("generalized_bargaining").spec


def network(rng, kind="greedy"):
    layers = tuple(
        (rng.normal(size=(outputs, inputs)).astype(np.float32), rng.normal(size=outputs).astype(np.float32))
        for inputs, outputs in itertools.pairwise((41, 12, 9, 109))
    )
    return cf.NetworkPolicy(layers, kind, 1.0 if kind == "greedy" else 2.5)


@pytest.fixture
def solution(rng):
    greedy, softmax = network(rng), network(rng, "softmax")
    mixed = cf.PerStepMixture((network(rng), cf.UniformRandom(), softmax), (0.5, 0.2, 0.3))
    policies = (cf.UniformRandom(), greedy, softmax, mixed)
    table = cf.PayoffTable.symmetric(np.arange(16.0).reshape(4, 4))
    return cf.Solution.extract(policies, table, cf.meta_solvers.Uniform(), SPEC)


@pytest.fixture
def decisions(rng):
    masks = rng.integers(2, size=(50, 109)).astype(bool)
    masks[:, 0] = True
    return rng.normal(size=(50, 41)).astype(np.float32), masks


def example():
    spec = importlib.util.spec_from_file_location("play_exported", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_loader_of_the_examples_plays_the_same_distribution(solution, decisions, tmp_path):
    solution.export(tmp_path / "out")
    player = example().ExportedPlayer(tmp_path / "out")
    for index, policy in enumerate(solution.policies):
        player.drawn = index
        player.weights = np.load(tmp_path / "out" / f"strategy-{index}.npz", allow_pickle=False)
        expected = policy.probabilities(*decisions)
        for row, (features, mask) in enumerate(zip(*decisions, strict=True)):
            legal = np.flatnonzero(mask)
            found = player.probabilities(player.about["strategies"][index], features, legal)
            np.testing.assert_allclose(found, expected[row, legal], atol=1e-5)
            if policy is solution.policies[1]:
                assert player.act(features, legal.tolist()) == expected[row].argmax()


def test_the_loader_has_thirty_lines_and_draws_by_the_mixture(solution, tmp_path):
    text = EXAMPLE.read_text().split("# -----")[1]
    lines = [line for line in text.splitlines()[1:] if line.strip() and '"""' not in line]
    assert len(lines) <= 30
    solution.export(tmp_path / "out")
    player = example().ExportedPlayer(tmp_path / "out", seed=1)
    drawn = []
    for _ in range(400):
        player.reset()
        drawn.append(player.drawn)
    np.testing.assert_allclose(np.bincount(drawn, minlength=4) / 400, solution.probabilities, atol=0.1)


def test_the_loader_needs_neither_this_package_nor_torch():
    loaded = "print('coffee_fast' in sys.modules, 'torch' in sys.modules)"
    code = f"import runpy, sys; runpy.run_path({str(EXAMPLE)!r}); {loaded}"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["False", "False"]


def test_what_an_export_says_of_itself(solution, tmp_path):
    solution.export(tmp_path / "out")
    about = json.loads((tmp_path / "out" / "solution.json").read_text())
    assert about["probabilities"] == solution.probabilities.tolist()
    assert cf.GameSpec.from_json(about["spec"]) == SPEC
    assert [strategy["policy"] for strategy in about["strategies"]][-1] == "per_step_mixture"
    with pytest.raises(cf.CheckpointError, match="something here already"):
        solution.export(tmp_path / "out")


@pytest.mark.parametrize("value", [None, 1.5, "x", "torch", [], {}, -1, 10**30, object()])
@pytest.mark.parametrize("argument", ["path", "format"])
def test_impossible_exports(solution, tmp_path, argument, value):
    if argument == "path" and isinstance(value, str):
        return
    arguments = {"path": tmp_path / "out", "format": "numpy", argument: value}
    with pytest.raises(cf.InvalidArgumentError, match=f"export: {argument} must be"):
        solution.export(**arguments)
    assert not (tmp_path / "out").exists()


def test_onnx_that_is_not_installed_is_named_with_its_extra(solution, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(cf.InvalidArgumentError, match=r"pip install 'coffee-fast\[onnx\]'"):
        solution.export(tmp_path / "out", format="onnx")
    assert not (tmp_path / "out").exists()


def test_onnx_graphs_give_the_probabilities_of_the_policies(solution, decisions, tmp_path):
    reference = pytest.importorskip("onnx.reference")
    solution.export(tmp_path / "out", format="onnx")
    for index, policy in enumerate(solution.policies):
        graph = reference.ReferenceEvaluator(str(tmp_path / "out" / f"strategy-{index}.onnx"))
        (found,) = graph.run(None, {"information_states": decisions[0], "legal_masks": decisions[1]})
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, policy.probabilities(*decisions), atol=1e-5)
        assert (found[~decisions[1]] == 0).all()
