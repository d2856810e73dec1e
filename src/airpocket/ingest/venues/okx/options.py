"""OKX's options, told in parts: volatilities and greeks, quotes, marks, open interest; prices in coin."""

from airpocket.domain.wire import LiveEvent, OptionTick
from airpocket.ingest.options import GREEKS, INTEREST, MARK, QUOTE, VOLATILITY
from airpocket.ingest.options import greek as greek_of
from airpocket.ingest.options import price as price_of
from airpocket.ingest.options import volatility as volatility_of
from airpocket.ingest.values import BadValue, nonnegative, positive
from airpocket.ingest.venues.okx import shapes
from airpocket.ingest.venues.okx.names import VENUE, Worths, expiry_of, said


def is_option(symbol: str) -> bool:
    """'BTC-USD-250328-92000-C', by the shape of the name alone."""
    return symbol.count("-") == 4 and symbol[-2:] in ("-C", "-P")


def _said(
    symbol: str, stamp: str, heard: int, says: tuple[str, ...], **told: float | None
) -> OptionTick:
    parts = symbol.split("-")
    if not is_option(symbol):
        raise BadValue(f"option name {symbol[:40]!r}")
    return OptionTick(
        venue=VENUE, symbol=symbol, ts=said(symbol, stamp, heard).ts, usable_from=heard, heard=heard,
        base=parts[0], expiry=expiry_of(parts[2]), strike=positive(parts[3], "strike"),
        call=parts[4] == "C", price_unit="coin" if parts[1] == "USD" else "usd", says=says, **told,
    )  # fmt: skip


def summaries(data: bytes, heard: int, worths: Worths) -> list[LiveEvent]:
    """Volatilities and the Black–Scholes greeks in dollars; the other set is premium-adjusted, in coin."""
    del worths
    return [
        _said(
            each.inst_id, each.ts, heard, (*VOLATILITY, "forward", *GREEKS),
            mark_iv=volatility_of(each.mark_iv), bid_iv=volatility_of(each.bid_iv),
            ask_iv=volatility_of(each.ask_iv), forward=price_of(each.forward, "forward"),
            delta=greek_of(each.delta or each.delta2), gamma=greek_of(each.gamma or each.gamma2),
            vega=greek_of(each.vega or each.vega2), theta=greek_of(each.theta or each.theta2),
        )
        for each in shapes.OPTIONS.decode(data)
    ]  # fmt: skip


def tick(each: shapes.Tick, heard: int, worths: Worths) -> OptionTick:
    """A row of mark-price, or else of tickers: there an empty side is no quote."""
    if each.mark:
        return _said(each.inst_id, each.ts, heard, MARK, mark=price_of(each.mark, "mark"))
    worth = worths.of(each.inst_id)
    bid, ask = price_of(each.bid, "bid"), price_of(each.ask, "ask")
    return _said(
        each.inst_id, each.ts, heard, QUOTE, bid=bid, ask=ask,
        bid_size=_coin(each.bid_size, worth.coin) if bid else None,
        ask_size=_coin(each.ask_size, worth.coin) if ask else None,
    )  # fmt: skip


def _coin(contracts: str, worth: float | None) -> float | None:
    if not contracts or worth is None:
        return None
    return nonnegative(contracts, "quote size") * worth


def interest(each: shapes.Interest, heard: int, worths: Worths) -> OptionTick:
    """Coin as told; contracts where their worth is known."""
    if each.coin:
        held: float | None = nonnegative(each.coin, "open interest")
    else:
        held = _coin(each.contracts, worths.of(each.inst_id).coin)
    return _said(each.inst_id, each.ts, heard, INTEREST, open_interest=held)
