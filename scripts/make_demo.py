"""Writes the bundled simulated market anew: python scripts/make_demo.py."""

import sys
from pathlib import Path

from airpocket.lab.bundle import packed
from airpocket.lab.generator import generate

BUNDLED = Path(__file__).resolve().parent.parent / "src" / "airpocket" / "lab" / "bundled"
LIMIT_BYTES = 3_000_000


def main() -> int:
    """Generates, packs and replaces the files; fails when they would be too big to ship."""
    contents = packed(generate())
    size = sum(len(data) for data in contents.values())
    if size > LIMIT_BYTES:
        print(f"the bundle would be {size:,} bytes, more than {LIMIT_BYTES:,}", file=sys.stderr)
        return 1
    BUNDLED.mkdir(exist_ok=True)
    for old in BUNDLED.glob("*.parquet"):
        if old.name not in contents:
            old.unlink()
    for name, data in contents.items():
        (BUNDLED / name).write_bytes(data)
        print(f"{len(data):>9,}  {name}")
    print(f"{size:>9,}  in all")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
