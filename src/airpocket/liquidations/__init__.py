"""State → the liquidation map: whose positions are forced out at which prices, as far as data can tell."""
