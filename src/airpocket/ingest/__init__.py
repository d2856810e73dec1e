"""Outside world → events: import, backfill, store, replay."""
