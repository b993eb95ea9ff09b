"""Quantal equilibria of players who are averse to risk."""
