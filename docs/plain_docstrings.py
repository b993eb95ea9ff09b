"""Docstrings as the site shows them: marks of reStructuredText become Markdown's, doctests blocks, formulas MathML."""

from __future__ import annotations

import re
from typing import Any

import griffe
from latex2mathml.converter import convert

ROLE = re.compile(r":\w+:`~?([^`]*)`")
INLINE_FORMULA = re.compile(r":math:`([^`]*)`")
FORMULA = re.compile(r"^( *)\.\. math::(.*)\n((?:\1 +.*\n|\n)*)", re.MULTILINE)
DOCTEST = re.compile(r"^( *)(>>> .*(?:\n\1\S.*|\n\1 +\S.*)*)", re.MULTILINE)


def plain(text: str) -> str:
    """Return a docstring with Markdown in the place of reStructuredText.

    >>> plain("See :class:`coffee_fast.Mixture`.")
    'See `coffee_fast.Mixture`.'
    """
    text = FORMULA.sub(_formula, text + "\n")
    text = INLINE_FORMULA.sub(lambda found: convert(" ".join(found[1].split())), text)
    text = DOCTEST.sub(r"\1```pycon\n\1\2\n\1```", text)
    return ROLE.sub(r"`\1`", text).rstrip("\n")


def _formula(found: re.Match[str]) -> str:
    indent, first, rest = found.groups()
    formula = " ".join(line.strip() for line in (first, *rest.splitlines()))
    return f"\n{indent}{convert(formula, display='block')}\n\n"


class PlainDocstrings(griffe.Extension):
    """What mkdocstrings calls for every object that it has read."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite its docstring."""
        if obj.docstring:
            obj.docstring.value = plain(obj.docstring.value)
