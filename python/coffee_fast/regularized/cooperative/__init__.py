"""Teammates who learn from a log, and stay near the joint behavior that it shows."""
