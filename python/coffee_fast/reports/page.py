"""One HTML page that needs nothing but itself: pictures are inside, and there are no scripts."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence

from coffee_fast.reports.exhibit import Exhibit, Grid

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.55 Georgia, 'Times New Roman', serif; color: #3b2f2f; background: #fdfbf8; margin: 0; }
main { max-width: 68rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; margin: 3rem 0 .5rem; border-top: 1px solid #d8cfc6; padding-top: 1.25rem; }
p { max-width: 46rem; }
figure { margin: 1rem 0; }
figure img { max-width: 100%; height: auto; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font: 14px/1.4 'Helvetica Neue', Arial, sans-serif; margin: .75rem 0; }
caption { text-align: left; font-weight: 600; padding-bottom: .3rem; }
th, td { padding: .25rem .8rem; text-align: center; white-space: pre-line; }
th { border-bottom: 1.5px solid #3b2f2f; border-top: 1.5px solid #3b2f2f; font-weight: 600; }
td:first-child, th:first-child { text-align: left; }
tr.rule td { border-top: 1px solid #b8aca2; }
tbody tr:last-child td { border-bottom: 1.5px solid #3b2f2f; }
.caption, .about { font-size: .92rem; color: #5c4d45; }
.missing { font-style: italic; color: #8a5a2b; }
pre { font: 13px/1.45 ui-monospace, Menlo, Consolas, monospace; background: #f1ebe3; padding: .8rem; overflow-x: auto; }
code { font: .88em ui-monospace, Menlo, Consolas, monospace; background: #f1ebe3; padding: .1em .35em; }
a { color: #2f6f73; }
"""


def page(
    title: str, opening: Sequence[str], exhibits: Sequence[Exhibit], about: str, images: Mapping[str, bytes]
) -> str:
    """Return the page.

    Parameters
    ----------
    title, opening
        The heading, and paragraphs below it as HTML.
    exhibits
        In their order; those without data say why.
    about
        Scale, seeds and command as HTML: the end of every caption.
    images
        PNG files by the exhibit's name.
    """
    links = " · ".join(f'<a href="#{exhibit.name}">{heading(exhibit)}</a>' for exhibit in exhibits)
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        *(f"<p>{paragraph}</p>" for paragraph in opening),
        f'<p class="about">{links}</p>',
        *(_section(exhibit, about, images.get(exhibit.name)) for exhibit in exhibits),
    ]
    return document(title, "\n".join(parts))


def document(title: str, body: str) -> str:
    """Return a whole page of its body."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n"
        "</html>\n"
    )


def picture(alternative: str, image: bytes) -> str:
    """Return a PNG file as part of a page, and what it shows in words."""
    source = base64.b64encode(image).decode()
    return f'<figure><img alt="{html.escape(alternative, quote=True)}" src="data:image/png;base64,{source}"></figure>'


def heading(exhibit: Exhibit) -> str:
    """Return ``Table 1. Its title``."""
    return html.escape(f"{exhibit.name.replace('-', ' ').capitalize()}. {exhibit.title}")


def _section(exhibit: Exhibit, about: str, image: bytes | None) -> str:
    parts = [f'<h2 id="{exhibit.name}">{heading(exhibit)}</h2>']
    if exhibit.missing:
        return "\n".join([*parts, f'<p class="missing">Missing: {html.escape(exhibit.missing)}.</p>'])
    parts += [_table(grid) for grid in exhibit.grids]
    if image and not exhibit.grids:
        parts.append(picture(f"{exhibit.title}; its data are in {exhibit.name}.csv", image))
    parts.append(f'<p class="caption">{html.escape(exhibit.caption)}</p>')
    parts.append(
        f'<p class="caption">{about} Files: <a href="{exhibit.name}.csv">{exhibit.name}.csv</a>, '
        f'<a href="{exhibit.name}.png">{exhibit.name}.png</a>.</p>'
    )
    return "\n".join(parts)


def _table(grid: Grid) -> str:
    head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in grid.header)
    rows = [
        ('<tr class="rule">' if place in grid.rules else "<tr>")
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in row)
        + "</tr>"
        for place, row in enumerate(grid.rows)
    ]
    return (
        f'<div class="wide"><table><caption>{html.escape(grid.title)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )
