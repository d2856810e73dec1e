"""Slow drivers on their way in: sources, their decoders, published tables, the collector that keeps vintages."""
