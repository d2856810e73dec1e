"""The live state of markets: books, tape and touch, folded minute by minute into the facts all else reads."""
