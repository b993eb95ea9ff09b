"""Logs as people have them: any table, any names, any of the layouts of play, worked out into rows of numbers."""

from coffee_fast.logs.reading import Reading, read_log
from coffee_fast.logs.tables import is_table

__all__ = ["Reading", "is_table", "read_log"]
