"""Recorded liquidations against what was foreseen given the price path: daily totals, and prints as anecdote."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from airpocket.domain.errors import BadInput
from airpocket.domain.events import Batch, ColumnArray, FloatArray, IntArray
from airpocket.domain.units import DAY_NS, HOUR_NS, TimeNs, parse_time
from airpocket.evaluation.baselines import Sold
from airpocket.liquidations.cells import HIGH, INTEREST, LOW, REACH_HIGH, REACH_LOW, TYPICAL
from airpocket.liquidations.feed import Feed, feed_of, rows_of
from airpocket.liquidations.records import LiquidationMap
from airpocket.liquidations.settings import MapSettings
from airpocket.liquidations.state import MapState
from airpocket.market.state import MarketState

COINS = ("BTC", "ETH", "SOL", "DOGE", "HYPE")
_FOLDER = "finm33150_hl_multivenue"
_DAILY_END, _PRINTS = "2026-02-01T00:00Z", ("2026-03-04T00:00Z", "2026-03-05T11:00Z")
_LEARNED_DAYS = 7  # before a day is scored
_LEAST_USD = 1_000.0
_HALF_LIFE_DAYS = 3.0
_SEED = 20_260_201
NAMES = ("airpocket", "sold style", "price travel", "recent liquidations")


@dataclass(frozen=True, slots=True)
class Daily:
    """Daily liquidation volume of Hyperliquid. density: by forecast, mean log predictive density of the log
    volume a day and side; gain: of ours over each other's, with 95 % interval; days: scored."""

    days: int
    density: dict[str, float]
    gain: dict[str, tuple[float, float, float]]
    correlation: dict[str, float]


@dataclass(frozen=True, slots=True)
class Anecdote:
    """One coin's OKX prints over 35 hours, a sample, against the map of another venue: prints, and the
    correlation by hour and side of log amounts told and foreseen."""

    coin: str
    prints: int
    correlation: float


@dataclass(frozen=True, slots=True)
class Real:
    """What recorded data say of the map."""

    daily: Daily
    anecdotes: tuple[Anecdote, ...]


def real_scores(shared: Path) -> Real:
    """Scores the map on the recorded data below a folder.

    Raises:
        BadInput: the folder does not hold them.
    """
    folder = shared / _FOLDER
    if not (folder / "liquidation_volume_daily.parquet").is_file():
        raise BadInput(f"{shared}: holds no {_FOLDER}/liquidation_volume_daily.parquet")
    tables = {
        name: pl.read_parquet(folder / f"{name}.parquet")
        for name in ("candles_1h", "open_interest", "liquidation_volume_daily", "liquidations")
    }
    return Real(_daily(tables), tuple(_anecdote(tables, coin) for coin in COINS))


def _mapped(tables: dict[str, pl.DataFrame], coin: str, until: TimeNs) -> tuple[MapState, Feed]:
    """The map of Hyperliquid's open interest on Binance's price path, at a moment."""
    s = MapSettings(history_days=120)
    state = MarketState(coin)
    at = pl.col("ts").dt.epoch("ns")
    bars = tables["candles_1h"].filter(
        (pl.col("venue") == "binance") & (pl.col("coin") == coin) & (at + HOUR_NS <= until)
    ).sort("ts")  # fmt: skip
    interest = tables["open_interest"].filter(
        (pl.col("venue") == "hyperliquid") & (pl.col("coin") == coin) & (at + HOUR_NS <= until)
    ).sort("ts")  # fmt: skip
    state.apply(_bars(bars, coin))
    ts = interest["ts"].dt.epoch("ns").to_numpy().astype(np.int64)
    columns: dict[str, ColumnArray] = {
        "ts": ts, "usable_from": ts + HOUR_NS, "amount": interest["oi_usd"].to_numpy(),
        "unit": np.full(len(ts), "usd"), "averaged_s": np.full(len(ts), 3_600, dtype=np.int64),
    }  # fmt: skip
    state.apply(Batch("open_interest", "hyperliquid", coin, columns))
    mapping, market = MapState(s), state.snapshot(until)
    found = mapping.measure(market)
    perp = next(one for one in market.perps if one.key == f"hyperliquid:{coin}")
    feed = feed_of(perp, market.reference, until, s)
    if not isinstance(found, LiquidationMap) or isinstance(feed, str):
        raise BadInput(f"{_FOLDER}: no map of {coin} from its open interest and bars")
    return mapping, feed


def _bars(frame: pl.DataFrame, coin: str) -> Batch:
    ts = frame["ts"].dt.epoch("ns").to_numpy().astype(np.int64)
    none = np.full(len(ts), np.nan)
    columns: dict[str, ColumnArray] = {"ts": ts, "usable_from": ts + HOUR_NS}
    columns |= {name: frame[name].to_numpy() for name in ("open", "high", "low", "close", "volume")}
    columns |= {"volume_usd": none, "taker_buy": none}
    return Batch("bar_1h", "binance_usdm", f"{coin}USDT", columns)


def _daily(tables: dict[str, pl.DataFrame]) -> Daily:
    densities: dict[str, list[float]] = {name: [] for name in NAMES}
    logs: dict[str, list[tuple[float, float]]] = {name: [] for name in NAMES}
    blocks: list[int] = []
    until = parse_time(_DAILY_END)
    for number, coin in enumerate(COINS):
        mapping, feed = _mapped(tables, coin, until)
        told = tables["liquidation_volume_daily"].filter(pl.col("coin") == coin).sort("ts")
        day = told["ts"].dt.epoch("ns").to_numpy().astype(np.int64) // DAY_NS
        forecasts = _by_day(mapping, feed, day)
        for side, column in enumerate(("short_usd", "long_usd")):
            usd = np.maximum(told[column].fill_null(0.0).to_numpy(), _LEAST_USD)
            every = {**{name: each[:, side] for name, each in forecasts.items()},
                     "recent liquidations": _recent(usd)}  # fmt: skip
            for name, forecast in every.items():
                found, pairs = _densities(usd, forecast)
                densities[name] += found
                logs[name] += pairs
            blocks += [
                number * 1_000 + side * 100 + k // 5 for k in range(len(usd) - _LEARNED_DAYS)
            ]
    rows = {name: np.array(each) for name, each in densities.items()}
    return Daily(
        len(blocks),
        {name: float(each.mean()) for name, each in rows.items()},
        {name: _gain(rows[NAMES[0]] - rows[name], np.array(blocks)) for name in NAMES[1:]},
        {name: float(np.corrcoef(np.array(each).T)[0, 1]) for name, each in logs.items()},
    )


def _by_day(mapping: MapState, feed: Feed, day: IntArray) -> dict[str, FloatArray]:
    """(D, 2) by forecast: forced flow of each day and side, in no unit: its scale is learned."""
    rows = rows_of(feed, 0, mapping.settings)
    step_day = (rows.end - 1) // DAY_NS
    hour, flow = mapping.cohorts(feed.key).foreseen()
    price = rows.facts[TYPICAL]
    first = int(np.floor(np.log(price.min()) / mapping.settings.width)) - 1_500
    middle = np.exp((first + np.arange(4_500) + 0.5) * mapping.settings.width)
    touched = Sold(feed, mapping.settings).ladders(middle, np.zeros(0, np.int64))[1]
    before = np.log(np.concatenate([price[:1], price[:-1]]))
    travel = np.stack(
        [
            np.maximum(np.log(rows.facts[REACH_HIGH]) - before, 0.0),
            np.maximum(before - np.log(rows.facts[REACH_LOW]), 0.0),
        ],
        axis=1,
    ) * rows.facts[INTEREST][:, None]  # fmt: skip
    assert (rows.facts[HIGH] >= rows.facts[LOW]).all()
    return {
        "airpocket": np.stack([flow[hour * HOUR_NS // DAY_NS == one].sum(axis=0) for one in day]),
        "sold style": np.stack([touched[step_day == one].sum(axis=0) for one in day]),
        "price travel": np.stack([travel[step_day == one].sum(axis=0) for one in day]),
    }


def _recent(usd: FloatArray) -> FloatArray:
    """Exponential mean of the days before, half-life of three."""
    found, weight = np.empty(len(usd)), 0.5 ** (1.0 / _HALF_LIFE_DAYS)
    mean = float(usd[0])
    for k, value in enumerate(usd):
        found[k] = mean
        mean = weight * mean + (1.0 - weight) * float(value)
    return found


def _densities(
    usd: FloatArray, forecast: FloatArray
) -> tuple[list[float], list[tuple[float, float]]]:
    """Log density of each day's log volume: Normal about the log forecast, scale and spread learned from the
    days before."""
    floor = 0.02 * float(forecast[:_LEARNED_DAYS].mean()) + 1e-9
    off = np.log(usd) - np.log(np.maximum(forecast, floor))
    found: list[float] = []
    for k in range(_LEARNED_DAYS, len(usd)):
        centre, spread = float(off[:k].mean()), float(off[:k].std(ddof=1))
        spread = max(spread * np.sqrt(1.0 + 1.0 / k), 0.05)
        found.append(float(-np.log(spread) - 0.5 * ((off[k] - centre) / spread) ** 2))
    logs = np.log(np.maximum(forecast, floor))
    pairs = [(float(np.log(usd[k])), float(logs[k] - logs.mean() + np.log(usd).mean()))
             for k in range(_LEARNED_DAYS, len(usd))]  # fmt: skip
    return found, pairs


def _gain(difference: FloatArray, blocks: IntArray) -> tuple[float, float, float]:
    """Mean with a 95 % bootstrap over blocks of five days."""
    sums = np.array(
        [[difference[blocks == one].sum(), (blocks == one).sum()] for one in np.unique(blocks)]
    )
    drawn = np.random.default_rng(_SEED).integers(0, len(sums), size=(2_000, len(sums)))
    total = sums[drawn].sum(axis=1)
    low, high = np.quantile(total[:, 0] / total[:, 1], (0.025, 0.975))
    return float(difference.mean()), float(low), float(high)


def _anecdote(tables: dict[str, pl.DataFrame], coin: str) -> Anecdote:
    start, end = (parse_time(each) for each in _PRINTS)
    mapping, feed = _mapped(tables, coin, end)
    hour, flow = mapping.cohorts(feed.key).foreseen()
    inside = (hour * HOUR_NS >= start) & (hour * HOUR_NS < end)
    prints = tables["liquidations"].filter((pl.col("venue") == "okx") & (pl.col("coin") == coin))
    at = prints["ts"].dt.epoch("ns").to_numpy().astype(np.int64)
    usd = (prints["size_usd"] * prints["size_multiplier"]).to_numpy()
    bought = prints["side"].str.to_lowercase().is_in(["buy", "b"]).to_numpy()
    pairs: list[tuple[float, float]] = []
    for k in np.flatnonzero(inside):
        mine = at // HOUR_NS == hour[k]
        for side, which in ((0, bought), (1, ~bought)):
            pairs.append((float(np.log1p(usd[mine & which].sum())), float(np.log1p(flow[k, side]))))
    return Anecdote(coin, len(prints), float(np.corrcoef(np.array(pairs).T)[0, 1]))
