"""The double-Q gradient step by RLtools: its headers and OpenBLAS, compiled for this processor as it does itself."""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest

SOURCE = Path(__file__).with_suffix(".cpp")
FLAGS = ("-std=c++20", "-O3", "-march=native", "-ffast-math", "-fPIC", "-shared", "-DRL_TOOLS_BACKEND_ENABLE_OPENBLAS")


@functools.cache
def compiled() -> ctypes.CDLL:
    """The rival's library; skips the test where something it is made of is missing."""
    package = importlib.util.find_spec("rltools")
    if package is None:
        pytest.skip("the package rltools is not installed")
    compiler = shutil.which("g++") or pytest.skip("no g++ to compile RLtools with")
    headers = Path(package.submodule_search_locations[0]) / "external/rl_tools/include"
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "rltools_q_step.so"
        command = [compiler, *FLAGS, f"-I{headers}", str(SOURCE), "-lopenblas", "-o", str(library)]
        built = subprocess.run(command, capture_output=True, text=True)
        if "openblas" in built.stderr:
            pytest.skip("OpenBLAS is not installed, or without what programs are linked with")
        assert built.returncode == 0, built.stderr
        loaded = ctypes.CDLL(str(library))
    loaded.openblas_set_num_threads(1)
    loaded.rltools_make.restype = ctypes.c_void_p
    return loaded


def _pointer(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _flat(layers) -> np.ndarray:
    return np.concatenate([part.ravel() for layer in layers for part in layer]).astype(np.float32)


class RLtools:
    """A learner with the sizes, batch and learning rate that the source names."""

    def __init__(self, online, target, discount: float):
        self.library, self.shapes = compiled(), [part.shape for layer in online for part in layer]
        self.discount = ctypes.c_float(discount)
        networks = [_flat(layers) for layers in (online, target)]
        self.learner = ctypes.c_void_p(self.library.rltools_make(*map(_pointer, networks)))

    def __del__(self):
        if hasattr(self, "learner"):
            self.library.rltools_free(self.learner)

    def step(self, *arrays: np.ndarray) -> None:
        self.library.rltools_step(self.learner, *map(_pointer, arrays), self.discount)

    def layers(self):
        values = np.empty(sum(map(np.prod, self.shapes)), np.float32)
        self.library.rltools_read(self.learner, _pointer(values))
        ends = np.cumsum([np.prod(shape) for shape in self.shapes])[:-1]
        parts = [part.reshape(shape) for part, shape in zip(np.split(values, ends), self.shapes, strict=True)]
        return list(zip(parts[::2], parts[1::2], strict=True))
