"""`airpocket hedge POSITIONS.toml`: for every position of a file, the cheapest hedges and what they leave open."""

from pathlib import Path
from typing import TYPE_CHECKING

from airpocket.delivery.cli.common import check_asof
from airpocket.delivery.cli.sheets import AS_USUAL, Asked, put_out

if TYPE_CHECKING:
    from airpocket.playbook.hedging.settings import HedgeSettings


def hedge(  # noqa: PLR0913 - one flag each
    positions: Path, *, chain: Path | None = None, gap: str = "15%", buffer: float = 2.0, hold: str = "14d",
    max_loss: str | None = None, budget: str | None = None, legs: int = 4, standard_margin: bool = False,
    catalysts: Path | None = None, asked: Asked = AS_USUAL, png: Path | None = None,
) -> int:  # fmt: skip
    """For every position of a file: the cheapest hedges, what each holds up to, and what more costs.

    Args:
        positions: The position file (TOML); docs/plan.md has the format.
        chain: Option quotes from a CSV or Parquet file instead of the store; docs/hedge.md has its columns.
        gap: The move against the position that the hedges are sized for.
        buffer: Multiple of maintenance to be kept in every scenario up to the gap.
        hold: How long the protection is wanted: lasting hedges outlast it, and costs are counted over it.
        max_loss: What equity may lose at most up to the gap, such as 50k; by default half of the unhedged loss
            where margin survives the gap anyway.
        budget: What a hedge may cost at most.
        legs: The most legs of one hedge.
        standard_margin: Count Deribit's standard margin for sold options that bought ones cover.
        catalysts: A file of dated events; the protection is then wanted past the next one.
        png: Also draw the first position's payoff and cost of protection into this file.
    """
    from airpocket.delivery.warmup import compiling

    check_asof(asked.asof)
    settings = _settings(gap, buffer, hold, max_loss, budget, legs, standard_margin=standard_margin)
    with compiling():
        from airpocket.delivery.hedging import Sources, hedges_of

        found = hedges_of(positions, Sources(asked.store, chain, catalysts, asked.asof), settings)
    drawn = None
    if png is not None:
        from airpocket.delivery.hedge_picture import picture

        drawn = png, picture(found[0])
    from airpocket.brief import hedge_json, hedge_page

    return put_out(
        found, asked, hedge_json.render, hedge_page.head_line, hedge_page.parts, drawn=drawn
    )


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
