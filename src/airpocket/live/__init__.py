"""Live and again: connections into the log, the log into state, the same way in replay."""
