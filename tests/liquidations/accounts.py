"""Made accounts, markets and maps for the measured layer and the blend."""

import numpy as np
import samples

from airpocket.domain.accounts import AccountState, Holding
from airpocket.domain.estimates import PERCENT, unknown
from airpocket.domain.events import Batch
from airpocket.domain.units import HOUR_NS, MINUTE_NS
from airpocket.liquidations.clusters import clusters_of
from airpocket.liquidations.grid import bucket_of, edges
from airpocket.liquidations.records import Heat, Ladder, LiquidationMap, Part, Source
from airpocket.liquidations.settings import MapSettings
from airpocket.market.state import MarketState

S = MapSettings()
PRICE = 3_000.0
NOW = samples.START + 100 * HOUR_NS
KEY = "hyperliquid:ETH"


def market(*, interest=1_000.0, closes=(PRICE,), now=NOW, high=None, low=None, coin="ETH"):
    """Minute bars that end at `now`, and open interest told a minute before."""
    n = len(closes)
    ts = now - MINUTE_NS * np.arange(n, 0, -1, dtype=np.int64)
    close = np.array(closes, dtype=float)
    columns = {
        "ts": ts, "usable_from": ts + MINUTE_NS, "open": close, "close": close,
        "high": np.maximum(close, high or 0.0), "low": np.minimum(close, low or np.inf),
        **dict.fromkeys(("volume", "volume_usd", "taker_buy"), np.ones(n)),
    }  # fmt: skip
    state = MarketState(coin)
    state.apply(Batch("bar_1m", "hyperliquid", coin, columns, ("made",)))
    if interest is not None:
        at = np.array([now - MINUTE_NS], dtype=np.int64)
        told = {"ts": at, "usable_from": at, "amount": np.array([interest]), "unit": np.array(["coin"]),
                "averaged_s": np.array([0])}  # fmt: skip
        state.apply(Batch("open_interest", "hyperliquid", coin, told, ("made",)))
    return state.snapshot(now)


def isolated(size, price, *, mark=PRICE, symbol="ETH", mmr=0.02, told=True, **more):
    """An isolated position that is liquidated at `price`, as the kernel has it: cash = −size·p·(1 − s·m)."""
    sign = 1.0 if size > 0 else -1.0
    cash = -size * price * (1.0 - sign * mmr)
    return Holding(symbol=symbol, size_coin=size, mark=mark, backing="isolated", cash_usd=cash,
                   max_leverage_x=0.5 / mmr, liquidation_price=price if told else None, **more)  # fmt: skip


def account(name, *holdings, age_h=0.5, venue="hyperliquid", now=NOW):
    at = now - round(age_h * HOUR_NS)
    return AccountState(venue=venue, account=name, ts=at, usable_from=at, holdings=holdings)


def modelled(coin_short, coin_long, *, first=None, interest=None, draws=None, key=KEY, now=NOW):
    """A map of one contract: coin by bucket of each side around the price; `draws` (M, B) default to three."""
    count = len(coin_short)
    first = bucket_of(PRICE, S.width) - count // 2 if first is None else first
    edge = edges(first, count, S.width)
    middle = np.sqrt(edge[:-1] * edge[1:])
    ladders = []
    for coin in (np.asarray(coin_short, float), np.asarray(coin_long, float)):
        rows = np.stack([coin, coin[::-1], np.full(count, coin.mean())]) if draws is None else draws
        ladders.append(Ladder(coin * middle, rows * middle))
    shorts, longs = ladders
    held = float(np.sum(coin_short)) if interest is None else interest
    none = np.empty(0, np.int64)
    return LiquidationMap(
        asset="ETH", now=now, as_of=now - MINUTE_NS, price=PRICE, edge=edge, shorts=shorts, longs=longs,
        hedged_shorts=unknown(PERCENT, "made"), hedged_longs=unknown(PERCENT, "made"),
        clusters=clusters_of(edge, shorts, longs, PRICE, S),
        heat=Heat(none, np.empty(0), np.empty((0, count)), np.empty((0, count))),
        sources=(Source(key, held, now - MINUTE_NS, 10, ()),), notes=("made",),
        parts=(Part(key, shorts, longs),),
    )  # fmt: skip


def coin_of(mapped, side):
    """(M, B) coin of every draw of a side."""
    return mapped.ladder(side).draws / mapped.middle
