"""Events → the present state of each market."""
