"""The moment of a drill, from the frame that is played."""

from airpocket.delivery.serve.drill_state import DrillMoment, PaperPosition, PaperStop
from airpocket.drill.desk import plan_words
from airpocket.drill.play import Frame


def moment_of(frame: Frame) -> DrillMoment:
    """The moment that a frame shows; nothing of it changes when the account does."""
    second, held = frame.second, frame.account
    estimate = second.funding_estimate
    return DrillMoment(
        mark=second.mark, last=second.last, bid=second.bid, ask=second.ask,
        move_percent=100.0 * (second.mark / frame.price_first - 1.0),
        forced_buy_usd=frame.forced_buy_usd, forced_sell_usd=frame.forced_sell_usd,
        funding_percent=None if estimate is None else 100.0 * estimate,
        open_interest_coin=second.open_interest_coin,
        position=PaperPosition(
            venue=held.terms.venue, symbol=held.terms.symbol, side=held.side, size_coin=held.size_coin,
            entry_price=held.entry_price, margin_usd=held.margin_usd, equity_usd=held.equity_usd(second.mark),
            pnl_usd=held.pnl_usd(second.mark, frame.hedge_mark), forced_price=held.liquidation_price,
            distance_percent=held.distance_percent(second.mark), liquidated=held.liquidated,
            stops=[PaperStop(price=stop.price, coin=stop.coin) for stop in held.stops],
            hedge_coin=held.hedge_coin,
        ),
        plan=plan_words(frame.outlook),
    )  # fmt: skip
