"""Alerts: rules on what the analysis says, episodes that are told once, and messages that survive a restart."""
