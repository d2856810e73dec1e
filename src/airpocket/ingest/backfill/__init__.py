"""History asked from a venue's REST service: what is missing, page by page, into the store."""
