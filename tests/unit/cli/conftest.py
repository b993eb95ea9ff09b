"""Commands run inside the test's own process."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from coffee_fast.cli.app import app


@pytest.fixture(scope="session")
def invoke():
    """Run a command; its result has ``exit_code``, ``stdout`` and ``stderr``. An unexpected exception is a failure."""

    def run(*arguments: object) -> Any:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture(scope="session")
def invoke_json(invoke):
    """Run a command with ``--json`` and return the object on the last line of its output."""

    def run(*arguments: object) -> dict[str, Any]:
        return json.loads(invoke(*arguments, "--json").stdout.splitlines()[-1])

    return run
