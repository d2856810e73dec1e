"""The raw log: every byte heard from a venue, checksummed on disk before anyone decodes it."""
