"""What the experiments of this folder share: results that grow part by part, and figures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from coffee_fast import _files
from coffee_fast.plotting import _style

HERE = Path(__file__).parent


def resumed(name: str, settings: dict[str, Any], parts: dict[str, Callable[[], Any]]) -> dict[str, Any]:
    """Return the results of all parts, those on disk for the same settings as they are; each is written when done."""
    file = HERE / f"{name}.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    results = known["parts"] if known.get("settings") == json.loads(json.dumps(settings)) else {}
    for part, compute in parts.items():
        if part not in results:
            results[part] = compute()
            _files.write_json(file, {"settings": settings, "parts": results})
            print(f"{name}: {part}", flush=True)
    return results


def loglog_figure(name: str, x_label: str, y_label: str, title: str, curves: dict[str, tuple[Any, Any, str]]) -> None:
    """Write ``<name>.png`` of curves ``label: (x, y, line style)`` on logarithmic axes."""
    figure, axes = _style.new_figure()
    for (label, (x, y, style)), color in zip(curves.items(), _style.COLORS, strict=False):
        axes.loglog(x, y, style, label=label, color=color, markersize=4)
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.set_title(title, fontsize="medium", loc="left")
    axes.legend(frameon=False, fontsize="small")
    figure.savefig(HERE / f"{name}.png", dpi=130)
