"""Writes a result file whole or not at all."""

import os
from collections.abc import Callable
from pathlib import Path

from airpocket.domain.errors import BadInput


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text under a temporary name, then rename.

    Raises:
        BadInput: the folder is missing or can't be written.
    """
    write_whole(path, lambda part: part.write_bytes(text.encode()))


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes under a temporary name, then rename.

    Raises:
        BadInput: the folder is missing or can't be written.
    """
    write_whole(path, lambda part: part.write_bytes(data))


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Have `write` fill a file under a temporary name, then rename it.

    Raises:
        BadInput: the folder is missing or can't be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write(part)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise BadInput(f"can't write '{path}': {error.strerror}") from error
