"""Where compiled kernels are kept between runs: a folder for each version of their sources."""

import hashlib
import os
import shutil
from pathlib import Path

_MARK = b"airpocket.domain.kernel"
_VARIABLE = "NUMBA_CACHE_DIR"
_OTHERS_KEPT = 4


def keep_kernels() -> None:
    """Point the compiler's cache at the user's cache folder, unless the environment names one.

    The compiler itself looks at the file of a kernel only, not at those of the kernels it calls: after a change
    there it would run old code. So every state of all kernel sources has a folder of its own.
    """
    if _VARIABLE in os.environ:
        return
    from platformdirs import user_cache_dir

    root = Path(user_cache_dir("airpocket"))
    folder = root / f"kernels-{_digest(Path(__file__).parent.parent)}"
    os.environ[_VARIABLE] = str(folder)
    if not folder.is_dir():
        _forget_the_oldest(root)


def _digest(package: Path) -> str:
    """Of every source that defines a kernel, and its place."""
    found = hashlib.blake2b(digest_size=8)
    for path in sorted(package.rglob("*.py")):
        text = path.read_bytes()
        if _MARK in text:
            found.update(path.relative_to(package).as_posix().encode() + b"\0" + text)
    return found.hexdigest()


def _forget_the_oldest(root: Path) -> None:
    """Keep a few folders of other versions: another checkout may use one."""
    others = sorted(root.glob("kernels-*"), key=lambda each: each.stat().st_mtime, reverse=True)
    for old in others[_OTHERS_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
