"""Tells and levels → the four triggers and the cluster effects."""
