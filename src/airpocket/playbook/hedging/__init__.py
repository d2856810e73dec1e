"""Hedges of a position: candidates at executable prices, rows that must hold, and the cheapest that hold them."""
