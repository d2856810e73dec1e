"""`airpocket stress POSITIONS.toml`: what every account of a file survives, and which exits come through."""

from pathlib import Path

from airpocket.delivery.cli.common import check_asof
from airpocket.delivery.cli.sheets import AS_USUAL, Asked, put_out


def stress(positions: Path, *, asked: Asked = AS_USUAL, png: Path | None = None) -> int:
    """For every account of a file: gaps, cascades, volatility, funding, outages, slipping stablecoins, exits.

    Args:
        positions: The position file (TOML); docs/plan.md has the format.
        png: Also draw equity over price and the exits to this file (needs the extra [pictures]).
    """
    from airpocket.delivery.warmup import compiling

    check_asof(asked.asof)
    with compiling():
        from airpocket.delivery.answers import stress_tests_of

        found = stress_tests_of(positions, asked.store, asof=asked.asof)
    drawn = None
    if png is not None:
        from airpocket.delivery.stress_picture import picture

        drawn = png, picture(found)
    from airpocket.brief import stress_json, stress_page

    return put_out(
        found, asked, stress_json.render, stress_page.head_line, stress_page.parts, drawn=drawn
    )
