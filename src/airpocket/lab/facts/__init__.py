"""Stylised facts: what real markets have in common, measured on a run and beside real figures."""
