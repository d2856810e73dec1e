"""Draws the map of files in ARCHITECTURE.md from the first sentence of each file, or checks that it is current."""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "ARCHITECTURE.md"
BEGIN, END = "<!-- files: begin -->", "<!-- files: end -->"
# the way of the data; folders not named come last
ORDER = (
    "domain", "margin", "ingest", "market", "signals", "liquidations", "levels", "cascade", "verdict",
    "playbook", "brief", "lab", "live", "evaluation", "drill", "delivery",
)  # fmt: skip


def first_sentence(path: Path) -> str:
    """The first line of a file's docstring.

    Raises:
        ValueError: the file has none.
    """
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    if not text:
        raise ValueError(
            f"{path}: a file opens with one sentence saying what it is responsible for"
        )
    return text.splitlines()[0]


def drawn() -> str:
    """The map, one line a file, in the order of the stages."""
    package = ROOT / "src" / "airpocket"
    lines = ["```text"]
    folders = sorted({path.parent for path in package.rglob("*.py")}, key=_place)
    for folder in folders:
        name = folder.relative_to(package.parent).as_posix()
        lines.append(f"{name}/  {first_sentence(folder / '__init__.py')}")
        for path in sorted(folder.glob("*.py")):
            if path.name != "__init__.py":
                lines.append(f"    {path.stem:<16} {first_sentence(path)}")
    return "\n".join([*lines, "```"])


def _place(folder: Path) -> tuple[int, str]:
    parts = folder.relative_to(ROOT / "src" / "airpocket").parts
    if not parts:
        return -1, ""
    rank = ORDER.index(parts[0]) if parts[0] in ORDER else len(ORDER)
    return rank, "/".join(parts)


def main() -> int:
    """Rewrite the page, or with --check say whether it is current."""
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    current = f"{before}{BEGIN}\n{drawn()}\n{END}{rest.split(END)[1]}"
    if "--check" in sys.argv[1:]:
        if page != current:
            print(
                "ARCHITECTURE.md: the map of files is old; run scripts/codemap.py", file=sys.stderr
            )
            return 1
        return 0
    PAGE.write_text(current, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
