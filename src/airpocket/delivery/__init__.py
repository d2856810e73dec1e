"""Answers → people."""
