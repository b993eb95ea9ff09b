"""ARCHITECTURE.md is true: every room is on its plan, and uses only rooms below."""

from __future__ import annotations

import ast
import graphlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "python" / "coffee_fast"
HEADERS = ROOT / "cpp" / "include" / "coffee_fast"
# What a heavy library may be imported by, and what may use the public face.
ONLY_IN = {
    "torch": {
        *("models", "responses", "teams", "cli/system", "_torch_threads"),
        *("regularized/robust/_torch_fitting", "regularized/robust/_torch_mixing"),
    },
    "matplotlib": {"plotting"},
    "pyspiel": {"games/openspiel", "games/openspiel_moves", "games/openspiel_tree"},
    "typer": {"cli"},
    "rich": {"cli"},
    "pandas": {"reports", "data/frames"},
    "pyarrow": {"sweeps/table", "reports", "logs/files", "logs/minari_files"},
    "h5py": {"logs/minari_files"},
    "tensorstore": {"logs/vaults"},
    "ray": {"sweeps/ray"},
    "onnx": {"psro/onnx_graph"},
    "gymnasium": {"environments"},
    "pettingzoo": {"environments"},
}
# A dataset is made, saved and loaded by methods of its own, and those who do the work give back a dataset.
OF_ONE_MIND = "data/dataset"


def plan(letter: str) -> dict[str, int]:
    """Return the height of each room: floors count from below, rooms of a floor from the left."""
    lines = re.findall(rf"^(?:Python|C\+\+)?\s+{letter}\d  (.*)$", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE)
    rooms = [room for line in reversed(lines) for room in line.split(" · ")]
    return {room: height for height, room in enumerate(rooms)}


def python_imports() -> Iterator[tuple[str, str, str]]:
    """Yield (file without its ending, top package, room of ours or "") of every import, lazy ones too."""
    for file in sorted(PACKAGE.rglob("*.py")):
        name = file.relative_to(PACKAGE).with_suffix("").as_posix()
        for node in ast.walk(ast.parse(file.read_text())):
            for module in imported_modules(node):
                package, _, rest = module.partition(".")
                yield name, package, rest.split(".")[0]


def imported_modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        if node.module == "coffee_fast":
            return [f"coffee_fast.{alias.name}" for alias in node.names]
        return [node.module or ""]
    return []


def reference_users() -> set[str]:
    files = (f for f in PACKAGE.rglob("*.py") if "_reference" not in f.parts)
    trees = {f.relative_to(PACKAGE).with_suffix("").as_posix(): ast.parse(f.read_text()) for f in files}
    return {
        name
        for name, tree in trees.items()
        for node in ast.walk(tree)
        if any(module.startswith("coffee_fast._reference") for module in imported_modules(node))
    }


def room(name: str) -> str:
    return name.split("/")[0]


def test_every_python_room_is_on_the_plan():
    rooms = {room(file.relative_to(PACKAGE).with_suffix("").as_posix()) for file in PACKAGE.rglob("*.py")}
    assert rooms - {"__init__"} | {"_core"} == set(plan("F"))


def test_python_rooms_use_only_rooms_below():
    heights = plan("F")
    upwards = [
        f"{name} imports {used}"
        for name, package, used in python_imports()
        if package == "coffee_fast" and used and used != room(name) and heights[used] > heights.get(room(name), -1)
    ]
    assert upwards == []


def test_only_the_command_line_uses_the_public_face():
    users = {room(name) for name, package, used in python_imports() if package == "coffee_fast" and not used}
    assert users <= {"cli"}


def test_production_computes_with_the_kernels():
    """The NumPy twins are the specification: only the kernels' wrappers take their types from them.

    The learner in torch is a twin itself: order of minibatches and advantages are the specification's.
    """
    assert reference_users() == {"stage_games/kernels", "responses/_torch_policy_learner"}


@pytest.mark.parametrize("library", ONLY_IN)
def test_heavy_libraries_stay_in_their_rooms(library):
    allowed = ONLY_IN[library]
    users = {name for name, package, _ in python_imports() if package == library}
    assert {name for name in users if name not in allowed and room(name) not in allowed} == set()


def test_every_header_is_on_the_plan():
    assert {header.stem for header in HEADERS.glob("*.hpp")} - {"coffee_fast"} == set(plan("C"))


def test_headers_include_only_headers_below():
    heights = plan("C")
    for header in HEADERS.glob("*.hpp"):
        if header.stem != "coffee_fast":
            for used in re.findall(r'#include "coffee_fast/(\w+)\.hpp"', header.read_text()):
                assert heights[used] < heights[header.stem], f"{header.name} includes {used}.hpp"


def test_the_core_knows_nothing_of_python():
    for file in [*HEADERS.glob("*.hpp"), *(ROOT / "cpp" / "src").glob("*")]:
        assert not re.search(r"#include [<\"](Python|pybind11|torch|omp)", file.read_text()), file.name


def module_graph() -> dict[str, set[str]]:
    """Which of our modules each of them imports when it runs, lazily too; for types alone is no import."""
    names = {file.relative_to(PACKAGE).with_suffix("").as_posix() for file in PACKAGE.rglob("*.py")}
    graph: dict[str, set[str]] = {}
    for name in names:
        tree = ast.parse((PACKAGE / f"{name}.py").read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
                node.body = []
        found = (
            f"{node.module}.{a.name}" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for a in node.names
        )
        paths = [path.partition(".")[2].replace(".", "/") for path in found if path.startswith("coffee_fast.")]
        used = {next((p for p in (path, path.rpartition("/")[0]) if p in names), "") for path in paths}
        graph[name] = {other for other in used - {"", name} if name != OF_ONE_MIND or room(other) != "data"}
    return graph


def test_no_modules_import_each_other_in_a_circle():
    graphlib.TopologicalSorter(module_graph()).prepare()


def test_no_module_grows_past_what_fits_a_head():
    long = {f.name: n for f in PACKAGE.rglob("*.py") if (n := len(f.read_text().splitlines())) > 330}
    assert long == {}
