"""The slow series airpocket knows: unit, own cadence, when a figure should be out, and what can't be."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from airpocket.domain.trading_days import is_trading_day
from airpocket.domain.units import DAY_NS, HOUR_NS

Cadence: TypeAlias = Literal["day", "trading day"]
Sort: TypeAlias = Literal["flow", "level"]
FlowState: TypeAlias = Literal["current", "late", "stale"]

# Filed under no coin: they concern all of them.
STABLES = "STABLECOINS"
SHARED = ("USDT", "USDC", STABLES, "ALL")
TOKENS = "tokens"  # of a stablecoin: units, not dollars
STALE_AFTER = 3  # publications that should be there and are not


@dataclass(frozen=True, slots=True)
class FlowSeries:
    """One series. `sort`: a flow is of its day, a level stands at its day's end. units: the ones it may come in.

    due_ns: after the start of the day that a figure is about, when it should be public.
    most: the largest size that is believed, in the first unit; beyond it the unit must be another.
    """

    name: str
    about: str
    sort: Sort
    units: tuple[str, ...]
    cadence: Cadence
    due_ns: int
    most: float

    @property
    def negative(self) -> bool:
        """Whether a figure may be below zero: a supply can't."""
        return self.sort == "flow" and not self.name.startswith("exchange_")


_ETF_DUE = DAY_NS + 13 * HOUR_NS  # after the US close, sometimes the next morning
_CHAIN_DUE = DAY_NS + 18 * HOUR_NS

_SERIES = {
    one.name: one
    for one in (
        FlowSeries("etf_net_flow", "creations less redemptions of US spot funds", "flow", ("USD",),
                   "trading day", _ETF_DUE, 2e10),
        FlowSeries("usdt_supply", "USDT outstanding", "level", (TOKENS, "USD"), "day", _CHAIN_DUE, 1e13),
        FlowSeries("usdc_supply", "USDC outstanding", "level", (TOKENS, "USD"), "day", _CHAIN_DUE, 1e13),
        FlowSeries("stablecoin_supply", "all dollar stablecoins outstanding", "level", (TOKENS, "USD"),
                   "day", _CHAIN_DUE, 1e13),
        FlowSeries("exchange_reserve", "coin held by exchanges", "level", ("coin",), "day", _CHAIN_DUE, 1e12),
        FlowSeries("stablecoin_reserve", "stablecoins held by exchanges", "level", (TOKENS,), "day",
                   _CHAIN_DUE, 1e13),
        FlowSeries("exchange_inflow", "coin sent to exchanges", "flow", ("coin",), "day", _CHAIN_DUE, 1e12),
        FlowSeries("exchange_outflow", "coin taken from exchanges", "flow", ("coin",), "day", _CHAIN_DUE, 1e12),
        FlowSeries("custody", "coin held by custodians and funds", "level", ("coin",), "day", _CHAIN_DUE, 1e12),
    )
}  # fmt: skip


def series_named(name: str) -> FlowSeries | None:
    """What is known of a series; `etf_net_flow:IBIT` and `exchange_reserve:okx` are parts of theirs."""
    return _SERIES.get(name.partition(":")[0])


def known_series() -> tuple[str, ...]:
    """The names a table may give, each also with `:part` behind it."""
    return tuple(_SERIES)


def missed(series: FlowSeries, last: int, now: int) -> int:
    """How many figures should be public at `now` and are not, after the one about day `last` (ns)."""
    newest = (now - series.due_ns) // DAY_NS
    days = range(last // DAY_NS + 1, newest + 1)
    if series.cadence == "day":
        return len(days)
    return sum(is_trading_day(day * DAY_NS) for day in days)


def standing(series: FlowSeries, last: int, now: int) -> FlowState:
    """By the series' own cadence: a fund's figure of Friday is current on Monday."""
    gone = missed(series, last, now)
    return "current" if gone == 0 else "late" if gone < STALE_AFTER else "stale"
