"""The demo's bundled recording, put where it is wanted; loads nothing heavy, as the server waits for it."""

import hashlib
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path

from airpocket.ingest import disk

ASSET = "ETH"
MANIFEST = (
    "sealed",
    "manifest.jsonl",
)  # of a log; its own names are in ingest.log.sealed, which is slow to load


def place_recording(folder: Path) -> None:
    """Copy the bundled log, as `scripts/make_demo.py` recorded it, into a folder of its own."""
    with as_file(_bundled()) as bundled:
        for path in sorted(bundled.rglob("*.*")):
            target = folder / path.relative_to(bundled)
            if path.is_file() and not target.exists():
                disk.put(target, path.read_bytes())


def manifest() -> bytes:
    """What lists the recording's files with their hashes."""
    return _bundled().joinpath(*MANIFEST).read_bytes()


def digest() -> str:
    """Tells one version's recording from another's."""
    return hashlib.blake2b(manifest(), digest_size=6).hexdigest()


def _bundled() -> Traversable:
    # of the package above: airpocket.lab loads its whole market
    return files("airpocket") / "lab" / "bundled" / "recording"
