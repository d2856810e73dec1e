"""Everything known → advice for one position: margin, exits, stops, scenarios, bids."""
