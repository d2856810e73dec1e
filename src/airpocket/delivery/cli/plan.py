"""`airpocket plan POSITIONS.toml`: for every position of a file, where it stands and what to do."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from airpocket.delivery.cli.common import check_asof

if TYPE_CHECKING:
    from airpocket.playbook.records import Plan


def plan(
    positions: Path,
    *,
    catalysts: Path | None = None,
    asof: str | None = None,
    store: Path = Path("store"),
    md: Path | None = None,
    short: Annotated[bool, Parameter(negative="")] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """For every position of a file: liquidation, what a gap leaves, exits, stops and sizes.

    Args:
        positions: The position file (TOML); docs/plan.md has the format.
        catalysts: A file of dated events, used for time-based exits and wider stops.
        asof: The moment, with its time zone: 2025-10-10T20:00Z. Default: the newest price stored.
        store: Folder of the store.
        md: Also write Markdown to this file.
        short: The answer and the steps at a glance, nothing else.
        as_json: Print JSON instead of the terminal page.
    """
    import sys

    from airpocket.delivery.files import write_text
    from airpocket.delivery.warmup import compiling

    check_asof(asof)
    with compiling():
        from airpocket.delivery.answers import plans_of

        found = plans_of(positions, store, catalysts=catalysts, asof=asof)
    if md is not None:
        write_text(md, _as_markdown(found))
    sys.stdout.write(_as_json(found) if as_json else _as_pages(found, short=short))
    if md is not None:
        sys.stderr.write(f"wrote {md}\n")
    return 0


def _as_json(plans: "list[Plan]") -> str:
    from airpocket.brief import plan_json

    return plan_json.render(plans).decode()


def _as_markdown(plans: "list[Plan]") -> str:
    from airpocket.brief import markdown, plan_page

    return "\n".join(
        markdown.sheet(
            each.answer, plan_page.head_line(each), plan_page.parts(each), simulated=each.simulated
        )
        for each in plans
    )


def _as_pages(plans: "list[Plan]", *, short: bool) -> str:
    from rich.console import Console

    from airpocket.brief import plan_page, terminal

    console = Console()
    width = min(console.width, 120) if console.is_terminal else 100
    colour = console.is_terminal and not console.no_color
    return "\n\n".join(
        terminal.sheet(
            each.answer,
            plan_page.head_line(each),
            plan_page.short(each) if short else plan_page.parts(each),
            simulated=each.simulated,
            width=width,
            colour=colour,
        )
        for each in plans
    )
