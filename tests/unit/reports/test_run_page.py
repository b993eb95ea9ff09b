"""A report as one page: what the Markdown says, with the pictures inside and nothing from elsewhere."""

import base64
import re
from html.parser import HTMLParser

from coffee_fast.reports import markdown
from coffee_fast.reports.run_page import page, write_pages

TEXT = """# What this run found

Regret is **0.48 ± 0.11**, the *largest estimated gain*; run `coffee-fast report x` & see a < b.
It goes on.

| file | what it is |
| --- | --- |
| `a|b` | one \\| two |

![regret](regret.png) ![mixtures](mixtures.png)

```
  as it *stands* <here>

  to the end
```

## Files
"""


class Checked(HTMLParser):
    """Every element is closed where it was opened."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_a_report_is_a_page(tmp_path):
    (tmp_path / "regret.png").write_bytes(b"picture")
    text = page(TEXT.replace("`a|b`", "`ab`"), tmp_path)
    parser = Checked()
    parser.feed(text)
    assert not parser.open
    assert {"h1", "h2", "table", "pre", "strong", "em", "code", "img"} <= set(parser.seen)
    assert "<strong>0.48 ± 0.11</strong>, the <em>largest estimated gain</em>" in text
    assert "<code>coffee-fast report x</code> &amp; see a &lt; b. It goes on." in text
    assert "<td>one | two</td>" in text
    assert "  as it *stands* &lt;here&gt;\n\n  to the end" in text
    assert f"data:image/png;base64,{base64.b64encode(b'picture').decode()}" in text
    assert "mixtures.png is missing" in text
    assert not re.search(r"(src|href)=\"(?!data:)", text)


def test_names_of_a_log_stand_as_they_are(tmp_path):
    for name in ("a*b*c", "<script>alert(1)</script>", "x`y`", "p|q", "[l](http://x)", "\\x_y_"):
        text = page(f"# T\n\n| n |\n| --- |\n| {markdown.name(name)} |\n", tmp_path)
        (cell,) = re.findall(r"<td>(.*?)</td>", text)
        parser = HTMLParser()
        shown = []
        parser.handle_data = shown.append
        parser.feed(cell)
        assert "".join(shown) == name
        assert "<script>" not in text


def test_both_are_written(tmp_path):
    write_pages(tmp_path, TEXT)
    assert (tmp_path / "report.md").read_text() == TEXT
    assert (tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")
