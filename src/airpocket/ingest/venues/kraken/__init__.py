"""Kraken: the spot market in both of its wire versions, and the futures."""
