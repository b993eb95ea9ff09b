"""Anchored self-play: all players learn at once, each near a reference policy; the best of several is chosen."""

from coffee_fast.self_play.config import SELF_PLAY_PARTS, SelfPlayConfig
from coffee_fast.self_play.snapshots import SelfPlaySnapshots, self_play_snapshots
from coffee_fast.self_play.solve import anchored_self_play

__all__ = ["SELF_PLAY_PARTS", "SelfPlayConfig", "SelfPlaySnapshots", "anchored_self_play", "self_play_snapshots"]
