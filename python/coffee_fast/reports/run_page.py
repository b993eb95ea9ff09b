"""``report.html``: the report of a run as one page that needs nothing but itself, made of its Markdown."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

from coffee_fast._files import write_atomically
from coffee_fast.reports.page import document, picture

ESCAPED = re.compile(r"\\([\\`*_|<>\[\]])")
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)/\\]+\.png)\)")
CODE = re.compile(r"`([^`]+)`")
STRONG, EMPHASIS = re.compile(r"\*\*([^*]+)\*\*"), re.compile(r"\*([^*\s][^*]*)\*")
KEPT = re.compile("\x00(\\d+)\x00")


def write_pages(run_dir: Path, text: str) -> None:
    """Write a report into a run's folder, as ``report.md`` and as ``report.html`` with its pictures inside."""
    write_atomically(run_dir / "report.md", text.encode())
    write_atomically(run_dir / "report.html", page(text, run_dir).encode())


def page(text: str, folder: Path) -> str:
    """Return a page of the Markdown that reports are made of; pictures are looked for in ``folder``.

    Headings, paragraphs, tables, blocks as they stand, pictures, and within lines code, strong and emphasized words.
    """
    blocks = list(_blocks(text.splitlines()))
    title = next((block.lstrip("# ") for block in blocks if block.startswith("# ")), "Report")
    return document(title, "\n".join(_block(block, folder) for block in blocks))


def _blocks(lines: list[str]) -> Iterator[str]:
    """What blank lines part, but for blocks between fences."""
    block: list[str] = []
    is_fenced = False
    for line in [*lines, ""]:
        is_fence = line.startswith("```")
        if block and not is_fenced and (not line or is_fence):
            yield "\n".join(block)
            block = []
        if line or is_fenced:
            block.append(line)
        if is_fence:
            is_fenced = not is_fenced
    if block:
        yield "\n".join(block)


def _block(block: str, folder: Path) -> str:
    if block.startswith("```"):
        inside = "\n".join(block.splitlines()[1:-1])
        return f"<pre>{html.escape(inside)}</pre>"
    if found := re.match(r"(#{1,3}) ", block):
        level = len(found[1])
        return f"<h{level}>{_inline(block[level:].strip())}</h{level}>"
    if block.startswith("|"):
        return _table(block.splitlines())
    if IMAGE.match(block):
        return "\n".join(_image(found, folder) for found in IMAGE.finditer(block))
    return f"<p>{_inline(' '.join(block.splitlines()))}</p>"


def _image(found: re.Match[str], folder: Path) -> str:
    file = folder / found[2]
    return picture(found[1], file.read_bytes()) if file.is_file() else f"<p>{html.escape(found[2])} is missing.</p>"


def _table(lines: list[str]) -> str:
    head, _, *rows = ([_inline(cell.strip()) for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines)
    cells = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>'


def _inline(text: str) -> str:
    """Words within a line; what is escaped or code stands as it is."""
    kept: list[str] = []

    def keep(shown: str) -> str:
        kept.append(shown)
        return f"\x00{len(kept) - 1}\x00"

    text = ESCAPED.sub(lambda found: keep(html.escape(found[1])), text.replace("\x00", ""))
    text = CODE.sub(lambda found: keep(f"<code>{html.escape(found[1])}</code>"), text)
    text = EMPHASIS.sub(r"<em>\1</em>", STRONG.sub(r"<strong>\1</strong>", html.escape(text)))
    return KEPT.sub(lambda found: kept[int(found[1])], KEPT.sub(lambda found: kept[int(found[1])], text))
