"""The stylised facts of a finished run, one market at a time, from the tables that it left."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import msgspec
import numpy as np
import polars as pl

from airpocket.domain.errors import BadInput
from airpocket.domain.events import FloatArray
from airpocket.domain.kinds import split_name
from airpocket.lab.facts import measures
from airpocket.lab.facts.measures import Rise
from airpocket.lab.tables import build

MINUTES_PER_DAY = 1_440
DAY_S = 86_400
COVERED = timedelta(hours=1)  # after a high, by which covering should show
_SECOND = "1s"
_TABLES = ("bar_1m", "tape_1m", "trade", "depth", "funding", "open_interest", "truth/forced")


@dataclass(frozen=True, slots=True)
class Fact:
    """One measured fact of one market; None where the run is too short or has none of it."""

    name: str
    venue: str
    value: float | None


def facts_in(folder: Path) -> list[Fact]:
    """The facts of every market of a run's folder, in the order of the world's venues.

    Raises:
        BadInput: not the folder of a run, or one of its tables cannot be read.
    """
    path = folder / "run.json"
    try:
        files = msgspec.json.decode(path.read_bytes(), type=_Run).files
    except FileNotFoundError as error:
        raise BadInput(f"{folder}: not the folder of a run: it has no run.json") from error
    except (OSError, msgspec.MsgspecError) as error:
        raise BadInput(f"{path}: cannot be read: {error}") from error
    return facts_of({name: _table(folder, name, files) for name in _TABLES})


class _Run(msgspec.Struct):
    files: dict[str, int]  # rows by file


def _table(folder: Path, name: str, files: Mapping[str, int]) -> pl.DataFrame:
    """A table of the run; no rows where it wrote none, as of funding before the first settlement."""
    path = folder / f"{name}.parquet"
    if path.relative_to(folder).as_posix() not in files:
        return _empty(name)
    try:
        return pl.read_parquet(path, hive_partitioning=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise BadInput(f"{path}: cannot be read: {error}") from error


def _empty(name: str) -> pl.DataFrame:
    never = np.empty(0, dtype=np.int64)
    columns = {column.name: None for column in split_name(name)[0].columns}
    return build(name, ("", ""), "", (never, never), columns).frame.with_columns(venue=pl.lit(""))


def facts_of(tables: Mapping[str, pl.DataFrame]) -> list[Fact]:
    """The facts of each market in the run's tables, by name and venue; see docs/lab.md for each measure."""
    found: list[Fact] = []
    for venue in tables["bar_1m"]["venue"].unique(maintain_order=True).to_list():
        mine = {name: frame.filter(pl.col("venue") == venue) for name, frame in tables.items()}
        values = _of_price(mine["bar_1m"]) | _of_book(mine["tape_1m"], mine["depth"])
        values["impact_exponent"] = impact_of(mine["trade"])
        values |= _of_positions(mine)
        found += [Fact(name, venue, value) for name, value in values.items()]
    return found


def returns_of(bars: pl.DataFrame) -> FloatArray:
    """Log returns between closes of minutes that follow each other."""
    ordered = bars.sort("ts")
    close = ordered["close"].to_numpy()
    at = ordered["ts"].dt.epoch("s").to_numpy()
    return np.diff(np.log(close))[np.diff(at) == 60]


def _of_price(bars: pl.DataFrame) -> dict[str, float | None]:
    return price_facts(returns_of(bars))


def price_facts(returns: FloatArray) -> dict[str, float | None]:
    """Facts of one-minute log returns: volatility, tails, clustering."""
    size = np.abs(returns)
    return {
        "volatility_percent_per_day": measures.volatility_percent_per_day(returns, MINUTES_PER_DAY),
        "excess_kurtosis": measures.excess_kurtosis(returns),
        "tail_index": measures.tail_index(returns),
        "clustering_1m": measures.autocorrelation(size, 1),
        "clustering_10m": measures.autocorrelation(size, 10),
        "clustering_60m": measures.autocorrelation(size, 60),
    }


def _of_book(tape: pl.DataFrame, depth: pl.DataFrame) -> dict[str, float | None]:
    spread = tape["spread_bps"].drop_nulls()
    near = (
        depth.filter(pl.col("percent").abs() == 0.1).group_by("ts").agg(pl.col("notional_usd").mean())
    )["notional_usd"]  # fmt: skip
    half, low, high = (_quantile(near, share) for share in (0.5, 0.1, 0.9))
    return {
        "spread_bps": _quantile(spread, 0.5),
        "spread_p95_bps": _quantile(spread, 0.95),
        "depth_10bps_usd_m": None if half is None else half / 1e6,
        "depth_p90_over_p10": None if not low or high is None else high / low,
    }


def impact_of(trades: pl.DataFrame) -> float | None:
    """Impact exponent between seconds: signed dollars traded against the move of the last price."""
    if not trades.height:
        return None
    usd = pl.col("price") * pl.col("size")
    seconds = (
        trades.sort("ts", "trade_id").with_columns(pl.col("ts").dt.truncate(_SECOND))
        .group_by("ts", maintain_order=True)
        .agg(
            flow=pl.when(pl.col("taker_side") == "buy").then(usd).otherwise(-usd).sum(),
            last=pl.col("price").last(),
        )
    )  # fmt: skip
    move = np.diff(np.log(seconds["last"].to_numpy()))
    return measures.impact_exponent(seconds["flow"].to_numpy()[1:], move)


def _of_positions(mine: Mapping[str, pl.DataFrame]) -> dict[str, float | None]:
    """Open interest, forced closing and funding; empty for a spot market."""
    interest = mine["open_interest"].sort("ts")
    if not interest.height:
        return {}
    at = interest["ts"].dt.epoch("s").to_numpy().astype(np.int64)
    amount = interest["amount"].to_numpy()
    end = int(at[0]) + DAY_S
    whole = int(at[-1]) >= end - 60
    last = int(np.searchsorted(at, end, side="right")) - 1
    accounts, coin = liquidated(mine["truth/forced"], end)
    share = coin * _units_per_coin(mine) / float(amount[0])
    per_8h = mine["funding"].select(pl.col("rate") * 28_800 / pl.col("interval_s"))["rate"]
    funding = _quantile(per_8h, 0.5)
    rise = measures.largest_rise(mine["bar_1m"].sort("ts")["close"].to_numpy())
    return {
        "interest_day_percent": 100.0 * float(amount[last] / amount[0] - 1.0) if whole else None,
        "liquidations_day": float(accounts) if whole else None,
        "liquidated_day_percent": 100.0 * share if whole else None,
        "rise_percent": None if rise is None else 100.0 * rise.move,
        "interest_over_rise_percent": None if rise is None else _over(mine, rise),
        "funding_8h_bps": None if funding is None else 1e4 * funding,
    }


def liquidated(forced: pl.DataFrame, until_s: int) -> tuple[int, float]:
    """Accounts liquidated before `until_s`, and their coin: what the book gave and what was taken over.

    Where a fund takes a position over and closes it in the book (Bybit), the coin counts once. Winners who
    were deleveraged are not counted.
    """
    mine = forced.filter(pl.col("ts").dt.epoch("s") < until_s, pl.col("via") != "deleveraging")
    booked = pl.col("via") == "book"
    given = mine.group_by("account", "ts").agg(
        asked=pl.col("coin").filter(booked).sum(),
        filled=pl.col("filled_coin").filter(booked).sum(),
        taken=pl.col("filled_coin").filter(~booked).sum(),
    )
    # asked of the book as much as was taken over: the fund's own order for the same coin
    same = (pl.col("asked") - pl.col("taken")).abs() < 1e-9 * pl.col("taken")
    coin = pl.when(same).then(pl.col("taken")).otherwise(pl.col("filled") + pl.col("taken"))
    return given["account"].n_unique(), float(given.select(coin.sum()).item())


def _units_per_coin(mine: Mapping[str, pl.DataFrame]) -> float:
    """What a coin counts in the unit of the market's open interest."""
    coin = mine["open_interest"]["unit"][0] == "coin"
    return 1.0 if coin else float(mine["bar_1m"]["close"][0])


def _over(mine: Mapping[str, pl.DataFrame], rise: Rise) -> float | None:
    """Change of open interest from the low's minute to an hour after the high, per cent."""
    times = mine["bar_1m"].sort("ts")["ts"]
    interest = mine["open_interest"].sort("ts")
    before = interest.filter(pl.col("ts") <= times[rise.start])["amount"]
    after = interest.filter(pl.col("ts") >= times[rise.peak] + COVERED)["amount"]
    if not before.len() or not after.len():
        return None
    return 100.0 * (float(after[0]) / float(before[-1]) - 1.0)


def _quantile(values: pl.Series, share: float) -> float | None:
    found = values.quantile(share, "linear")
    return None if found is None else float(found)
