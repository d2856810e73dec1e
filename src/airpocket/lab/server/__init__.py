"""A simulated market on loopback, spoken as the venues speak."""
