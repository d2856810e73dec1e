"""Which checkpoints the commands use: those beside the store, of this very code on this very processor."""

import hashlib
import os
import platform
import sys
from functools import cache
from pathlib import Path

import numpy as np

from airpocket.domain.kernel import compiled_for
from airpocket.ingest.checkpoints import CheckpointFolder
from airpocket.ingest.lake import Lake

FOLDER = "cache"
_SOURCES = ("liquidations/*.py", "domain/*.py")  # what makes cohorts out of rows


def checkpoints_of(lake: Lake) -> CheckpointFolder:
    """The checkpoints of a store; what is wrong with them is said on stderr."""
    return CheckpointFolder(lake.root / FOLDER, code_version(Path(__file__).parent.parent), _say)


def _say(text: str) -> None:
    sys.stderr.write(f"airpocket: {text}\n")


@cache
def code_version(package: Path) -> str:
    """Digest of all that turns rows into bits: our sources, the compiler, its target, the mathematics library."""
    found = hashlib.sha256()
    for path in sorted(path for pattern in _SOURCES for path in package.glob(pattern)):
        found.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    found.update(repr(_machine()).encode())
    return found.hexdigest()


def _machine() -> tuple[object, ...]:
    settings = {name: value for name, value in os.environ.items() if name.startswith("NUMBA_")}
    settings.pop("NUMBA_CACHE_DIR", None)
    return (*compiled_for(), platform.libc_ver(), np.__version__, sorted(settings.items()))
