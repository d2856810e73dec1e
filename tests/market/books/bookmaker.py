"""Hand-made book changes for the tests of books."""

from airpocket.domain.wire import BookChange, Trade

SYMBOLS = {"okx": "BTC-USDT-SWAP", "deribit": "BTC-PERPETUAL", "hyperliquid": "BTC"}


def change(venue, ids=(None, None, None), bids=(), asks=(), *, at=1_000, snapshot=False, **more):
    """ids: first, last, previous; at: ms, of the venue's clock and ours."""
    first, last, previous = ids
    return BookChange(
        venue=venue, symbol=more.pop("symbol", SYMBOLS.get(venue, "ETHUSDT")), ts=at * 1_000_000,
        usable_from=at * 1_000_000, heard=at * 1_000_000, snapshot=snapshot, first=first, last=last,
        previous=previous, bids=tuple(bids), asks=tuple(asks), **more,
    )  # fmt: skip


def snap(venue, last=None, bids=((100.0, 1.0),), asks=((101.0, 2.0),), **more):
    return change(venue, (None, last, None), bids, asks, snapshot=True, **more)


def trade(side, price, size, at):
    return Trade(
        venue="binance_usdm", symbol="ETHUSDT", ts=at * 1_000_000, usable_from=at * 1_000_000,
        heard=at * 1_000_000, price=price, size=size, notional_usd=price * size, taker_side=side,
        trade_id=at,
    )  # fmt: skip
