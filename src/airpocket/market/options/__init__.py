"""Options: prices and greeks on a forward, implied volatility, cleaned quotes and a surface free of arbitrage."""
