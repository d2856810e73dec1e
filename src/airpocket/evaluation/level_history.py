"""Every level that was known on each day of the recorded histories of ETH and BTC, with what price did there."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import polars as pl

from airpocket.domain.errors import BadInput
from airpocket.domain.events import Batch, ColumnArray, FloatArray, IntArray
from airpocket.domain.instruments import instrument
from airpocket.domain.units import DAY_NS, HOUR_NS, MINUTE_NS, TimeNs
from airpocket.evaluation.impact_real import read_bars
from airpocket.levels.averages import atr
from airpocket.levels.find import Beside, known_at, sources_at
from airpocket.levels.roadmap import Level
from airpocket.levels.settings import DEFAULTS
from airpocket.liquidations.records import LiquidationMap, Unmapped
from airpocket.liquidations.settings import MapSettings
from airpocket.liquidations.state import MapState
from airpocket.market.bars import Bars, BarSeries
from airpocket.market.options.chain import ChainSnapshot
from airpocket.market.options.quotes import ChainQuotes
from airpocket.market.state import Contract, MarketState

COINS = ("BTC", "ETH")
_MULTI = "finm33150_hl_multivenue"
_FIRST: dict[str, tuple[str, ...]] = {
    "BTC": ("touhoufan_binance/btcusdt_perp_1h.parquet",),
    "ETH": ("touhoufan_binance/ethusdt_perp_15m.parquet",),
}
_SPOT = "misrori_binance_spot/{}usdt_spot_1h.parquet"
_BINANCE_INTEREST = "virajparmaj_btc_oi/btcusdt_binance_oi_1h.parquet"
_CHAIN = "znmahbub_deribit_chain/{}_chain.parquet"
_CHAIN_LAG_NS = 6 * MINUTE_NS
REACH_ATR = 3.0  # levels further from the price are not met in a day
_MAP_DAYS = 2  # a map every other day: it takes longest
_MAP = MapSettings(history_days=40, ways=4)


@dataclass(frozen=True, slots=True)
class Day:
    """One moment, and the levels near the price that were known then. row: of the first hourly bar after it.
    atr: daily, quote per coin."""

    now: int
    row: int
    price: float
    atr: float
    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """One coin's history: its hourly bars, and every day with what was known."""

    coin: str
    bars: Bars
    days: tuple[Day, ...]


def known_histories(
    data: Path, workers: int = 2, told: Callable[[str], None] = print
) -> tuple[Known, ...]:
    """Levels of every day of the shared histories.

    Raises:
        BadInput: the folder does not hold them; names the first file that is missing.
    """
    for name in (*_FIRST["BTC"], *_FIRST["ETH"], f"{_MULTI}/candles_1h.parquet"):
        if not (data / name).is_file():
            raise BadInput(f"{data}: recorded data are missing: no {data / name}")
    if workers == 1:
        return tuple(known_history(data, coin) for coin in COINS)
    with ProcessPoolExecutor(min(workers, len(COINS)), mp_context=get_context("spawn")) as pool:
        found = tuple(pool.map(known_history, [data] * len(COINS), COINS))
    for one in found:
        told(one.coin)
    return found


def known_history(data: Path, coin: str) -> Known:
    """One coin's history."""
    contract = contract_of(coin, [*_perp_bars(data, coin)])
    spots = _spots(data, coin)
    ranges = atr(contract.days)
    days: list[Day] = []
    walls, chains = _walls(data, coin, contract), _Chains(data, coin)
    for k in range(len(contract.days)):
        now, unit = TimeNs(int(contract.days.end[k])), float(ranges[k])
        if not np.isfinite(unit):
            continue
        beside = Beside(spots, walls.get(int(now)), chains.at(now))
        price = float(contract.days.close[k])
        near = tuple(
            level
            for level in sources_at(known_at(contract, now), now, DEFAULTS, beside).levels
            if abs(level.price - price) <= REACH_ATR * unit
        )
        row = int(np.searchsorted(contract.hours.ts, now))
        days.append(Day(int(now), row, price, unit, near))
    return Known(coin, contract.hours, tuple(days))


def contract_of(coin: str, pieces: Sequence[Bars], venue: str = "binance_usdm") -> Contract:
    """A contract from pieces of bars, the later ones only where the earlier have ended."""
    series = BarSeries()
    end = 0
    for piece in pieces:
        fresh = piece.since(end)
        series.add(batch_of_bars(fresh, f"{coin}USDT", venue))
        end = int(fresh.end[-1])
    return Contract(
        instrument(venue, f"{coin}USDT"), series.base, series.hours, series.four_hours, series.days
    )


def batch_of_bars(bars: Bars, symbol: str, venue: str = "binance_usdm") -> Batch:
    """Bars of an hour or a quarter as the market state takes them."""
    columns: dict[str, ColumnArray] = {"ts": bars.ts, "usable_from": bars.end}
    names = ("open", "high", "low", "close", "volume", "volume_usd", "taker_buy")
    columns |= dict(zip(names, bars.values, strict=True))
    kind = "bar_1h" if int(bars.end[0] - bars.ts[0]) == HOUR_NS else "bar_15m"
    return Batch(kind, venue, symbol, columns)


def _perp_bars(data: Path, coin: str) -> Iterator[Bars]:
    for name in _FIRST[coin]:
        yield read_bars(data / name)
    mine = (pl.col("venue") == "binance") & (pl.col("coin") == coin)
    yield read_bars(data / _MULTI / "candles_1h.parquet", mine)


def _spots(data: Path, coin: str) -> tuple[Contract, ...]:
    path = data / _SPOT.format(coin.lower())
    if not path.is_file():
        return ()
    bars = read_bars(path)
    whole = bars.until(int(bars.end[-2]))  # the last bar of the file is a part of one
    return (contract_of(coin, [whole], "binance_spot"),)


def _walls(data: Path, coin: str, contract: Contract) -> dict[int, LiquidationMap | Unmapped]:
    """Maps by moment, where open interest was recorded: Hyperliquid's, and for BTC Binance's before."""
    found: dict[int, LiquidationMap | Unmapped] = {}
    path = data / _MULTI / "open_interest.parquet"
    if path.is_file():
        table = pl.read_parquet(path).filter(
            (pl.col("venue") == "hyperliquid") & (pl.col("coin") == coin)
        ).sort("ts")  # fmt: skip
        ts = table["ts"].dt.epoch("ns").to_numpy().astype(np.int64)
        amount = table["oi_usd"].to_numpy()
        found |= _maps(coin, contract, _interest("hyperliquid", coin, ts, amount, "usd"))
    path = data / _BINANCE_INTEREST
    if coin == "BTC" and path.is_file():
        table = pl.read_parquet(path).drop_nulls("open_interest_btc").sort("ts")
        ts = table["ts"].dt.epoch("ns").to_numpy().astype(np.int64)
        amount = table["open_interest_btc"].cast(pl.Float64).to_numpy()
        found |= _maps(coin, contract, _interest("binance_usdm", "BTCUSDT", ts, amount, "coin"))
    return found


def _interest(venue: str, symbol: str, ts: IntArray, amount: FloatArray, unit: str) -> Batch:
    """Dollars come as means of the hour from `ts` on, coin as observed."""
    mean = HOUR_NS if unit == "usd" else 0
    columns: dict[str, ColumnArray] = {
        "ts": ts, "usable_from": ts + mean, "amount": amount, "unit": np.full(len(ts), unit),
        "averaged_s": np.full(len(ts), mean // 1_000_000_000, dtype=np.int64),
    }  # fmt: skip
    return Batch("open_interest", venue, symbol, columns)


def _maps(coin: str, contract: Contract, interest: Batch) -> dict[int, LiquidationMap | Unmapped]:
    first, last = (int(interest.ints("usable_from")[row]) for row in (0, -1))
    hours = batch_of_bars(contract.hours.since(first - 40 * DAY_NS), contract.instrument.symbol)
    state, mapping = MarketState(coin), MapState(_MAP)
    found: dict[int, LiquidationMap | Unmapped] = {}
    done = 0
    start = first - first % DAY_NS + 8 * DAY_NS
    for now in range(start, last, _MAP_DAYS * DAY_NS):
        for batch in (hours, interest):
            usable = batch.ints("usable_from")
            state.apply(_rows(batch, (usable > done) & (usable <= now)))
        done = now
        found[now] = mapping.measure(state.snapshot(TimeNs(now)))
    return found


def _rows(batch: Batch, mask: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> Batch:
    return replace(batch, columns={name: c[mask] for name, c in batch.columns.items()})


class _Chains:
    """The recorded option chains of one coin, by moment."""

    def __init__(self, data: Path, coin: str) -> None:
        path = data / _CHAIN.format(coin.lower())
        self._frame = pl.read_parquet(path) if path.is_file() else pl.DataFrame({"ts": []})
        ts = self._frame["ts"]
        stamps = ts.dt.epoch("ns").to_numpy().astype(np.int64) if len(ts) else np.empty(0, np.int64)
        self._ts = stamps
        self._snapshots = np.unique(stamps)

    def at(self, now: int) -> ChainSnapshot | str:
        row = int(np.searchsorted(self._snapshots, now - _CHAIN_LAG_NS, side="right")) - 1
        if row < 0 or now - int(self._snapshots[row]) > DAY_NS:
            return "no option chain was recorded"
        ts = int(self._snapshots[row])
        mine = self._frame.filter(pl.Series(self._ts == ts))
        quotes = ChainQuotes(
            now=ts, expiry=mine["expiry"].dt.epoch("ns").to_numpy().astype(np.int64),
            strike=mine["strike"].cast(pl.Float64).to_numpy(), call=(mine["option_type"] == "call").to_numpy(),
            forward=mine["underlying_price"].to_numpy(), bid=mine["bid_price"].to_numpy(),
            ask=mine["ask_price"].to_numpy(),
        )  # fmt: skip
        held = mine["open_interest"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        index = float(np.nanmedian(mine["index_price"].to_numpy()))
        return ChainSnapshot("deribit", ts, ts + _CHAIN_LAG_NS, quotes, held, index, "deribit")
