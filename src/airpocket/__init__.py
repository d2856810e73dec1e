"""Forced-flow risk in crypto perpetuals: who is forced out, where, and what follows."""

__version__ = "0.1.0"
