"""What learning in torch needs for the same bits everywhere: one thread, and the modes of no caller."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Let torch compute on one thread inside the block: sums are in one order whatever the user's setting."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def learning_in_torch() -> Iterator[None]:
    """The same, with gradients recorded whatever the caller's modes are."""
    with one_torch_thread(), torch.inference_mode(False), torch.enable_grad():
        yield
