"""What the fields of a configuration mean, as the docstring of its class says."""

from __future__ import annotations

import inspect
import re

_SECTION = re.compile(r"^(?:Attributes|Parameters)\n-+\n", re.MULTILINE)
_NAMES = re.compile(r"^[a-z_]\w*(, [a-z_]\w*)*$")


def summary_of(documented: type) -> str:
    """Return the first sentence or line of a class's docstring, without markup."""
    return _plain((inspect.getdoc(documented) or "").partition("\n\n")[0])


def field_docs(documented: type) -> dict[str, str]:
    """Return the meaning of each field or parameter that a NumPy-style docstring names, base classes' included.

    >>> class Size:
    ...     '''A size.
    ...
    ...     Attributes
    ...     ----------
    ...     width, height
    ...         In ``mm``.
    ...     '''
    >>> field_docs(Size)
    {'width': 'In mm.', 'height': 'In mm.'}
    """
    docs: dict[str, str] = {}
    for base in reversed(documented.__mro__[:-1]):
        docs |= _section(inspect.cleandoc(base.__doc__ or ""))
    return docs


def _section(text: str) -> dict[str, str]:
    found = _SECTION.search(text)
    docs: dict[str, list[str]] = {}
    names: list[str] = []
    for line in text[found.end() :].splitlines() if found else []:
        if line.startswith(" ") or not line:
            for name in names:
                docs[name].append(line.strip())
        elif _NAMES.match(line):
            names = line.split(", ")
            docs |= {name: [] for name in names}
        else:
            break
    return {name: _plain(" ".join(lines)) for name, lines in docs.items()}


def _plain(text: str) -> str:
    """Text without the marks of reStructuredText and LaTeX."""
    text = re.sub(r":\w+:`([^`]*)`", r"\1", text).replace("`", "")
    return " ".join(re.sub(r"\\([A-Za-z]+|\|)", r"\1", text).split())
