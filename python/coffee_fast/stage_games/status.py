"""How a search for an equilibrium ended."""

from __future__ import annotations

from typing import Literal

Status = Literal["converged", "max_iterations"]


def status_of(has_converged: bool) -> Status:
    """Return the status of a search whose certificate is within the tolerance, or is not."""
    return "converged" if has_converged else "max_iterations"
