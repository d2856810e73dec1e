"""Map and book → what a push costs, where it stops, and how far forced flow carries it."""
