"""The heavy fault benches, each one command: `python -m tests.faults` lists them. They need no test framework."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

for _folder in (ROOT / "src", ROOT / "tests"):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))
