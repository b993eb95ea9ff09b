"""Contracts of ``_core.Mlp``: bits, rows that know nothing of each other, arguments it refuses."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from coffee_fast._core import Mlp, build_info, measure_fma_peak
from coffee_fast.errors import InvalidArgumentError


def random_layers(*sizes):
    rng = np.random.default_rng(0)
    return [
        (rng.normal(size=(o, i)).astype(np.float32) / np.float32(i), rng.normal(size=o).astype(np.float32))
        for i, o in itertools.pairwise(sizes)
    ]


def random_product_layers(num_inputs, *widths):
    """As `random_layers`, but for the last all layers compute products."""
    rng = np.random.default_rng(0)
    layers = []
    for rows in [*(2 * width for width in widths[:-1]), widths[-1]]:
        weights = rng.normal(size=(rows, num_inputs)).astype(np.float32) / np.float32(num_inputs)
        layers.append((weights, rng.normal(size=rows).astype(np.float32)))
        num_inputs += rows // 2
    return layers


@pytest.fixture(scope="module", params=["relu", "product"])
def mlp(request):
    if request.param == "relu":
        return Mlp(random_layers(18, 250, 131))
    return Mlp(random_product_layers(18, 70, 27, 131), activation="product")


@pytest.fixture(scope="module")
def inputs():
    return np.random.default_rng(1).normal(size=(1024, 18)).astype(np.float32)


def test_a_row_has_the_same_bits_in_any_batch(mlp, inputs):
    expected = mlp.forward(inputs)
    for batch_size in range(1, 90):
        np.testing.assert_array_equal(mlp.forward(inputs[:batch_size]), expected[:batch_size])
    rng = np.random.default_rng(2)
    for batch_size in [1, 7, 13, 84, 85, 97, 500]:
        rows = rng.permutation(1024)[:batch_size]
        np.testing.assert_array_equal(mlp.forward(inputs[rows]), expected[rows])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_row_that_is_not_finite_spoils_only_itself(mlp, inputs, bad):
    expected = mlp.forward(inputs[:40])
    spoiled = inputs[:40].copy()
    spoiled[17, 3] = bad
    outputs = mlp.forward(spoiled)
    others = np.arange(40) != 17
    np.testing.assert_array_equal(outputs[others], expected[others])
    assert not np.isfinite(outputs[17]).all()


def test_relu_hands_on_nan_as_torch_does():
    one = np.ones((1, 1), np.float32), np.zeros(1, np.float32)
    values = np.array([[np.nan], [-np.inf], [-2.0], [3.0]], np.float32)
    np.testing.assert_array_equal(Mlp([one, one]).forward(values), [[np.nan], [0.0], [0.0], [3.0]])


def test_products_hand_on_nan_and_infinity_as_torch_does():
    square = np.ones((2, 1), np.float32), np.array([0.0, 0.0], np.float32)
    read_out = np.array([[1.0, 0.0]], np.float32), np.zeros(1, np.float32)
    values = np.array([[np.nan], [-np.inf], [-2.0], [1e30]], np.float32)
    outputs = Mlp([square, read_out], activation="product").forward(values)
    np.testing.assert_array_equal(outputs, [[np.nan], [np.nan], [4.0], [np.inf]])  # infinity times 0 is no number


def test_threads_may_share_one(mlp, inputs):
    expected = mlp.forward(inputs)
    with ThreadPoolExecutor(4) as pool:
        for outputs in pool.map(mlp.forward, [inputs] * 32):
            np.testing.assert_array_equal(outputs, expected)


def test_weights_are_copied(inputs):
    layers = random_layers(18, 5)
    mlp = Mlp(layers)
    expected = mlp.forward(inputs)
    layers[0][0][:] = 0.0
    np.testing.assert_array_equal(mlp.forward(inputs), expected)


FORWARD_EVERYTHING = """
import itertools, sys
import numpy as np
from coffee_fast._core import Mlp, build_info
rng = np.random.default_rng(0)
outputs = []
for sizes in [(18, 250, 250, 15), (15, 250, 131), (41, 200, 109), (18, 20, 2), (7, 33), (3, 64, 48)]:
    pairs = itertools.pairwise(sizes)
    mlp = Mlp([(rng.normal(size=(o, i)).astype("f4") / i, rng.normal(size=o).astype("f4")) for i, o in pairs])
    for batch_size in [1, 2, 3, 5, 6, 7, 13, 14, 15, 30, 97]:
        outputs.append(mlp.forward(rng.normal(size=(batch_size, sizes[0])).astype("f4")).ravel())
for num_inputs, *rows in [(21, 128, 128, 15), (21, 14, 3), (18, 66, 34, 20, 131)]:
    layers, columns = [], num_inputs
    for o in rows:
        layers.append((rng.normal(size=(o, columns)).astype("f4") / columns, rng.normal(size=o).astype("f4")))
        columns += o // 2
    mlp = Mlp(layers, activation="product")
    for batch_size in [1, 2, 3, 5, 6, 7, 13, 14, 15, 30, 97]:
        outputs.append(mlp.forward(rng.normal(size=(batch_size, num_inputs)).astype("f4")).ravel())
assert build_info()["isa"] == sys.argv[1]
sys.stdout.buffer.write(np.concatenate(outputs).tobytes())
"""


def forward_everything(isa):
    environment = os.environ | {"COFFEE_FAST_ISA": isa, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run([sys.executable, "-c", FORWARD_EVERYTHING, isa], env=environment, capture_output=True)
    if b"this processor has only" in run.stderr:
        pytest.skip(run.stderr.decode().splitlines()[-1])
    assert run.returncode == 0, run.stderr.decode()
    return np.frombuffer(run.stdout, np.float32)


def test_avx2_and_avx512_give_the_same_bits():
    np.testing.assert_array_equal(forward_everything("avx2"), forward_everything("avx512"))


def test_the_portable_kernel_agrees_but_for_rounding():
    portable = forward_everything("portable")
    np.testing.assert_allclose(portable, forward_everything("avx2"), rtol=0, atol=1e-5)


def test_fma_peak_is_a_plausible_figure():
    assert build_info()["isa"] in ("portable", "neon", "avx2", "avx512")
    assert 0.5 < measure_fma_peak(duration_s=0.002) < 2000.0
    with pytest.raises(InvalidArgumentError, match="duration_s must be positive, got 0"):
        measure_fma_peak(duration_s=0.0)


WEIGHTS, BIAS = np.ones((3, 2), np.float32), np.zeros(3, np.float32)


@pytest.mark.parametrize(
    ("layers", "error", "message"),
    [
        ([], InvalidArgumentError, "at least one layer"),
        ([(WEIGHTS, BIAS[:2])], InvalidArgumentError, r"bias of layer 0 must have shape \[3\], got \[2\]"),
        ([(WEIGHTS, BIAS)] * 2, InvalidArgumentError, r"weights of layer 1 must have shape \[3, 3\], got \[3, 2\]"),
        ([(WEIGHTS[:, :0].copy(), BIAS)], InvalidArgumentError, r"must not be empty, got shape \[3, 0\]"),
        ([(WEIGHTS * np.float32("nan"), BIAS)], InvalidArgumentError, "weights of layer 0 must be finite"),
        ([(WEIGHTS, BIAS + np.float32("inf"))], InvalidArgumentError, "bias of layer 0 must be finite"),
        ([(WEIGHTS[0], BIAS)], InvalidArgumentError, "weights of layer 0 must have 2 axes"),
        ([(WEIGHTS.astype(np.float64), BIAS)], TypeError, "weights of layer 0 must be .* float32 .* float64"),
        ([(WEIGHTS.T, BIAS[:2])], TypeError, "weights of layer 0 must be a C-contiguous .* strided"),
        ([(WEIGHTS, [0.0] * 3)], TypeError, "bias of layer 0 must be .* got list"),
        ([WEIGHTS], TypeError, "layer 0 must be a pair"),
        ([(WEIGHTS, BIAS, BIAS)], TypeError, "layer 0 must be a pair"),
    ],
)
def test_layers_that_are_refused(layers, error, message):
    with pytest.raises(error, match=message):
        Mlp(layers)


@pytest.mark.parametrize(
    ("layers", "activation", "message"),
    [
        ([(WEIGHTS, BIAS)] * 2, "product", "product layer 0 must have two rows for each of its outputs, got 3 rows"),
        (
            [(WEIGHTS[:2].copy(), BIAS[:2]), (WEIGHTS, BIAS)],
            "product",
            r"weights of layer 1 must have shape \[3, 3\], got \[3, 2\]",
        ),
        ([(WEIGHTS, BIAS)], "tanh", "activation must be relu or product, got tanh"),
    ],
)
def test_products_that_are_refused(layers, activation, message):
    with pytest.raises(InvalidArgumentError, match=message):
        Mlp(layers, activation=activation)


@pytest.mark.parametrize(
    ("inputs", "error", "message"),
    [
        (np.zeros((4, 17), np.float32), InvalidArgumentError, r"inputs must have shape \[4, 18\], got \[4, 17\]"),
        (np.zeros(18, np.float32), InvalidArgumentError, "inputs must have 2 axes"),
        (np.zeros((4, 18)), TypeError, "inputs must be a C-contiguous float32 array, got a float64"),
        (np.zeros((4, 36), np.float32)[:, ::2], TypeError, "got a strided float32 array"),
        (None, TypeError, "got NoneType"),
    ],
)
def test_inputs_that_are_refused(mlp, inputs, error, message):
    with pytest.raises(error, match=message):
        mlp.forward(inputs)


def test_sizes():
    mlp = Mlp(random_layers(18, 250, 131))
    assert (mlp.input_size, mlp.output_size) == (18, 131)
    assert mlp.num_parameters == 19 * 250 + 251 * 131
    assert mlp.forward(np.zeros((0, 18), np.float32)).shape == (0, 131)


@pytest.mark.parametrize("shape", [(2, 3), (0,), ()])
def test_layers_in_an_array_are_refused(shape):
    """Whose rows are made as they are asked for, and which may have none to ask for."""
    words = (
        rf"layers must be a sequence of pairs \(weights, bias\), got a float64 array of shape {re.escape(str(shape))}"
    )
    with pytest.raises(TypeError, match=words):
        Mlp(np.zeros(shape))
