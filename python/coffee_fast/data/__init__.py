"""Logged play: datasets in memory and on disk, generated or brought along."""

from coffee_fast.data.card import DatasetCard
from coffee_fast.data.convert import from_transitions
from coffee_fast.data.cooperative import bridge_log, xor_log
from coffee_fast.data.dataset import TrajectoryDataset
from coffee_fast.data.findings import DatasetCheck, Finding
from coffee_fast.data.frames import export_table
from coffee_fast.data.generate import generate_dataset

__all__ = [
    "DatasetCard",
    "DatasetCheck",
    "Finding",
    "TrajectoryDataset",
    "bridge_log",
    "export_table",
    "from_transitions",
    "generate_dataset",
    "xor_log",
]
