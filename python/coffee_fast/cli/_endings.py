"""How commands end: errors become one sentence and an exit code, an interruption says how to go on."""

from __future__ import annotations

import json
import shlex
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperGroup

import coffee_fast as cf

OK, FAILURE, USAGE, BAD_DATA, CORRUPT_CHECKPOINT, RESUMABLE, INTERRUPTED = 0, 1, 2, 3, 4, 75, 130


class Commands(TyperGroup):
    """The group of all commands; every one of them ends here."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta["arguments"] = list(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            with _terminate_like_interrupt():
                return super().invoke(ctx)
        except KeyboardInterrupt:
            code, message = _interruption(ctx.meta)
        except (cf.CoffeeError, OSError) as error:
            code, message = exit_code(error), _sentence(error)
            if isinstance(error, OSError) and "resume" in ctx.meta:  # a full disk, say
                message += f"; once that is mended, go on with: {ctx.meta['resume']}"
        if ctx.meta.get("json"):
            resume = {"resume": ctx.meta["resume"]} if code == RESUMABLE else {}
            typer.echo(json.dumps({"error": message, "exit_code": code, **resume}))
        typer.echo(f"coffee-fast: {message}", err=True)
        raise typer.Exit(code)


def make_resumable(ctx: typer.Context, *options: str) -> None:
    """Remember that from here on, if interrupted, the same command goes on when it is given ``options`` too."""
    arguments = ctx.meta["arguments"]
    ctx.meta["resume"] = shlex.join(["coffee-fast", *arguments, *(o for o in options if o not in arguments)])


def exit_code(error: Exception) -> int:
    """Return the exit code that tells a calling program what kind of error ended a command."""
    if isinstance(error, cf.CheckpointError):
        return CORRUPT_CHECKPOINT
    if isinstance(error, (cf.DatasetError, cf.InvalidGameError)):
        return BAD_DATA
    if isinstance(error, (cf.ConfigError, cf.InvalidArgumentError)):
        return USAGE
    return FAILURE


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return " ".join(str(error).split())


def _interruption(meta: dict[str, Any]) -> tuple[int, str]:
    if resume := meta.get("resume"):
        return RESUMABLE, f"interrupted; go on with: {resume}"
    return INTERRUPTED, "interrupted"


@contextmanager
def _terminate_like_interrupt() -> Iterator[None]:
    """Within the block SIGTERM is what Ctrl-C is. Only the command line touches signals, the library never does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
