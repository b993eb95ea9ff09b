"""Equilibria of players who are anchored to a reference policy by a KL penalty."""
