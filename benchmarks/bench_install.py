"""Size of the plain installation: a fresh environment with requirements.lock, byte-compiled."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import Figure, seconds

LOCK = Path(__file__).resolve().parent.parent / "requirements.lock"


def _megabytes(folder: Path) -> float:
    """Apparent size of all files below a folder, 10^6 bytes."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files) / 1e6


def _install(environment: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "-q"]
    options = ["--disable-pip-version-check", "--require-hashes", "-r", str(LOCK)]
    subprocess.run([*pip, *options], check=True, stdout=sys.stderr)


def figures() -> Iterator[Figure]:
    """Megabytes on disk without pip, and seconds until ready; no peer does the same job."""
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder) / "environment"
        took = seconds(lambda: _install(environment))
        [packages] = environment.glob("lib/python*/site-packages")
        tools = sum(_megabytes(path) for path in packages.glob("pip*"))
        size = _megabytes(environment) - tools
        yield Figure("install_core_size", "MB", round(size, 1))
        yield Figure("install_core_time", "s", round(took, 1))
