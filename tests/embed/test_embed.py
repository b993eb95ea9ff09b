"""A C++ program finds the kernels in the installed package, and builds them as a part of itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import coffee_fast as cf

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "examples" / "embedding"
SCRIPTS = Path(sys.executable).parent


def build_and_run(folder: Path, *options: str) -> str:
    """Configure, build and run the consumer with the cmake and ninja of this environment."""
    environment = dict(os.environ, PATH=f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}")
    environment.pop("PYTHONPATH", None)

    def run(*command: str) -> str:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    cmake = shutil.which("cmake", path=environment["PATH"])
    assert cmake is not None, "cmake comes with the extra `dev`"
    run(cmake, "-S", str(PROJECT), "-B", str(folder), "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", *options)
    run(cmake, "--build", str(folder), "--parallel", "2")
    return run(str(folder / "embedding"))


def test_find_package_finds_the_installed_package(tmp_path):
    try:
        cmake_dir = cf.get_cmake_dir()
    except cf.CoffeeError as error:
        pytest.skip(str(error))
    assert cf.__version__ in build_and_run(tmp_path, f"-Dcoffee_fast_DIR={cmake_dir}")


@pytest.mark.slow
def test_add_subdirectory_builds_the_library_and_nothing_else(tmp_path):
    assert cf.__version__ in build_and_run(tmp_path, f"-DCOFFEE_FAST_SOURCE_DIR={ROOT}")
    assert not list(tmp_path.rglob("_core*"))


def test_umbrella_header_includes_every_public_header():
    include = ROOT / "cpp" / "include" / "coffee_fast"
    umbrella = (include / "coffee_fast.hpp").read_text()
    missing = [h.name for h in include.glob("*.hpp") if h.name != "coffee_fast.hpp" and h.name not in umbrella]
    assert not missing
