"""Writes the JSON Schema of the brief from its structs, or checks that the committed one is current."""

import sys
from pathlib import Path

from airpocket.brief.as_json import schema

FILE = Path(__file__).resolve().parent.parent / "src" / "airpocket" / "brief" / "brief.schema.json"


def main() -> int:
    """Write the file, or with --check say whether it is current."""
    if "--check" in sys.argv[1:]:
        if not FILE.is_file() or FILE.read_bytes() != schema():
            print("brief.schema.json is old; run scripts/brief_schema.py", file=sys.stderr)
            return 1
        return 0
    FILE.write_bytes(schema())
    return 0


if __name__ == "__main__":
    sys.exit(main())
