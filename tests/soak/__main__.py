"""``python -m tests.soak``: go on with campaigns, do a case again, write reliability.md."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from tests.soak import reliability
from tests.soak.campaign import NAMES, RESULTS, Block, go_on, load

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)
Folder = Annotated[Path, typer.Option(help="Where results are kept.")]


@app.command()
def run(
    names: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(NAMES)}; all if none is named.")] = None,
    minutes: Annotated[float, typer.Option(help="For each campaign; a case under way is finished.")] = 5.0,
    folder: Folder = RESULTS,
) -> None:
    """Go on with campaigns where they were left; every failure is told with the command that repeats it."""
    num_faults = 0
    for name in names or NAMES:

        def tell(block: Block, name: str = name) -> None:
            words = ", ".join(f"{count} {word}" for word, count in sorted(block.outcomes.items()))
            print(f"{name} {block.end}/{block.count}: {words} ({block.seconds:.0f} s)", flush=True)
            for fault in block.faults:
                print(f"  FAILED {fault['what']}\n  python -m tests.soak case {name} {fault['case']}", flush=True)

        num_faults += sum(len(block.faults) for block in go_on(name, minutes, folder, tell))
    if num_faults:
        raise typer.Exit(1)


@app.command()
def case(name: str, number: int) -> None:
    """Do one case again, in this process: what goes wrong is raised."""
    os.environ["OMP_NUM_THREADS"] = "1"
    os.chdir(tempfile.mkdtemp(prefix="soak-"))
    check, _ = load(name).prepared()
    print(check(number))


@app.command()
def report(folder: Folder = RESULTS, to: Path = Path("docs/reliability.md")) -> None:
    """Write what was done so far into its page."""
    to.write_text(reliability.written_into(to.read_text(), folder))


if __name__ == "__main__":
    app()
