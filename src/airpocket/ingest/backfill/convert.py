"""A venue's rows, as ccxt hands them over, into tables of the store: units, sides, and when each was known."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias, cast

import polars as pl

from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.instruments import ContractKind
from airpocket.domain.units import HOUR_NS, MINUTE_NS, SECOND_NS, format_time

MS_NS = 1_000_000
RATIO_NAME = "account"  # accounts net long / accounts net short
_HOURS_KNOWN = (1, 2, 4, 8)  # settlement intervals that venues use

Row: TypeAlias = Mapping[str, object] | Sequence[object]


@dataclass(frozen=True, slots=True)
class Market:
    """What converting needs to know of a contract.

    `unified` is ccxt's symbol. `contract_size` is coin per contract (linear) or USD per contract
    (inverse) as the venue's own instrument list states it; None if it does not. `listed` is ns.
    """

    venue: str
    symbol: str
    unified: str
    kind: ContractKind
    contract_size: float | None
    listed: int | None = None


def time_of(market: Market, row: Row) -> int:
    """A row's own time, ns.

    Raises:
        UndecodableFrame: the row has none.
    """
    stamp = row.get("timestamp") if isinstance(row, Mapping) else (row[0] if row else None)
    if not isinstance(stamp, (int, float)) or isinstance(stamp, bool) or not math.isfinite(stamp):
        raise UndecodableFrame(
            f"{market.venue} {market.symbol}: a row without a time: {_short(row)}"
        )
    return int(stamp) * MS_NS


def bars(market: Market, family: str, rows: Sequence[Row], step_ns: int) -> pl.DataFrame:
    """Bars, ts = open, usable_from = ts + interval. Rows are [ms, o, h, l, c, volume, the venue's own row].

    Volume is in coin and volume_usd in quote dollars; what a venue does not give stays null. Premium
    bars are fractions and may be negative, so their signs are not checked.

    Raises:
        UndecodableFrame: a price that is missing, not finite, not positive, or outside low–high.
    """
    columns: dict[str, list[float | None]] = {}
    times: list[int] = []
    for row in rows:
        time = time_of(market, row)
        if time % step_ns:
            raise _bad(market, time, "opens off the grid of its interval")
        prices = _prices(market, time, row, signed=family == "premium_bar")
        cells: dict[str, float | None] = dict(prices)
        if family == "bar":
            cells |= _volumes(market, time, row)
        times.append(time)
        for name, value in cells.items():
            columns.setdefault(name, []).append(value)
    return _frame(market, times, step_ns, columns)


def settlements(
    market: Market, rows: Sequence[Row], *, fixed_hours: int | None = None
) -> pl.DataFrame:
    """Settled funding: rate per interval, known at its own time.

    Where the venue's rules do not fix the interval it is the spacing to the settlement before. A lone
    wide spacing between two equal narrow ones is a missing settlement, not a longer interval.

    Raises:
        UndecodableFrame: the interval can't be told, or a rate is missing.
    """
    times = [time_of(market, row) for row in rows]
    rates = [_rate(market, time, row) for time, row in zip(times, rows, strict=True)]
    fixed = [(fixed_hours or 0) * HOUR_NS] * len(times)
    intervals = fixed if fixed_hours else _intervals(market, times)
    frame = _frame(market, times, 0, {"rate": list(rates)})
    seconds = pl.Series("interval_s", [i // SECOND_NS for i in intervals], dtype=pl.Int64)
    return frame.with_columns(seconds)


def interest(market: Market, rows: Sequence[Row], step_ns: int) -> pl.DataFrame:
    """Open interest, one-sided: coin where the venue states it, USD for inverse contracts.

    Venues stamp the row with the start of its interval and fill it from the interval itself (measured
    on Binance: a row's own price is that of ts + interval), so every venue's row is taken as a value over
    [ts, ts + interval) and usable only from its end.

    Raises:
        UndecodableFrame: the amount is missing, or negative.
    """
    times = [time_of(market, row) for row in rows]
    amounts: list[float | None] = []
    unit = "coin" if market.kind == "linear" or market.venue == "okx" else "usd"
    for time, row in zip(times, rows, strict=True):
        amounts.append(_not_negative(market, time, "open interest", _interest(market, time, row)))
    return _frame(market, times, step_ns, {"amount": amounts}).with_columns(
        pl.lit(unit).alias("unit"), pl.lit(step_ns // SECOND_NS, dtype=pl.Int64).alias("averaged_s")
    )


def ratios(market: Market, rows: Sequence[Row], step_ns: int) -> pl.DataFrame:
    """Accounts net long over accounts net short, usable from the end of the interval it covers.

    Raises:
        UndecodableFrame: a ratio that is missing, or negative.
    """
    times = [time_of(market, row) for row in rows]
    values: list[float | None] = []
    for time, row in zip(times, rows, strict=True):
        value = _number(cast("Mapping[str, object]", row).get("longShortRatio"))
        values.append(_not_negative(market, time, "long/short ratio", value))
    frame = _frame(market, times, step_ns, {"value": values})
    return frame.with_columns(pl.lit(RATIO_NAME).alias("name"))


def _prices(market: Market, time: int, row: Row, *, signed: bool) -> dict[str, float]:
    cells = [_number(cell) for cell in cast("Sequence[object]", row)[1:5]]
    if len(cells) != 4 or any(cell is None for cell in cells):
        raise _bad(market, time, "lacks a price")
    opened, high, low, close = cast("list[float]", cells)
    if not signed and low <= 0:
        raise _bad(market, time, f"has a price of {low}")
    if not (low <= min(opened, close) and max(opened, close) <= high):
        raise _bad(market, time, "closes or opens outside its own low and high")
    return {"open": opened, "high": high, "low": low, "close": close}


def _volumes(market: Market, time: int, row: Row) -> dict[str, float | None]:
    raw = _own_row(row)
    reader = _VOLUMES.get(market.venue, _volume_in_coin)
    volumes = reader(market, _number(cast("Sequence[object]", row)[5]), raw)
    names = ("volume", "volume_usd", "taker_buy")
    return {
        name: value if value is None else _not_negative(market, time, name, value)
        for name, value in zip(names, volumes, strict=True)
    }


_Volumes: TypeAlias = tuple[float | None, float | None, float | None]


def _volume_in_coin(_market: Market, volume: float | None, _raw: Row) -> _Volumes:
    return volume, None, None


def _volume_binance(market: Market, _volume: float | None, raw: Row) -> _Volumes:
    if market.kind != "inverse":
        return _at(raw, 5), _at(raw, 7), _at(raw, 9)
    # COIN-M: 5 is contracts, 7 and 10 are coin
    return _at(raw, 7), _times(_at(raw, 5), market.contract_size), _at(raw, 10)


def _volume_bybit(market: Market, _volume: float | None, raw: Row) -> _Volumes:
    first, turnover = _at(raw, 5), _at(raw, 6)
    return (turnover, first, None) if market.kind == "inverse" else (first, turnover, None)


def _volume_okx(market: Market, _volume: float | None, raw: Row) -> _Volumes:
    # vol is contracts on swaps and coin on spot; volCcy is coin on swaps and quote on spot
    return (_at(raw, 5) if market.kind == "spot" else _at(raw, 6)), _at(raw, 7), None


def _volume_kraken_futures(market: Market, volume: float | None, _raw: Row) -> _Volumes:
    sized = _times(volume, market.contract_size)
    return (None, sized, None) if market.kind == "inverse" else (sized, None, None)


def _volume_dydx(_market: Market, volume: float | None, raw: Row) -> _Volumes:
    return volume, _number(raw.get("usdVolume")) if isinstance(raw, Mapping) else None, None


_VOLUMES: Mapping[str, Callable[[Market, float | None, Row], _Volumes]] = {
    "binance_usdm": _volume_binance,
    "binance_coinm": _volume_binance,
    "binance_spot": _volume_binance,
    "bybit_linear": _volume_bybit,
    "bybit_inverse": _volume_bybit,
    "okx": _volume_okx,
    "kraken_futures": _volume_kraken_futures,
    "dydx": _volume_dydx,
}


def _rate(market: Market, time: int, row: Row) -> float | None:
    fields = cast("Mapping[str, object]", row)
    rate = _number(fields.get("fundingRate"))
    if market.venue == "deribit":
        # ccxt hands over the 8 h figure of an hourly row; the hour's own is what accrued
        rate = _number(_info(row).get("interest_1h"))
    if rate is None or abs(rate) >= 1:
        raise _bad(market, time, f"has no usable funding rate ({fields.get('fundingRate')!r})")
    return rate


def _intervals(market: Market, times: Sequence[int]) -> list[int]:
    spacings = [round((late - early) / MINUTE_NS) * MINUTE_NS for early, late in pairwise(times)]
    if times and not spacings:
        raise _bad(market, times[0], "is a lone settlement, so its interval can't be told")
    intervals = [_without_hole(spacings, at) for at in range(len(spacings))]
    intervals = (
        intervals[:1] + intervals
    )  # the first has none before it: it takes the spacing after
    for time, interval_ns in zip(times, intervals, strict=True):
        if interval_ns not in [hours * HOUR_NS for hours in _HOURS_KNOWN]:
            raise _bad(
                market,
                time,
                f"settles after {interval_ns / HOUR_NS:g} h: its interval can't be told",
            )
    return intervals


def _without_hole(spacings: list[int], at: int) -> int:
    spacing = spacings[at]
    neighbours = spacings[max(at - 1, 0) : at] + spacings[at + 1 : at + 2]
    usual = min(neighbours, default=0)
    if not usual or max(neighbours) != usual or spacing <= usual or spacing % usual:
        return spacing
    between = len(neighbours) == 2
    return usual if between or spacing > max(_HOURS_KNOWN) * HOUR_NS else spacing


def _interest(market: Market, time: int, row: Row) -> float | None:
    fields = cast("Mapping[str, object]", row)
    if market.venue == "okx":  # openInterestAmount would be contracts
        return _number(fields.get("baseVolume"))
    if market.venue.startswith("bybit"):
        return _number(_info(row).get("openInterest"))
    amount = _number(fields.get("openInterestAmount"))
    if market.kind != "inverse":
        return amount
    if market.contract_size is None:  # Binance COIN-M counts contracts of 10 or 100 USD
        raise _bad(market, time, "counts contracts, and the venue does not state their size")
    return _times(amount, market.contract_size)


def _frame(
    market: Market,
    times: Sequence[int],
    after_ns: int,
    columns: Mapping[str, Sequence[float | None]],
) -> pl.DataFrame:
    stamps = pl.Series("ts", [time // 1_000 for time in times], dtype=pl.Int64)
    moment = pl.Datetime("us", "UTC")
    return pl.DataFrame(
        {
            "ts": stamps.cast(moment),
            "usable_from": (stamps + after_ns // 1_000).cast(moment),
            "source": pl.Series([f"rest:{market.venue}"] * len(times), dtype=pl.String),
            **{name: pl.Series(list(cells), dtype=pl.Float64) for name, cells in columns.items()},
        }
    )


def _own_row(row: Row) -> Row:
    cells = cast("Sequence[object]", row)
    return cast("Row", cells[6]) if len(cells) > 6 else ()


def _info(row: Row) -> Mapping[str, object]:
    info = cast("Mapping[str, object]", row).get("info")
    return cast("Mapping[str, object]", info) if isinstance(info, Mapping) else {}


def _at(raw: Row, index: int) -> float | None:
    if isinstance(raw, Mapping) or index >= len(raw):
        return None
    return _number(raw[index])


def _number(cell: object) -> float | None:
    """A finite number, or None; venues write numbers as text."""
    if isinstance(cell, bool) or not isinstance(cell, (int, float, str)):
        return None
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _not_negative(market: Market, time: int, what: str, value: float | None) -> float:
    if value is None or value < 0:
        raise _bad(market, time, f"has no usable {what} ({value})")
    return value


def _times(amount: float | None, size: float | None) -> float | None:
    return None if amount is None or size is None else amount * size


def _bad(market: Market, time: int, problem: str) -> UndecodableFrame:
    return UndecodableFrame(
        f"{market.venue} {market.symbol}: the row of {format_time(time)} {problem}"
    )


def _short(row: object) -> str:
    return repr(row)[:120]
