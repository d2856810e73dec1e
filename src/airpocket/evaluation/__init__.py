"""Evidence: what the models say held against truth, baselines and placebos, with intervals."""
