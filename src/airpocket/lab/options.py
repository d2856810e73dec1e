"""Option chains of the simulated market: Black-76 quotes in coin from one arbitrage-free smile."""

import math

import numpy as np

from airpocket.domain.units import DAY_NS, HOUR_NS, YEAR_NS, parse_time
from airpocket.lab.chance import stream
from airpocket.lab.scenario import END_NS, START_NS
from airpocket.lab.smile import Quote, Smile, black_76, normal, normal_density
from airpocket.lab.tables import BundledTable, build
from airpocket.lab.world import World

OPTIONS = ("sim_options", "ETH-OPTIONS")
_TICK_COIN = 0.0001
_EXPIRY_DAYS = (
    "2026-01-09", "2026-01-16", "2026-01-23", "2026-01-30", "2026-02-27", "2026-03-27", "2026-06-26",
)  # fmt: skip
EXPIRIES = {day: int(parse_time(f"{day}T08:00Z")) for day in _EXPIRY_DAYS}
SNAPSHOTS = tuple(
    END_NS - back for back in (7 * DAY_NS, 3 * DAY_NS, DAY_NS, 12 * HOUR_NS, 4 * HOUR_NS, 0)
)
_STRIKES = (
    *range(2_000, 2_800, 200), *range(2_800, 3_200, 100), *range(3_200, 3_900, 50),
    *range(3_900, 4_500, 100), *range(4_600, 6_200, 200),
)  # fmt: skip
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def option_tables(world: World, source: str) -> list[BundledTable]:
    """Chain snapshots with their forwards and counts, and the daily volatility index."""
    quotes: list[tuple[int, Quote]] = []
    forwards: list[tuple[int, int, str, float]] = []
    draws = stream(world.seed, "options")
    for ts in SNAPSHOTS:
        index = _index_at(world, ts)
        smile = _smile_at(world, ts)
        for expiry in (e for e in EXPIRIES.values() if e > ts):
            name = f"ETH-{_label(expiry)}"
            forward = _forward(index, ts, expiry)
            forwards.append((ts, expiry, name, forward))
            quotes += [
                (ts, quote) for quote in _chain(draws, smile, (ts, expiry), (index, forward))
            ]
    return [
        _quote_table(quotes, source),
        _forward_table(forwards, source),
        _health_table(quotes, source),
        _index_table(world, source),
    ]


def _chain(
    draws: np.random.Generator, smile: Smile, dates: tuple[int, int], prices: tuple[float, float]
) -> list[Quote]:
    ts, expiry = dates
    index, forward = prices
    years = (expiry - ts) / YEAR_NS
    chain: list[Quote] = []
    for strike in _STRIKES:
        width = 0.9 * math.sqrt(years) + 0.06
        if abs(math.log(strike / forward)) > width or (years > 0.06 and strike % 100):
            continue
        volatility = smile.volatility(math.log(strike / forward), years)
        for call in (True, False):
            noise = draws.standard_normal(2)
            chain.append(_quote(call, strike, dates, (index, forward), volatility, noise.tolist()))
    return chain


def _quote(
    call: bool, strike: int, dates: tuple[int, int], prices: tuple[float, float],
    volatility: float, noise: list[float],
) -> Quote:  # fmt: skip
    ts, expiry = dates
    index, forward = prices
    root = volatility * math.sqrt((expiry - ts) / YEAR_NS)
    d1 = math.log(forward / strike) / root + root / 2.0
    value = black_76(call, forward, float(strike), root) / forward
    mark = round(value, 6)
    half = max(_TICK_COIN, 0.012 * mark + 0.0002)
    bid = math.floor((mark - half) / _TICK_COIN) * _TICK_COIN
    far = abs(math.log(strike / forward))
    round_number = 3.0 if strike % 500 == 0 else 1.6 if strike % 100 == 0 else 0.6
    interest = 9_000.0 * round_number * math.exp(-6.0 * far + 0.4 * noise[0])
    likes = strike > forward if call else strike < forward
    return Quote(
        instrument=f"ETH-{_label(expiry)}-{strike}-{'C' if call else 'P'}",
        expiry=expiry,
        strike=float(strike),
        option_type="call" if call else "put",
        underlying_index=f"ETH-{_label(expiry)}",
        underlying_price=forward,
        bid=round(max(0.0, bid), 4),
        ask=round(math.ceil((mark + half) / _TICK_COIN) * _TICK_COIN, 4),
        mark=mark,
        mark_iv=round(volatility, 4),
        delta=round(normal(d1) - (0.0 if call else 1.0), 5),
        vega=round(forward * normal_density(d1) * math.sqrt((expiry - ts) / YEAR_NS) / 100.0, 4),
        open_interest=float(round(interest * (1.6 if likes else 0.5))),
        volume=float(round(interest * 0.04 * math.exp(0.6 * noise[1]))),
        index_price=index,
    )


def _label(expiry: int) -> str:
    day = next(day for day, time in EXPIRIES.items() if time == expiry)
    return f"{int(day[8:])}{_MONTHS[int(day[5:7]) - 1]}{day[2:4]}"


def _forward(index: float, ts: int, expiry: int) -> float:
    """Dated futures carry 4 % a year."""
    return round(index * math.exp(0.04 * (expiry - ts) / YEAR_NS), 2)


def _index_at(world: World, ts: int) -> float:
    return float(world.close[int(np.searchsorted(world.steps.close_ns, ts))])


def _level_at(world: World, ts: int) -> float:
    """Thirty-day implied volatility: a slow average of what the market's own volatility is, and a premium."""
    stop = int(np.searchsorted(world.steps.close_ns, ts, side="right"))
    start = int(np.searchsorted(world.steps.close_ns, max(START_NS, ts - 6 * DAY_NS)))
    log_volatility = world.columns["log_volatility"][start:stop]
    minutes = world.steps.minutes[start:stop]
    slow = float(np.sum(log_volatility * minutes) / np.sum(minutes)) if stop > start else 0.0
    day_ago = max(0, int(np.searchsorted(world.steps.close_ns, ts - DAY_NS)))
    moved = math.log(_index_at(world, max(ts, int(world.steps.close_ns[0]))) / world.close[day_ago])
    return round(0.58 * math.exp(0.5 * slow) + 0.9 * moved * moved + 0.45 * abs(moved), 4)


def _smile_at(world: World, ts: int) -> Smile:
    day_ago = int(np.searchsorted(world.steps.close_ns, ts - DAY_NS))
    moved = math.log(_index_at(world, ts) / world.close[day_ago])
    tilt = max(-0.4, min(0.4, -0.18 + 4.0 * moved))
    return Smile(_level_at(world, ts), round(0.05 + 1.2 * abs(moved), 4), round(tilt, 4))


def _quote_table(quotes: list[tuple[int, Quote]], source: str) -> BundledTable:
    at = np.array([ts for ts, _ in quotes], dtype=np.int64)
    columns = {
        name: np.array([getattr(quote, name) for _, quote in quotes]) for name in Quote._fields
    }
    return build("option_quote", OPTIONS, source, (at, at), columns)


def _forward_table(forwards: list[tuple[int, int, str, float]], source: str) -> BundledTable:
    at = np.array([row[0] for row in forwards], dtype=np.int64)
    columns = {
        "expiry": np.array([row[1] for row in forwards], dtype=np.int64),
        "name": [row[2] for row in forwards],
        "price": np.array([row[3] for row in forwards], dtype=np.float64),
    }
    return build("forward", OPTIONS, source, (at, at), columns)


def _health_table(quotes: list[tuple[int, Quote]], source: str) -> BundledTable:
    at = np.array(SNAPSHOTS, dtype=np.int64)
    chains = [[quote for ts, quote in quotes if ts == time] for time in SNAPSHOTS]
    index = np.array([chain[0].index_price for chain in chains])
    columns = {
        "instruments": np.array([len(chain) for chain in chains], dtype=np.int64),
        "two_sided": np.array([sum(q.bid > 0 for q in chain) for chain in chains], dtype=np.int64),
        "expiries": np.array([len({q.expiry for q in chain}) for chain in chains], dtype=np.int64),
        "index_first": index,
        "index_last": index,
        "call_open_interest": np.array([_interest(chain, "call") for chain in chains]),
        "put_open_interest": np.array([_interest(chain, "put") for chain in chains]),
    }
    return build("chain_health", OPTIONS, source, (at, at), columns)


def _interest(chain: list[Quote], option_type: str) -> float:
    return sum(quote.open_interest for quote in chain if quote.option_type == option_type)


def _index_table(world: World, source: str) -> BundledTable:
    """Closed days of the thirty-day volatility index, per cent a year, from a reading every hour."""
    days = np.arange(START_NS, END_NS - DAY_NS + 1, DAY_NS, dtype=np.int64)
    readings = [
        [100.0 * _level_at(world, day + hour * HOUR_NS) for hour in range(0, 25, 3)]
        for day in days.tolist()
    ]
    columns = {
        "open": np.array([round(day[0], 2) for day in readings]),
        "high": np.array([round(max(day), 2) for day in readings]),
        "low": np.array([round(min(day), 2) for day in readings]),
        "close": np.array([round(day[-1], 2) for day in readings]),
    }
    return build("vol_index_1d", OPTIONS, source, (days, days + DAY_NS), columns)
