"""`airpocket hedge POSITIONS.toml`: for every position of a file, the cheapest hedges and what they leave open."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from airpocket.delivery.cli.common import check_asof

if TYPE_CHECKING:
    from airpocket.playbook.hedging.records import HedgeSheet
    from airpocket.playbook.hedging.settings import HedgeSettings


def hedge(  # noqa: PLR0913 - one flag each
    positions: Path, *, chain: Path | None = None, asof: str | None = None, gap: str = "15%",
    buffer: float = 2.0, hold: str = "14d", max_loss: str | None = None, budget: str | None = None, legs: int = 4,
    standard_margin: bool = False, catalysts: Path | None = None, store: Path = Path("store"),
    md: Path | None = None, png: Path | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:  # fmt: skip
    """For every position of a file: the cheapest hedges, what each holds up to, and what more costs.

    Args:
        positions: The position file (TOML); docs/plan.md has the format.
        chain: Option quotes from a CSV or Parquet file instead of the store; docs/hedge.md has its columns.
        asof: The moment, with its time zone: 2026-02-06T22:00Z. Default: the newest price stored.
        gap: The move against the position that the hedges are sized for.
        buffer: Multiple of maintenance to be kept in every scenario up to the gap.
        hold: How long the protection is wanted: lasting hedges outlast it, and costs are counted over it.
        max_loss: What equity may lose at most up to the gap, such as 50k; by default half of the unhedged loss
            where margin survives the gap anyway.
        budget: What a hedge may cost at most.
        legs: The most legs of one hedge.
        standard_margin: Count Deribit's standard margin for sold options that bought ones cover.
        catalysts: A file of dated events; the protection is then wanted past the next one.
        store: Folder of the store.
        md: Also write Markdown to this file.
        png: Also draw the first position's payoff and cost of protection into this file.
        as_json: Print JSON instead of the terminal page.
    """
    import sys

    from airpocket.delivery.files import write_bytes, write_text
    from airpocket.delivery.warmup import compiling

    check_asof(asof)
    settings = _settings(gap, buffer, hold, max_loss, budget, legs, standard_margin=standard_margin)
    with compiling():
        from airpocket.delivery.hedging import Sources, hedges_of

        found = hedges_of(positions, Sources(store, chain, catalysts, asof), settings)
    if md is not None:
        write_text(md, _as_markdown(found))
    if png is not None:
        from airpocket.delivery.hedge_picture import picture

        write_bytes(png, picture(found[0]))
    sys.stdout.write(_as_json(found) if as_json else _as_pages(found))
    for written in (md, png):
        if written is not None:
            sys.stderr.write(f"wrote {written}\n")
    return 0


def _settings(
    gap: str, buffer: float, hold: str, max_loss: str | None, budget: str | None, legs: int, *,
    standard_margin: bool,
) -> "HedgeSettings":  # fmt: skip
    from airpocket.delivery.cli.asked import amount_usd, days, percent
    from airpocket.domain.errors import BadInput
    from airpocket.playbook.hedging.settings import HedgeSettings

    if not 1.0 <= buffer <= 20.0:
        raise BadInput(f"--buffer {buffer:g}: must lie between 1 and 20 times maintenance")
    if not 1 <= legs <= 12:
        raise BadInput(f"--legs {legs}: must lie between 1 and 12")
    return HedgeSettings(
        gap_percent=abs(percent("--gap", gap, low=-90.0, high=400.0)), buffer=buffer, legs=legs,
        hold_d=days("--hold", hold, low=1.0, high=90.0),
        most_loss_usd=None if max_loss is None else abs(amount_usd("--max-loss", max_loss)),
        budget_usd=None if budget is None else abs(amount_usd("--budget", budget)),
        standard_margin=standard_margin,
    )  # fmt: skip


def _as_json(sheets: "list[HedgeSheet]") -> str:
    from airpocket.brief import hedge_json

    return hedge_json.render(sheets).decode()


def _as_markdown(sheets: "list[HedgeSheet]") -> str:
    from airpocket.brief import hedge_page, markdown

    return "\n".join(
        markdown.sheet(
            each.answer, hedge_page.head_line(each), hedge_page.parts(each), simulated=each.simulated
        )
        for each in sheets
    )  # fmt: skip


def _as_pages(sheets: "list[HedgeSheet]") -> str:
    from rich.console import Console

    from airpocket.brief import hedge_page, terminal

    console = Console()
    width = min(console.width, 120) if console.is_terminal else 100
    colour = console.is_terminal and not console.no_color
    return "\n\n".join(
        terminal.sheet(
            each.answer, hedge_page.head_line(each), hedge_page.parts(each),
            simulated=each.simulated, width=width, colour=colour,
        )
        for each in sheets
    )  # fmt: skip
