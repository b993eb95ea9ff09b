"""The pages of the site say what the code says, and lead where they say. That it builds is seen by CI."""

from __future__ import annotations

import importlib
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

import coffee_fast as cf

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *DOCS.glob("**/*.md"), *ROOT.glob("reproductions/**/*.md"), ROOT / "bench" / "README.md"]
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(#[^)]*)?\)")


def load(name):
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_the_configuration_is_of_this_version():
    """``python docs/write_configuration.py`` writes it; asked in a process of its own, where no test added a game."""
    program = "import runpy; print(runpy.run_path('docs/write_configuration.py')['page'](), end='')"
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (DOCS / "configuration.md").read_text() == ended.stdout


def test_every_public_name_is_on_a_page():
    pages = "".join(page.read_text() for page in (DOCS / "api").glob("*.md"))
    documented = {name: importlib.import_module(name) for name in re.findall(r"^::: (\S+)$", pages, re.MULTILINE)}
    assert {f"coffee_fast.{room}" for room in cf._ROOMS} <= set(documented)
    missing = {name for name in cf._FACE if not any(name in dir(room) for room in documented.values())}
    assert missing == {"__version__", "build_info", "get_cmake_dir"}


def headings(text):
    """Anchors of a page, as its readers make them."""
    lines = [re.sub(r"[^\w\- ]", "", line.lstrip("#").strip().lower()) for line in text.splitlines() if line[:1] == "#"]
    return {re.sub(r"[ ]", "-", line) for line in lines}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    text = page.read_text()
    for target, anchor in LINK.findall(text):
        there = page.parent / target if target else page
        assert there.exists(), target
        if anchor and there.suffix == ".md":
            assert anchor[1:] in headings(there.read_text()), target + anchor


def test_docstrings_become_markdown():
    pytest.importorskip("griffe")
    pytest.importorskip("latex2mathml")
    plain = load("plain_docstrings").plain
    text = plain("Of :class:`~coffee_fast.Mixture`, :math:`x`.\n\n.. math::\n\n    x\n    = 1\n\n>>> 1 + 1\n2\n")
    begin, inline, _, block, end = re.split(r"(<math .*?</math>)", text, flags=re.DOTALL)
    assert (begin, end) == ("Of `coffee_fast.Mixture`, ", "\n\n```pycon\n>>> 1 + 1\n2\n```")
    assert "<mi>x</mi>" in inline
    assert 'display="block"' in block
    assert "<mi>x</mi><mo>&#x0003D;</mo><mn>1</mn>" in block


def test_the_citation_is_of_this_version():
    assert f"\nversion: {cf.__version__}\n" in (ROOT / "CITATION.cff").read_text()
