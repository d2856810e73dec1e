"""How a position stands within its whole account: alone by the venue's own form, else solved numerically."""

from airpocket.margin.kernel import maintenance_over
from airpocket.margin.standing import Standing, standing
from airpocket.margin.tiers import TierTable
from airpocket.playbook.account import Account
from airpocket.playbook.ledger import Terms


def stand_of(account: Account, terms: Terms) -> Standing:
    """Alone: the exact standing. Otherwise equity, maintenance and prices are those of the whole account.

    The liquidation price is the nearest one on the side that hurts the position; the other side's, where
    other holdings make one, is `Account.thresholds`.

    Raises:
        MarginError: as `airpocket.margin.standing.standing`.
    """
    position, mark = account.leg.position, account.price
    if account.alone and not account.ledger.balances and not account.ledger.modelled_margin:
        return standing(position, mark, terms.schedule, terms.rules)
    ends, broke = account.thresholds(), account.thresholds(multiple=0.0)
    short = account.sign < 0
    reached = ends.up if short else ends.down
    equity = account.equity
    needed = account.maintenance(mark, account.size_coin)
    notional = account.notional(mark)
    leg, schedule = account.leg.leg, terms.schedule
    tiered = isinstance(schedule, TierTable)
    return Standing(
        mark=mark,
        notional_usd=notional,
        unrealised_usd=(leg.equity(mark) - leg.collateral) * (1.0 if leg.form == "linear" else mark),
        equity_usd=equity,
        maintenance_usd=needed,
        buffer_multiple=equity / needed if needed > 0.0 else float("inf"),
        liquidation_price=reached,
        bankruptcy_price=broke.up if short else broke.down,
        liquidation_distance_percent=None
        if reached is None
        else -account.sign * (reached / mark - 1.0) * 100.0,
        effective_leverage=notional / equity if equity > 0.0 else None,
        mmr_fraction=float(maintenance_over(leg, mark, schedule)) / leg.notional(mark),
        mmr_at_liquidation=None
        if reached is None
        else float(maintenance_over(leg, reached, schedule)) / leg.notional(reached),
        venue_max_leverage=schedule.max_leverage_at(leg.notional(mark))
        if tiered
        else 1.0 / schedule.imr_of(account.size_coin),
        already_liquidatable=ends.already,
        schedule_as_of=schedule.as_of,
        schedule_source=schedule.source,
    )  # fmt: skip
