"""Venue margin rules as dated data, and one kernel: maintenance, liquidation and bankruptcy price, caps, marks."""
