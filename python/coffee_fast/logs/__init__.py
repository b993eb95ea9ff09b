"""Logs as people have them: any table, any names, any of the layouts of play, worked out into rows of numbers."""

from coffee_fast.logs.reading import Reading, read_log
from coffee_fast.logs.state_words import StateWords
from coffee_fast.logs.tables import is_table

__all__ = ["Reading", "StateWords", "is_table", "read_log"]
