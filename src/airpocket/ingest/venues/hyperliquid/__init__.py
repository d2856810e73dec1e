"""Hyperliquid: perpetuals by websocket and the info address."""
