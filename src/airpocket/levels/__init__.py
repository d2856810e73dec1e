"""Price history → the roadmap: zones with bias, confluence and confirmation rules."""
