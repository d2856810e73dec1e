"""One's own accounts at exchanges: keys kept sealed, what they may do asked first, holdings read."""
