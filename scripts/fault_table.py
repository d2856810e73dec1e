"""Writes docs/faults.md: every case of the fault catalogue and the tests that cover it; --check only compares."""

import ast
import sys
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "tests" / "faults" / "catalogue.toml"
PAGE = ROOT / "docs" / "faults.md"
Case: TypeAlias = dict[str, str]  # fault, and later or reason

_HEAD = """# Faults and bad inputs

What feeds, venues, disks and people do to the program, by id, and the tests that make it happen. `later` names
the part of the product that will own a case and does not exist yet. This page is made by `scripts/fault_table.py`.
"""
_SECTIONS = {
    "T": "Transport and session", "B": "Sequence, books, duplicates", "V": "Values, types, encodings",
    "C": "Time", "M": "Reference data and market structure", "L": "Forced flow",
    "S": "Recorder and storage", "R": "Resources and long runs", "X": "Execution",
    "D": "Signals, backtest, simulation", "A": "Alerts", "W": "API, web, local security",
    "O": "Build, configuration, supply chain",
}  # fmt: skip


def catalogue() -> dict[str, Case]:
    """Every case by id."""
    return tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))


def covering() -> dict[str, list[str]]:
    """Id → 'path::test' of every test marked with it, in a fixed order."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for one in _faults(node):
                    found[one].append(f"{path.relative_to(ROOT / 'tests').as_posix()}::{node.name}")
    return dict(found)


def _faults(test: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    marks = [d for d in test.decorator_list if isinstance(d, ast.Call)]
    named = [m for m in marks if isinstance(m.func, ast.Attribute) and m.func.attr == "fault"]
    return [
        a.value
        for m in named
        for a in m.args
        if isinstance(a, ast.Constant) and isinstance(a.value, str)
    ]


def page() -> str:
    """The whole page."""
    tests, parts = covering(), [_HEAD]
    cases = catalogue()
    for letter, title in _SECTIONS.items():
        parts.append(f"\n## {title}\n\n| id | fault | tests |\n|---|---|---|\n")
        parts += [
            _row(one, case, tests.get(one, [])) for one, case in cases.items() if one[0] == letter
        ]
    return "".join(parts)


def _row(one: str, case: Case, tests: list[str]) -> str:
    if tests:
        told = "<br>".join(f"`{test}`" for test in tests)
    elif "reason" in case:
        told = f"none: {case['reason']}"
    else:
        told = f"later: {case['later']}" if "later" in case else "no test yet"
    return f"| {one} | {case['fault'].replace('|', '&#124;')} | {told} |\n"


def main(arguments: list[str]) -> int:
    """Write the page, or with --check say whether it is current."""
    made = page()
    if "--check" not in arguments:
        PAGE.write_text(made, encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == made:
        return 0
    print("docs/faults.md is old; run scripts/fault_table.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
