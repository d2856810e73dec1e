"""Does anything follow slow drivers? Event studies on recorded years, with a check of the intervals on placebos."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from airpocket.domain.errors import BadInput
from airpocket.domain.events import BoolArray, FloatArray, IntArray
from airpocket.domain.trading_days import is_trading_day
from airpocket.domain.units import DAY_NS, HOUR_NS
from airpocket.market.bars import Bars
from airpocket.market.state import Observations
from airpocket.market.vintages import Vintages, vintages
from airpocket.signals.driver_records import Relation
from airpocket.signals.drivers import changes, recent_sums
from airpocket.signals.relation import RelationSettings, excludes_zero, forced_size, relation

HORIZONS = (1, 5, 20)
_ETF_KNOWN_NS = (
    DAY_NS + 13 * HOUR_NS
)  # no first-seen time is told: the README of the data has this rule
_PLACEBO_SHIFTS = 40
_SEED = 20_261_126
_COINS = ("BTC", "ETH")


@dataclass(frozen=True, slots=True)
class Driver:
    """One driver's readings and when each could be known: (n,) each. first, last: days they are about, ns."""

    name: str
    reading: str
    known_at: IntArray
    values: FloatArray
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Study:
    """What followed one driver on one coin within some days; or why it can't be told."""

    driver: str
    reading: str
    coin: str
    horizon_days: int
    found: Relation | str


@dataclass(frozen=True, slots=True)
class Placebo:
    """Of intervals around differences between unrelated series: how many exclude zero."""

    what: str
    intervals: int
    excluded: int


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a fund table holds. wrong: days on which the trading calendar and the table disagree."""

    name: str
    days: int
    trading: int
    empty: int
    wrong: int


@dataclass(frozen=True, slots=True)
class Marks:
    """Labels of squeezes.csv by coin and direction, and how many the rule of size and haste finds."""

    coin: str
    direction: str
    labels: int
    found: int


@dataclass(frozen=True, slots=True)
class FlowsEvidence:
    """Everything measured; shared: days of two fund tables in common, and how many agree."""

    drivers: tuple[Driver, ...]
    studies: tuple[Study, ...]
    placebos: tuple[Placebo, ...]
    tables: tuple[Holdings, ...]
    shared: tuple[int, int]
    marks: tuple[Marks, ...]


def flows_evidence(
    data: Path, settings: RelationSettings | None = None, *, placebo_shifts: int = _PLACEBO_SHIFTS
) -> FlowsEvidence:
    """Measures on the recorded data below a folder; placebos: each driver moved `placebo_shifts` times.

    Raises:
        BadInput: a file is missing; names it.
    """
    s = settings or RelationSettings(draws=2_000)
    hours = {coin: _hours(data, coin) for coin in _COINS}
    drivers = _drivers(data)
    studies = tuple(
        Study(one.name, one.reading, coin, horizon, _related(one, hours[coin], replace(s, horizon_days=horizon)))
        for one in drivers
        for coin in _COINS
        if _meant_for(one, coin)
        for horizon in HORIZONS
    )  # fmt: skip
    btc = [one for one in drivers if _meant_for(one, "BTC")]
    return FlowsEvidence(
        drivers, studies, _placebos(btc, hours["BTC"], replace(s, draws=min(s.draws, 400)), placebo_shifts),
        (_farside_holdings(data), *_daily_holdings(data)), _agreement(data),
        tuple(mark for coin in _COINS for mark in _marks(data, coin, hours[coin], s)),
    )  # fmt: skip


def _meant_for(driver: Driver, coin: str) -> bool:
    return coin in driver.name or not any(each in driver.name for each in _COINS)


def _related(driver: Driver, hours: Bars, s: RelationSettings) -> Relation | str:
    return relation(driver.known_at, driver.values, hours, int(hours.end[-1]), s)


def _placebos(
    drivers: list[Driver], hours: Bars, s: RelationSettings, shifts: int
) -> tuple[Placebo, ...]:
    """The same readings moved around the calendar: nothing follows them; 5 % of intervals should exclude zero."""
    chance = np.random.default_rng(_SEED)
    counted: dict[str, list[int]] = {"returns": [0, 0], "moves of forced size": [0, 0]}
    for driver in drivers:
        n = len(driver.values)
        for shift in chance.integers(n // 5, n - n // 5, shifts):
            moved = replace(driver, values=np.roll(driver.values, int(shift)))
            found = _related(moved, hours, s)
            if isinstance(found, str):
                continue
            told = {
                "returns": (found.after_high, found.after_low),
                "moves of forced size": (found.rises_after_high, found.falls_after_high,
                                         found.rises_after_low, found.falls_after_low),
            }  # fmt: skip
            for what, estimates in told.items():
                known = [each for each in estimates if each.known]
                counted[what][0] += len(known)
                counted[what][1] += sum(map(excludes_zero, known))
    return tuple(Placebo(what, *both) for what, both in counted.items())


def _drivers(data: Path) -> tuple[Driver, ...]:
    daily = _read(data / "ccyun95_daily/etf_net_flow_daily.parquet")
    farside = _read(data / "farside_btc_etf/btc_etf_flows_by_fund_daily.parquet")
    supply = _read(data / "ccyun95_daily/usdt_mcap_daily_a.parquet")
    btc_funds = (
        pl.concat(
            [
                farside.select("date", value="total"),
                daily.select("date", value="btc_etf_net_flow_usd_mn"),
            ]
        )
        .unique("date", keep="first", maintain_order=True)
        .sort("date")
    )
    eth_funds = daily.select("date", value="eth_etf_net_flow_usd_mn")
    tether = supply.select("date", value=pl.col("stablecoin_mcap_usd") / 1e6)
    month = "supply (USD), 7 d change"
    return (
        _driver("BTC ETF net flow", "5 trading days", _series(btc_funds, "etf_net_flow"), 0),
        _driver("ETH ETF net flow", "5 trading days", _series(eth_funds, "etf_net_flow"), 0),
        _driver("USDT", month, _series(tether, "usdt_supply"), 7),
        _level("BTC DVOL", _read(data / "kittycapital_dvol/btc_dvol_close_1d.parquet")),
        _level("ETH DVOL", _read(data / "jaswanthobbu_dvol/eth_dvol_1d.parquet")),
    )


def _series(frame: pl.DataFrame, name: str) -> Vintages:
    """Days and millions as a series that was known by the rule."""
    event = _days(frame["date"])
    told = Observations("flow", {
        "ts": event, "usable_from": event + _ETF_KNOWN_NS, "series": np.full(len(event), name),
        "value": 1e6 * frame["value"].to_numpy(), "unit": np.full(len(event), "USD"),
    }, ())  # fmt: skip
    found = vintages(told, name, "recorded", int(event[-1] + _ETF_KNOWN_NS))
    assert found is not None, name
    return found


def _driver(name: str, reading: str, series: Vintages, days: int) -> Driver:
    """Sums of five trading days, or changes over `days`."""
    values = (
        changes(series, series.first_values, days)
        if days
        else recent_sums(series, series.first_values, 5)
    )
    return _of(name, reading, series.event, np.maximum.accumulate(series.first_seen), values)


def _level(name: str, frame: pl.DataFrame) -> Driver:
    event = frame["ts"].dt.epoch("us").to_numpy() * 1_000
    return _of(name, "level", event, event + DAY_NS, frame["close"].to_numpy())


def _of(name: str, reading: str, event: IntArray, known_at: IntArray, values: FloatArray) -> Driver:
    return Driver(name, reading, known_at, values, int(event[0]), int(event[-1]))


def _days(dates: pl.Series) -> IntArray:
    return dates.cast(pl.Datetime("us")).dt.epoch("us").to_numpy() * 1_000


def _hours(data: Path, coin: str) -> Bars:
    """Hourly bars of the Binance perpetual from the recorded files that have it; whole hours only."""
    name, hour = {"BTC": ("btcusdt_perp_1h", 1), "ETH": ("ethusdt_perp_15m", 4)}[coin]
    old = _read(data / f"touhoufan_binance/{name}.parquet").drop("volume")
    grouped = old.group_by(pl.col("ts").dt.truncate("1h"), maintain_order=True)
    old = (
        grouped.agg(
            pl.first("open"), pl.max("high"), pl.min("low"), pl.last("close"), pl.len().alias("n")
        )
        .filter(pl.col("n") == hour)
        .drop("n")
    )
    new = _read(data / "finm33150_hl_multivenue/candles_1h.parquet")
    new = new.filter(pl.col("venue") == "binance", pl.col("coin") == coin).select(old.columns)
    frame = pl.concat([old, new]).unique("ts", keep="first").sort("ts")
    ts = frame["ts"].dt.epoch("us").to_numpy() * 1_000
    values = np.full((7, len(ts)), np.nan)
    values[:4] = frame.select("open", "high", "low", "close").to_numpy().T
    return Bars(ts, ts + HOUR_NS, values)


def _farside_holdings(data: Path) -> Holdings:
    frame = _read(data / "farside_btc_etf/btc_etf_flows_by_fund_daily.parquet")
    told = frame.drop("date").with_columns(pl.all().fill_null(0.0) != 0.0)
    some = told.select(pl.any_horizontal(pl.all())).to_series().to_numpy()
    return _holdings("BTC by fund, calendar days", frame["date"], some)


def _daily_holdings(data: Path) -> tuple[Holdings, ...]:
    frame = _read(data / "ccyun95_daily/etf_net_flow_daily.parquet")
    return tuple(
        _holdings(f"{coin} net, weekdays", frame["date"],
                  (frame[f"{coin.lower()}_etf_net_flow_usd_mn"].fill_null(0.0) != 0.0).to_numpy())
        for coin in _COINS
    )  # fmt: skip


def _holdings(name: str, dates: pl.Series, some: BoolArray) -> Holdings:
    """some: (n,) whether a day has any flow. Wrong: a flow on a holiday, which no fund could have."""
    trading = np.array([is_trading_day(int(day)) for day in _days(dates)])
    return Holdings(
        name,
        len(some),
        int(trading.sum()),
        int((trading & ~some).sum()),
        int((some & ~trading).sum()),
    )


def _agreement(data: Path) -> tuple[int, int]:
    """Trading days that both BTC tables have, and on how many they say the same."""
    one = _read(data / "farside_btc_etf/btc_etf_flows_by_fund_daily.parquet").select(
        "date", "total"
    )
    other = _read(data / "ccyun95_daily/etf_net_flow_daily.parquet").select(
        "date", "btc_etf_net_flow_usd_mn"
    )
    both = one.join(other, on="date")
    trading = pl.Series([is_trading_day(int(day)) for day in _days(both["date"])])
    both = both.filter(trading)
    return len(both), int(((both["total"] - both["btc_etf_net_flow_usd_mn"]).abs() < 0.051).sum())


def _marks(data: Path, coin: str, hours: Bars, s: RelationSettings) -> list[Marks]:
    labels = pl.read_csv(data / "squeezes.csv", infer_schema_length=None)
    flags = dict(zip(("up", "down"), forced_size(hours, s), strict=True))
    found: list[Marks] = []
    for direction, flag in flags.items():
        mine = labels.filter(pl.col("asset") == coin, pl.col("direction") == direction)
        peaks = (
            mine["peak_utc"]
            .str.to_datetime(time_unit="us", time_zone="UTC")
            .dt.epoch("us")
            .to_numpy()
            * 1_000
        )
        at = np.searchsorted(hours.ts, peaks, side="right") - 1
        hit = sum(bool(flag[max(row - 1, 0) : row + 2].any()) for row in at.tolist())
        found.append(Marks(coin, direction, len(at), hit))
    return found


def _read(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise BadInput(f"{path}: not there; --real takes the folder that holds the recorded data")
    return pl.read_parquet(path)
