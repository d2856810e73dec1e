"""Deribit v2: perpetuals, options and the volatility index."""
