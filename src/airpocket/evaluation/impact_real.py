"""Impact, resilience and retrace in recorded markets: minutes of books and trades, years of bars and interest."""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import polars as pl

from airpocket.cascade.calibrate.absorb import Absorption, over_book
from airpocket.cascade.calibrate.bursts import Retrace, Sort, bursts_of, retraces_of
from airpocket.cascade.calibrate.depth import PER_LOG, Depths, PullBack, refill_of
from airpocket.cascade.calibrate.figures import Figure, missing
from airpocket.cascade.calibrate.fit import Fitted, interest_retraces
from airpocket.cascade.calibrate.hours import hours_of
from airpocket.cascade.calibrate.impact import impact_of
from airpocket.cascade.calibrate.recovery import Aftermath, aftermath_of, recovery_of
from airpocket.cascade.calibrate.settings import CalibrationSettings
from airpocket.cascade.calibrate.tape import Tape, tape_of_trades
from airpocket.domain.errors import BadInput
from airpocket.domain.estimates import RATIO, SECONDS
from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.units import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, TimeNs, parse_time
from airpocket.domain.wire import BookChange, LiveEvent, Quote, Trade
from airpocket.ingest.venues.registry import VENUES
from airpocket.market.bars import Bars
from airpocket.market.books.book import Book
from airpocket.market.books.measures import depth_within, mid_of

RECORDINGS = (
    ("binance_usdm", "usdm/ethusdt_20240808.gz"), ("binance_spot", "spot/ethusdt_20240808.gz"),
)  # fmt: skip
RECORDED_ON = "2024-08-08T00:00Z"
NEAR_PERCENT = 0.1
_LOOK_NS = SECOND_NS // 2
_FRAMES = "wire/hftbacktest"
_MULTI = "finm33150_hl_multivenue"


@dataclass(frozen=True, slots=True)
class Recording:
    """What one recording of book and trades tells. near_usd: median dollars within 0.1 % a side.

    over_book: by bar length, 1/(λ × dollars a unit of log-price): what absorbs small flows over what is shown.
    mended_s: half-time of asks, of bids, after trades ate a fifth of them. fitted: as a what-if would take it.
    """

    venue: str
    coin: str
    first: int
    last: int
    trades: int
    traded_usd: float
    near_usd: float
    over_book: tuple[Figure, ...]
    aftermath: Aftermath
    mended_s: tuple[Figure, Figure]
    fitted: Fitted


@dataclass(frozen=True, slots=True)
class History:
    """What came back after bursts in one price history. interest: whose open interest tells the forced, '' none."""

    coin: str
    prices: str
    interest: str
    first: int
    last: int
    retraces: tuple[Retrace, ...]


@dataclass(frozen=True, slots=True)
class Gauge:
    """The square-root law's measures on the day of the recordings: volatility a day, and dollars traded."""

    volatility: float
    volume_usd: float


@dataclass(frozen=True, slots=True)
class RealImpact:
    """Everything recorded data say."""

    recordings: tuple[Recording, ...]
    gauge: Gauge
    histories: tuple[History, ...]


def real_impact(data: Path, settings: CalibrationSettings | None = None) -> RealImpact:
    """Measures on the recorded data: `data`, and the frames in `wire` beside it.

    Raises:
        BadInput: the folders do not hold them; names the first that is missing.
    """
    s = settings or CalibrationSettings()
    frames = data.parent / _FRAMES
    for path in (
        *(frames / name for _, name in RECORDINGS), data / _MULTI / "candles_1h.parquet",
        data / "virajparmaj_btc_oi/btcusdt_binance_oi_1h.parquet",
    ):  # fmt: skip
        if not path.is_file():
            raise BadInput(f"{data}: recorded data are missing: no {path}")
    recordings = tuple(recording_of(venue, frames / name, s) for venue, name in RECORDINGS)
    return RealImpact(recordings, _gauge(data), tuple(_histories(data, s)))


def heard(path: Path, venue: str) -> Iterator[LiveEvent]:
    """Every event of a recording in its order, as if heard at the exchange's own time, never going back.

    The recording host's clock ran 1.27 s behind; snapshots, and quotes on spot, have no time of their own.
    """
    address, latest = "https://x/depth?symbol=ETHUSDT", 0
    with gzip.open(path, "rb") as file:
        for line in file:
            stamp, _, frame = line.strip().partition(b" ")
            for event in VENUES[venue].decode(frame, int(stamp), address):
                snapshot = isinstance(event, BookChange) and event.snapshot
                untimed = snapshot or (venue == "binance_spot" and isinstance(event, Quote))
                latest = max(latest, latest if untimed else event.ts)
                yield msgspec.structs.replace(event, usable_from=latest or event.ts)


@dataclass(slots=True)
class _Looks:
    """Mid, asks and bids within 0.1 % each half second, and the trades."""

    at: list[int]
    seen: list[tuple[float, float, float]]
    trades: list[tuple[int, float, float]]  # ns, price, signed USD


def _watched(path: Path, venue: str) -> _Looks:
    book, found = Book(venue, "ETHUSDT"), _Looks([], [], [])
    due = 0
    for event in heard(path, venue):
        if isinstance(event, Trade):
            usd = event.notional_usd or 0.0
            found.trades.append((event.ts, event.price, usd if event.taker_side == "buy" else -usd))
        elif isinstance(event, BookChange):
            if book.levels is not None and due and event.usable_from > due:
                touch = book.levels.touch()
                sides = [depth_within(book.levels, sign * NEAR_PERCENT) for sign in (1.0, -1.0)]
                while due < event.usable_from:  # the book stood so until now
                    if touch is not None and sides[0] is not None and sides[1] is not None:
                        found.at.append(due)
                        found.seen.append((mid_of(touch), sides[0].usd, sides[1].usd))
                    due += _LOOK_NS
            book.apply(event)
            if book.levels is not None and not due:
                due = (event.usable_from // _LOOK_NS + 1) * _LOOK_NS
    return found


def recording_of(venue: str, path: Path, s: CalibrationSettings) -> Recording:
    """One recording's figures; prices are mids of the book."""
    looks = _watched(path, venue)
    at, seen = np.array(looks.at, dtype=np.int64), np.array(looks.seen)
    rows = sorted(looks.trades)
    ts = np.array([row[0] for row in rows], dtype=np.int64)
    price, usd = np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    plain = tape_of_trades(ts, price, usd, s.recovery_step_s)
    tape = _with_mids(plain, at, seen[:, 0])
    now, source = TimeNs(int(tape.end[-1])), f"{venue}:ETHUSDT"
    near = float(np.median(seen[:, 1:]))
    steps = [each for each in s.steps_s if each >= s.recovery_step_s]
    impact = tuple(impact_of(tape.coarser(step), now, source, s) for step in steps)
    taken = [_taken(at, ts, usd, sign) for sign in (1.0, -1.0)]
    asks, bids = (refill_of(at, seen[:, 1 + k], taken[k], now, source, s) for k in range(2))
    per_log = near / (NEAR_PERCENT / 100.0)
    law = max((one for one in impact if one.root.value is not None), key=lambda one: one.step_s)
    short = f"{source}: recorded for {(ts[-1] - ts[0]) / MINUTE_NS:.0f} minutes, {s.least_days} days are needed"
    pull = PullBack(missing(RATIO, short), missing(PER_LOG, short))
    no_marks = missing(SECONDS, f"{source}: neither marks nor liquidations were recorded")
    nothing = Depths(np.empty(0, np.int64), np.empty(0))
    fitted = Fitted(
        source, now, impact, recovery_of(tape, now, source, s), Absorption(law, per_log, ""),
        asks if asks.value is not None else bids, pull, no_marks, hours_of(nothing, now, source, s),
    )  # fmt: skip
    return Recording(
        venue, "ETH", int(ts[0]), int(ts[-1]), len(ts), float(np.abs(usd).sum()), near,
        tuple(over_book(one, per_log, now) for one in impact), aftermath_of(tape, now, source, s),
        (asks, bids), fitted,
    )  # fmt: skip


def _with_mids(tape: Tape, at: IntArray, mid: FloatArray) -> Tape:
    """The same bars with the book's mid at their ends; without the bars before the book was known."""
    row = np.searchsorted(at, tape.end, side="right") - 1
    known = row >= 0
    first = np.concatenate([[True], ~known[:-1]])
    return Tape(
        tape.step_s, tape.end[known], np.log(mid[np.maximum(row, 0)])[known], tape.flow_usd[known],
        tape.traded_usd[known], (tape.joined & ~first)[known],
    )  # fmt: skip


def _taken(at: IntArray, ts: IntArray, usd: FloatArray, sign: float) -> FloatArray:
    mine = (np.sign(usd) == sign) & (ts > at[0]) & (ts <= at[-1])
    out = np.zeros(len(at))
    np.add.at(out, np.searchsorted(at, ts[mine]), np.abs(usd[mine]))
    return out


def _gauge(data: Path) -> Gauge:
    """σ and V of the perpetual's last 30 days before the recordings, as the cascade's law takes them."""
    bars = read_bars(data / "touhoufan_binance/ethusdt_perp_15m.parquet")
    end = parse_time(RECORDED_ON) + DAY_NS
    month = bars.since(end - 30 * DAY_NS).until(end)
    days = np.arange(0, len(month), 96)
    closes = np.log(month.close)
    daily = np.add.reduceat(np.diff(closes, prepend=closes[:1]) ** 2, days)
    usd = np.add.reduceat(month.volume * month.close, days)
    return Gauge(float(np.sqrt(daily.mean())), float(usd.mean()))


def read_bars(path: Path, rows: pl.Expr | None = None) -> Bars:
    """A Parquet file of bars; their length is the usual gap between two."""
    frame = pl.read_parquet(path)
    frame = (frame if rows is None else frame.filter(rows)).sort("ts")
    ts = frame["ts"].dt.epoch("ns").to_numpy().astype(np.int64)
    values = np.full((7, len(ts)), np.nan)
    for k, name in enumerate(("open", "high", "low", "close", "volume")):
        values[k] = frame[name].to_numpy()
    return Bars(ts, ts + int(np.median(np.diff(ts))), values)


_PRICES: tuple[tuple[str, str, str], ...] = (
    ("ETH", "Binance, 1 min", "typhonun_binance/ethusdt_perp_1m.parquet"),
    ("ETH", "Binance, 5 min", "catman77_binance/ethusdt_perp_5m.parquet"),
    ("ETH", "Binance, 15 min", "touhoufan_binance/ethusdt_perp_15m.parquet"),
    ("BTC", "Binance, 1 h", "touhoufan_binance/btcusdt_perp_1h.parquet"),
)


def _histories(data: Path, s: CalibrationSettings) -> Iterator[History]:
    held = pl.read_parquet(data / "virajparmaj_btc_oi/btcusdt_binance_oi_1h.parquet").sort("ts")
    bars = read_bars(data / _PRICES[-1][2])
    at = _ns(held["ts"])
    interest = (at, held["open_interest_btc"].cast(pl.Float64).fill_null(np.nan).to_numpy())
    yield _with_interest("BTC", "Binance, 1 h", "Binance", bars, interest, s)
    averaged = replace(s, interest_drop=s.interest_drop / 2.0)
    table = pl.read_parquet(data / _MULTI / "open_interest.parquet")
    for coin in ("BTC", "ETH"):
        mine = (pl.col("venue") == "binance") & (pl.col("coin") == coin)
        bars = read_bars(data / _MULTI / "candles_1h.parquet", mine)
        told = table.filter((pl.col("venue") == "hyperliquid") & (pl.col("coin") == coin)).sort(
            "ts"
        )
        interest = _in_coin(_ns(told["ts"]), told["oi_usd"].to_numpy(), bars)
        yield _with_interest(
            coin, "Binance, 1 h", "Hyperliquid, hourly means", bars, interest, averaged
        )
    sorts: tuple[Sort, ...] = ("all",)
    for coin, prices, name in _PRICES:
        bars = read_bars(data / name)
        now = TimeNs(int(bars.end[-1]))
        found = bursts_of(bars, (bars.ts, bars.end), None, s)
        told = retraces_of(bars, found, now, f"{coin}, {prices}", s, sorts)
        yield History(coin, prices, "", int(bars.ts[0]), int(now), told)


def _with_interest(
    coin: str, prices: str, whose: str, bars: Bars, interest: tuple[IntArray, FloatArray],
    s: CalibrationSettings,
) -> History:  # fmt: skip
    now = TimeNs(int(min(bars.end[-1], interest[0][-1] + DAY_NS)))
    found = interest_retraces(bars, interest, now, f"{coin}, {whose}", s)
    first = int(max(bars.ts[0], interest[0][0]))
    return History(coin, prices, whose, first, int(interest[0][-1]), found)


def _in_coin(ts: IntArray, usd: FloatArray, bars: Bars) -> tuple[IntArray, FloatArray]:
    """Mean dollars of an hour over its mean price; known at its end."""
    row = np.minimum(np.searchsorted(bars.ts, ts), len(bars) - 1)
    there = bars.ts[row] == ts
    price = (bars.open[row] + bars.close[row]) / 2.0
    return ts[there] + HOUR_NS, (usd / price)[there]


def _ns(series: pl.Series) -> IntArray:
    return series.dt.epoch("ns").to_numpy().astype(np.int64)
