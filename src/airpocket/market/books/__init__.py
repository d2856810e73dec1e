"""Order books: kept by each venue's rule, measured, and watched for how they refill and retreat."""
