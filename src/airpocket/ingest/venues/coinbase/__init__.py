"""Coinbase: spot, by Advanced Trade and by the older exchange feed."""
