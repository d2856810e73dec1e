"""The venues' own dialects, one file each; none knows another."""
