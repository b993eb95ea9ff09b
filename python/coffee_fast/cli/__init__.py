"""The command line: one file a noun, each a thin layer over the public face of the package."""

from __future__ import annotations


def main() -> None:
    """Run ``coffee-fast`` with the arguments of this process."""
    from coffee_fast.cli.app import app

    app(prog_name="coffee-fast")
