"""Writes the demo's data anew: its history, and the recording of a lab session. python scripts/make_demo.py."""

import shutil
import sys
from pathlib import Path

from airpocket.delivery.demonstration import SEED, SETTINGS, WORLD
from airpocket.delivery.kernels import keep_kernels
from airpocket.delivery.tape import record, write_sealed
from airpocket.lab.bundle import packed
from airpocket.lab.generator import generate
from airpocket.lab.runs.worldcheck import read_world, world_file

BUNDLED = Path(__file__).resolve().parent.parent / "src" / "airpocket" / "lab" / "bundled"
LIMIT_BYTES = 3_000_000


def main() -> int:
    """Generates, records, packs and replaces the files; fails when they would be too big to ship."""
    keep_kernels()
    _write_history()
    tape = record(read_world(world_file(WORLD)), SEED, SETTINGS)
    shutil.rmtree(BUNDLED / "recording", ignore_errors=True)
    for path in write_sealed(BUNDLED / "recording", tape):
        print(f"{path.stat().st_size:>9,}  {path.relative_to(BUNDLED)}")
    print(f"recorded: {tape.label}, world's hash {tape.hash}, {len(tape.records):,} records")
    size = sum(path.stat().st_size for path in BUNDLED.rglob("*") if path.is_file())
    print(f"{size:>9,}  in all")
    if size > LIMIT_BYTES:
        print(f"more than {LIMIT_BYTES:,} bytes: too big to ship", file=sys.stderr)
        return 1
    return 0


def _write_history() -> None:
    contents = packed(generate())
    BUNDLED.mkdir(exist_ok=True)
    for old in BUNDLED.glob("*.parquet"):
        if old.name not in contents:
            old.unlink()
    for name, data in contents.items():
        (BUNDLED / name).write_bytes(data)
        print(f"{len(data):>9,}  {name}")


if __name__ == "__main__":
    raise SystemExit(main())
