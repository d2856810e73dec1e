"""Side-by-side timings: ours and the peer in the same run, medians and ratios."""
