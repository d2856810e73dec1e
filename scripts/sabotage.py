"""Takes guards away, one by one, in a copy of the tree, and wants the test named for each to turn red.

python scripts/sabotage.py [NAME…]     all guards of tests/faults/guards.toml, or those named
python scripts/sabotage.py --page      write docs/guards.md; --check only compares
"""

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).resolve().parent.parent
GUARDS = ROOT / "tests" / "faults" / "guards.toml"
PAGE = ROOT / "docs" / "guards.md"
LIMIT_S = 300.0  # a test that does not end without its guard is red too
Guard: TypeAlias = dict[str, str]  # about, what, file, guard, without, test
_COPIED = ("src", "tests", "scripts", "examples", "docs", "conftest.py", "pyproject.toml")
_STAMPS = itertools.count(1_000_000_000)
_FAILED = 1  # pytest's status for red tests; others mean that it could not run them

_HEAD = """# Guards

What must never be taken out of the program, and the test that turns red without it. `python scripts/sabotage.py`
takes each away in a copy of the tree and runs that test. This page is made by `scripts/sabotage.py --page`.

| about | guard | in | test |
|---|---|---|---|
"""


def guards() -> dict[str, Guard]:
    """Every guard by name."""
    return tomllib.loads(GUARDS.read_text(encoding="utf-8"))


def page() -> str:
    """The whole page."""
    rows = [
        f"| {one['about']} | {one['what']} | `{one['file'].removeprefix('src/airpocket/')}` |"
        f" `{one['test'].removeprefix('tests/')}` |\n"
        for one in guards().values()
    ]
    return _HEAD + "".join(rows)


def without(tree: Path, guard: Guard) -> str:
    """Take the guard out of a tree; the file's text before.

    Raises:
        ValueError: its code does not stand there exactly once.
    """
    path = tree / guard["file"]
    text = path.read_text(encoding="utf-8")
    count = text.count(guard["guard"])
    if count != 1:
        raise ValueError(f"{guard['file']} holds the guard's code {count} times, not once")
    _write(path, text.replace(guard["guard"], guard["without"]))
    return text


def _write(path: Path, text: str) -> None:
    """Replace a file; its stamp is its own, so that no compiled form of another text passes for it."""
    path.write_text(text, encoding="utf-8")
    stamp = next(_STAMPS)
    os.utime(path, (stamp, stamp))


def is_red(tree: Path, guard: Guard) -> str:
    """'' where the guard's test fails without it, else what happened instead."""
    words = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", guard["test"]]
    try:
        done = subprocess.run(
            words, cwd=tree, capture_output=True, text=True, timeout=LIMIT_S, check=False,
            env={**os.environ, "AIRPOCKET_SHARED": str(tree / "nothing")},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return ""
    if done.returncode == _FAILED:
        return ""
    if done.returncode == 0:
        return "its test stays green"
    return f"its test could not be run: {(done.stdout + done.stderr)[-400:]}"


def sabotage(names: list[str]) -> int:
    """Each guard in turn; how many were not missed by their test."""
    missed = 0
    with tempfile.TemporaryDirectory(prefix="airpocket-sabotage-") as folder:
        tree = Path(folder)
        for name in _COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(
                    ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__")
                )
            else:
                shutil.copyfile(ROOT / name, tree / name)
        for name in names:
            guard = guards()[name]
            whole = without(tree, guard)
            problem = is_red(tree, guard)
            _write(tree / guard["file"], whole)
            missed += bool(problem)
            print(
                f"{name:26} {'red, as it should be' if not problem else 'NOT RED: ' + problem}",
                flush=True,
            )
    print(
        f"{len(names)} guards taken away, {len(names) - missed} missed by their tests, {missed} not"
    )
    return missed


def main(arguments: list[str]) -> int:
    """Run the command."""
    if "--page" in arguments:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if "--check" in arguments:
        return PAGE.read_text(encoding="utf-8") != page()
    known = guards()
    for name in arguments:
        if name not in known:
            print(f"no guard '{name}'; there are: {', '.join(known)}", file=sys.stderr)
            return 2
    return int(sabotage(arguments or list(known)) > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
