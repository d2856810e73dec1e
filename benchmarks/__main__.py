"""`./run bench [NAME] [--json]`: every figure, or those of one file; one JSON line per figure with --json."""

import dataclasses
import importlib
import json
import platform
import sys
from pathlib import Path

from airpocket.delivery.kernels import keep_kernels


def main() -> int:
    """Run the benchmarks named, or all."""
    given = sys.argv[1:]
    words = [word for word in given if not word.startswith("-")]
    as_json = "--json" in given
    known = sorted(
        path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py")
    )
    if {"--help", "-h"} & set(given):
        print(
            f"usage: ./run bench [NAME …] [--json]\nnames: {', '.join(known)}; without one, all of them"
        )
        return 0
    unknown = [word for word in given if word not in (*known, "--json")]
    if unknown:
        print(
            f"no benchmark named {', '.join(unknown)}; there are: {', '.join(known)}",
            file=sys.stderr,
        )
        return 2
    keep_kernels()
    print(f"{platform.machine()}, Python {platform.python_version()}", file=sys.stderr)
    for name in words or known:
        for figure in importlib.import_module(f"benchmarks.bench_{name}").figures():
            if as_json:
                print(json.dumps(dataclasses.asdict(figure)), flush=True)
            else:
                peer = (
                    f"{figure.peer} {figure.peer_value}, ratio {figure.ratio}"
                    if figure.peer
                    else ""
                )
                print(f"{figure.name:<44} {figure.ours:>12} {figure.unit:<4} {peer}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
