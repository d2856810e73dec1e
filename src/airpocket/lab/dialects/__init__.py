"""How each venue would tell of a simulated market: its frames, answers and manners, derived from its own papers."""
