"""Small JSON files that other processes read while they are written: whoever looks sees the old or the new one."""

import os
from pathlib import Path

import msgspec

from airpocket.domain.errors import StoreError


def post(path: Path, told: object) -> None:
    """Replace a file at once. It is not synced: after a power cut it is old, missing or damaged.

    Raises:
        StoreError: it can't be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        part.write_bytes(msgspec.json.encode(told))
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise StoreError(f"{path}: cannot be written: {error.strerror}") from error
