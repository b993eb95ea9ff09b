"""How commands end: errors become one sentence and an exit code, an interruption says how to go on."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperGroup

import coffee_fast as cf

OK, FAILURE, USAGE, BAD_DATA, CORRUPT_CHECKPOINT, RESUMABLE, INTERRUPTED = 0, 1, 2, 3, 4, 75, 130
MOST = 1500  # characters of a message


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
        except (typer.Exit, typer.Abort, BrokenPipeError):  # the last where nobody reads on, as in ``... | head -1``
            raise
        except Exception as error:
            if hasattr(error, "show"):  # wrong usage, which has its own words and code
                raise
            code, message = exit_code(error), sentence(error)
            if isinstance(error, OSError) and "resume" in ctx.meta:  # a full disk, say
                message += f"; once that is mended, go on with: {ctx.meta['resume']}"
        with contextlib.suppress(OSError):
            if ctx.meta.get("json"):
                resume = {"resume": ctx.meta["resume"]} if code == RESUMABLE else {}
                typer.echo(json.dumps({"error": message, "exit_code": code, **resume}))
        _tell(message)
        raise typer.Exit(code)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().main(*args, **kwargs)
        except Exception as error:  # of what stands before any command, such as the help on a full disk
            _tell(sentence(error))
            sys.exit(exit_code(error))


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


def sentence(error: Exception) -> str:
    """Return what a person is told of an error: one sentence of bounded length."""
    if os.environ.get("COFFEE_FAST_TRACEBACK"):
        traceback.print_exception(error)
    text = " ".join(str(error).split())
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename or 'the output'}: {error.strerror}"
    elif isinstance(error, MemoryError):
        text = f"out of memory: {text or 'this asks for more than there is'}"
    elif not isinstance(error, cf.CoffeeError):
        kind = f"{type(error).__name__}: {text}".rstrip(": ")
        text = f"this is a fault of coffee_fast: {kind[:MOST]}; set COFFEE_FAST_TRACEBACK=1 to see where"
    return text if len(text) <= MOST else f"{text[:MOST]}..."


def _tell(message: str) -> None:
    with contextlib.suppress(OSError):  # a full or closed standard error has no use for words
        typer.echo(f"coffee-fast: {message}", err=True)


def _interruption(meta: dict[str, Any]) -> tuple[int, str]:
    if resume := meta.get("resume"):
        return RESUMABLE, f"interrupted; go on with: {resume}"
    return INTERRUPTED, "interrupted"


@contextlib.contextmanager
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
