"""Builds the dashboard and the chart alone from web/ into the package; --check compares with what is committed."""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "web"
DELIVERY = ROOT / "src" / "airpocket" / "delivery"
# folder of the package → the configuration that fills it
BUNDLES = {"static": "vite.config.ts", "embedded": "vite.alone.config.ts"}


def main() -> int:
    """Build, or build aside and compare; 1 where the two differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, compare")
    check = parser.parse_args().check
    if not (WEB / "node_modules" / "vite").is_dir():
        _run("npm", "ci", "--no-audit", "--no-fund")
    _run("npx", "tsc", "--noEmit")
    different: list[str] = []
    for name, config in BUNDLES.items():
        if not check:
            _run("npx", "vite", "build", "--config", config)
            continue
        with tempfile.TemporaryDirectory() as folder:
            _run(
                "npx", "vite", "build", "--config", config, "--outDir", folder, "--logLevel", "warn"
            )
            different += sorted(_differing(Path(folder), DELIVERY / name))
    if different:
        sys.stderr.write(
            f"not what web/ gives: {', '.join(different)}; run python scripts/build_page.py\n"
        )
    return 1 if different else 0


def _run(*command: str) -> None:
    subprocess.run(command, cwd=WEB, check=True)


def _differing(built: Path, kept: Path) -> set[str]:
    names = {path.name for folder in (built, kept) for path in folder.iterdir()}
    return {f"{kept.name}/{name}" for name in names if _bytes(built / name) != _bytes(kept / name)}


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


if __name__ == "__main__":
    sys.exit(main())
