"""`airpocket stress POSITIONS.toml`: what every account of a file survives, and which exits come through."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from airpocket.delivery.cli.common import check_asof

if TYPE_CHECKING:
    from airpocket.playbook.stress.records import StressTest


def stress(
    positions: Path,
    *,
    asof: str | None = None,
    store: Path = Path("store"),
    md: Path | None = None,
    png: Path | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """For every account of a file: gaps, cascades, volatility, funding, outages, slipping stablecoins, exits.

    Args:
        positions: The position file (TOML); docs/plan.md has the format.
        asof: The moment, with its time zone: 2025-10-10T20:00Z. Default: the newest price stored.
        store: Folder of the store.
        md: Also write Markdown to this file.
        png: Also draw equity over price and the exits to this file (needs the extra [pictures]).
        as_json: Print JSON instead of the terminal page.
    """
    import sys

    from airpocket.delivery.files import write_bytes, write_text
    from airpocket.delivery.warmup import compiling

    check_asof(asof)
    with compiling():
        from airpocket.delivery.answers import stress_tests_of

        found = stress_tests_of(positions, store, asof=asof)
    written: list[Path] = []
    if md is not None:
        write_text(md, _as_markdown(found))
        written.append(md)
    if png is not None:
        from airpocket.delivery.stress_picture import picture

        write_bytes(png, picture(found))
        written.append(png)
    sys.stdout.write(_as_json(found) if as_json else _as_pages(found))
    for path in written:
        sys.stderr.write(f"wrote {path}\n")
    return 0


def _as_json(tests: "list[StressTest]") -> str:
    from airpocket.brief import stress_json

    return stress_json.render(tests).decode()


def _as_markdown(tests: "list[StressTest]") -> str:
    from airpocket.brief import markdown, stress_page

    return "\n".join(
        markdown.sheet(
            each.answer, stress_page.head_line(each), stress_page.parts(each), simulated=each.simulated
        )
        for each in tests
    )  # fmt: skip


def _as_pages(tests: "list[StressTest]") -> str:
    from rich.console import Console

    from airpocket.brief import stress_page, terminal

    console = Console()
    width = min(console.width, 120) if console.is_terminal else 100
    colour = console.is_terminal and not console.no_color
    return "\n\n".join(
        terminal.sheet(
            each.answer, stress_page.head_line(each), stress_page.parts(each), simulated=each.simulated,
            width=width, colour=colour,
        )
        for each in tests
    )  # fmt: skip
