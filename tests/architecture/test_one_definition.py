"""A C++ function stands in one header: of two bodies of one name and arguments the linker takes either, in silence.

A call of one that is inline is right where the compiler inlines it, and the other's in a build without optimization.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2] / "cpp"
# A function at the beginning of a line, so outside of classes: its name, its arguments, and whether it is inline.
FUNCTION = re.compile(
    r"^(?P<kind>(?:inline |constexpr |static |template <[^\n]*>\s)*)(?!return|using|struct|class|enum|namespace|#)"
    r"[A-Za-z_][\w:<>, *&]*?[ *&](?P<name>\w+)\((?P<arguments>[^;{}()]*)\)(?: noexcept)?\s*(?P<end>[;{])",
    re.MULTILINE,
)


def types(arguments: str) -> tuple[str, ...]:
    """The types of arguments, without their names and defaults."""
    found, depth, part = [], 0, ""
    for character in arguments + ",":
        depth += (character == "<") - (character == ">")
        if character == "," and depth == 0:
            found.append(part)
            part = ""
        else:
            part += character
    return tuple(re.sub(r"(?<=[ *&>])\w+$", "", each.split("=")[0].strip()).replace(" ", "") for each in found)


def places_of_functions(files: dict[str, str]) -> dict[tuple[str, tuple[str, ...]], set[str]]:
    """Where each function of the namespace coffee_fast is declared or defined; not those of one file alone."""
    found = defaultdict(set)
    for name, text in files.items():
        text = re.sub(r"^namespace \{.*?^\}  // namespace$", "", text, flags=re.MULTILINE | re.DOTALL)
        for function in FUNCTION.finditer(text):
            if "static" not in function["kind"] and "template" not in function["kind"]:
                found[function["name"], types(function["arguments"])].add(name)
    return found


def twice(files: dict[str, str]) -> dict[str, list[str]]:
    """Functions which two headers have; a header declares what a source file defines."""
    headers = {name: text for name, text in files.items() if name.endswith(".hpp")}
    return {
        f"{name}({', '.join(of)})": sorted(at) for (name, of), at in places_of_functions(headers).items() if len(at) > 1
    }


def test_no_function_has_two_bodies():
    files = {str(file.relative_to(ROOT)): file.read_text() for file in (ROOT / "src").glob("*.hpp")}
    files |= {str(file.relative_to(ROOT)): file.read_text() for file in ROOT.glob("include/coffee_fast/*.hpp")}
    assert len(places_of_functions(files)) > 50  # it reads them
    assert twice(files) == {}


def test_two_bodies_are_seen():
    files = {
        "include/simplex.hpp": "double entropy(std::span<const double> p);\n",
        "src/softmax.hpp": "inline double entropy(std::span<const double> probabilities) {\n  return 0.0;\n}\n",
        "src/other.hpp": "inline double entropy(std::span<const float> p) { return 0.0; }\n",
    }
    assert twice(files) == {"entropy(std::span<constdouble>)": ["include/simplex.hpp", "src/softmax.hpp"]}
