"""`airpocket plan POSITIONS.toml`: for every position of a file, where it stands and what to do."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from airpocket.delivery.cli.common import check_asof
from airpocket.delivery.cli.sheets import AS_USUAL, Asked, put_out


def plan(
    positions: Path,
    *,
    catalysts: Path | None = None,
    asked: Asked = AS_USUAL,
    short: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """For every position of a file: liquidation, what a gap leaves, exits, stops and sizes.

    Args:
        positions: The position file (TOML); docs/plan.md has the format.
        catalysts: A file of dated events, used for time-based exits and wider stops.
        short: The answer and the steps at a glance, nothing else.
    """
    from airpocket.delivery.warmup import compiling

    check_asof(asked.asof)
    with compiling():
        from airpocket.delivery.answers import plans_of

        found = plans_of(positions, asked.store, catalysts=catalysts, asof=asked.asof)
    from airpocket.brief import plan_json, plan_page

    return put_out(
        found, asked, plan_json.render, plan_page.head_line, plan_page.parts,
        glance=plan_page.short if short else None,
    )  # fmt: skip
