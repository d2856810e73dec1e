"""The vocabulary every stage speaks; imports nothing of ours."""
