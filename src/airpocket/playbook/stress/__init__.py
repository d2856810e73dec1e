"""What an account survives: gaps, cascades, shocks of volatility, funding and trust, and exits in thin books."""
