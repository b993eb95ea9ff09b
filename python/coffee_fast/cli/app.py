"""The application: all commands, and what becomes of their errors."""

from __future__ import annotations

import typer

import coffee_fast as cf
from coffee_fast.cli import (
    answer,
    catalog,
    commit,
    data,
    evaluate,
    model,
    psro,
    run,
    runs,
    self_play,
    solve,
    sweep,
    system,
    table,
    team,
)
from coffee_fast.cli._endings import Commands

app = typer.Typer(
    cls=Commands,
    help="Offline game solving: from logged play to strategies that hold up in the real game.",
    epilog="Exit codes: 0 done, 2 wrong usage, 3 bad data, 4 corrupt checkpoint, 75 interrupted and resumable, 1 else.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(run.demo)
app.command()(run.run)
app.command()(run.report)
app.command()(table.table)
app.command()(team.team)
app.command()(sweep.sweep)
app.command()(psro.psro)
app.command()(self_play.self_play)
app.command()(evaluate.evaluate)
app.command()(solve.solve)
app.command()(commit.commit)
app.command()(answer.answer)
app.command()(catalog.games)
app.command()(catalog.solvers)
app.command()(system.doctor)
for noun, commands, words in (
    (
        "dataset",
        (data.generate, data.import_log, data.export, data.describe, data.check, data.validate),
        "Logged play: make it, look at it, check it.",
    ),
    ("model", (model.fit,), "The dynamics ensemble."),
    ("runs", (runs.list_all, runs.compare), "Runs that lie in a folder."),
    ("config", (catalog.show,), "What a run is told: all fields, their values and meaning."),
):
    group = typer.Typer(help=words, no_args_is_help=True, rich_markup_mode=None)
    for command in commands:
        group.command({data.import_log: "import", runs.list_all: "list"}.get(command))(command)
    app.add_typer(group, name=noun)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(cf.__version__)
        raise typer.Exit()


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
) -> None:
    """Take the options that stand before a command."""
