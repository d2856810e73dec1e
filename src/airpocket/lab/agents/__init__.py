"""Who trades in the lab: makers, takers, levered traders, arbitrage and carry, each one kernel a wake-up."""
