"""Says that kernels are being compiled, the first time they are."""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def compiling() -> Generator[None]:
    """Show a line on stderr while the first run compiles; later runs find the result on disk."""
    folder = os.environ.get("NUMBA_CACHE_DIR")
    cold = folder is not None and not any(Path(folder).glob("**/*.nbc"))
    if not cold:
        yield
        return
    from rich.console import Console

    with Console(file=sys.stderr).status("first run here: compiling, about 20 s"):
        yield
