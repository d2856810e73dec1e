"""State → tells."""
