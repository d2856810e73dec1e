"""`python -m airpocket` is the command line."""

import sys

from airpocket.delivery.cli import main

if __name__ == "__main__":
    sys.exit(main())
