"""Import of history: tables and public archives, checked to the last row, into the kinds of the store."""
