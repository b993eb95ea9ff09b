"""How this copy of coffee_fast was built, and where C++ programs find it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from coffee_fast import _core
from coffee_fast.errors import CoffeeError

__version__ = str(_core.build_info()["version"])


def build_info() -> dict[str, Any]:
    """Return ``version``, ``compiler``, ``isa`` (the instruction set in use) and ``num_cores`` of the compiled kernels.

    The instruction set is the widest that the processor has; the environment variable ``COFFEE_FAST_ISA`` (portable,
    neon, avx2, avx512) forces a narrower one.

    >>> sorted(build_info())
    ['compiler', 'isa', 'num_cores', 'version']
    """
    return dict(_core.build_info())


def get_cmake_dir() -> str:
    """Return the folder of the CMake package: ``cmake -Dcoffee_fast_DIR=$(that) ...`` makes ``find_package`` find it.

    Raises
    ------
    CoffeeError
        If this copy is a source tree rather than an installed package.
    """
    places = (Path(_core.__file__).parent, Path(__file__).parent)  # they differ in an editable install
    for place in places:
        folder = place / "lib" / "cmake" / "coffee_fast"
        if (folder / "coffee_fastConfig.cmake").is_file():
            return str(folder)
    raise CoffeeError(
        f"get_cmake_dir: no CMake package in {places[0]}; it comes with `pip install .`, "
        "or with `cmake --install` for one without Python"
    )
