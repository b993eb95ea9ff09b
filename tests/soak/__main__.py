"""``python -m tests.soak``: go on with campaigns, do cases again, write reliability.md."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from tests.soak import record, reliability
from tests.soak.campaign import NAMES, go_on, load
from tests.soak.campaign import again as repeat
from tests.soak.processes import work_in

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)
Folder = Annotated[Path, typer.Option(help="Where records are kept.")]
Names = Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(NAMES)}; all if none is named.")]


@app.command()
def run(
    names: Names = None,
    minutes: Annotated[float, typer.Option(help="For each campaign; a case under way is finished.")] = 5.0,
    anew: Annotated[bool, typer.Option(help="Forget what was done of them.")] = False,
    folder: Folder = record.FOLDER,
) -> None:
    """Go on with campaigns where they were left; every failure is told with the command that repeats it."""
    _each(names, lambda name: go_on(name, minutes, folder, lambda block: _tell(name, block), anew))


@app.command()
def again(names: Names = None, folder: Folder = record.FOLDER) -> None:
    """Do each case that went wrong once more, alone; those that end as promised are faults no more."""
    _each(names, lambda name: repeat(name, folder, lambda block: _tell(name, block)))


def _tell(name: str, block: record.Block) -> None:
    words = ", ".join(f"{count} {word}" for word, count in sorted(block.outcomes.items()))
    print(f"{name} {block.end}/{block.count}: {words} ({block.seconds:.0f} s)", flush=True)
    for fault in block.faults:
        print(f"  FAILED {fault['what']}\n  python -m tests.soak case {name} {fault['case']}", flush=True)


def _each(names: list[str] | None, deed: Callable[[str], list[record.Block]]) -> None:
    """Do something to each campaign; exit code 1 if a case went wrong, or a record is not to be gone on with."""
    is_well = True
    for name in names or NAMES:
        try:
            is_well &= not any(block.faults for block in deed(name))
        except record.RecordError as error:
            print(f"{name}: {error}", flush=True)
            is_well = False
    if not is_well:
        raise typer.Exit(1)


@app.command()
def case(name: str, number: int) -> None:
    """Do one case again, in this process: what goes wrong is raised."""
    os.environ["OMP_NUM_THREADS"] = "1"
    campaign = load(name)
    home = os.getcwd()
    with tempfile.TemporaryDirectory(prefix=f"soak-{name}-", dir=campaign.place) as folder:
        work_in(folder)
        try:
            check, _ = campaign.prepared()
            print(check(number))
        finally:
            os.chdir(home)


@app.command()
def report(folder: Folder = record.FOLDER, to: Path = Path("docs/reliability.md")) -> None:
    """Write what was done so far into its page."""
    to.write_text(reliability.written_into(to.read_text(), folder))


if __name__ == "__main__":
    app()
