"""What all benchmarks share: one thread, and results that say on what they were measured.

A benchmark sets ``benchmark.group`` to the work in words, names the sides in a parameter ``implementation`` (ours is
``coffee_fast``), asserts that all sides give the same answer, and only then times. Where the sides do different amounts
of work it puts a figure into ``benchmark.extra_info``: ``microseconds_per_<unit>``, ``<units>_per_second`` or
``gflops``; `report.py` then compares those.
"""

from __future__ import annotations

import platform
from importlib import metadata

import pytest

import coffee_fast as cf

RIVALS = ("numpy", "scipy", "torch", "open_spiel")


@pytest.fixture(scope="session", autouse=True)
def one_torch_thread():
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def pytest_benchmark_update_machine_info(config, machine_info):
    processor = machine_info.get("cpu", {}).get("brand_raw", platform.processor())
    machine_info.clear()  # no host names: only what a figure depends on
    machine_info.update(
        processor=processor,
        python=platform.python_version(),
        coffee_fast=cf.build_info(),
        versions={name: metadata.version(name) for name in RIVALS},
    )
