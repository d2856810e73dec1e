"""OKX v5: perpetuals, dated futures, spot and option summaries."""
