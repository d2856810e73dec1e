"""Decoders of chain data: DefiLlama's stablecoins and exchange reserves, Coin Metrics' exchange flows. Pure."""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct, field

from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.flows import TOKENS
from airpocket.domain.units import DAY_NS
from airpocket.ingest.flows.told import Observation, Told, decoded, plausible, whole_days
from airpocket.ingest.values import BadValue, number, rfc3339_ns, stamp_ns

_STABLES = ("USDT", "USDC")
# Coin Metrics metric → series (docs.coinmetrics.io, asset metrics)
METRICS: Mapping[str, str] = MappingProxyType(
    {
        "FlowInExNtv": "exchange_inflow",
        "FlowOutExNtv": "exchange_outflow",
        "SplyExNtv": "exchange_reserve",
    }
)


class _Point(Struct, frozen=True):
    date: int
    total: dict[str, float] = field(name="totalCirculating", default_factory=dict[str, float])


def stablecoin_supply(body: bytes, symbol: str, series: str, now: int) -> Told:
    """`/stablecoincharts/all`: tokens outstanding a day.

    `totalCirculating` counts tokens; `totalCirculatingUSD` beside it is their market value, in which a loss of the
    peg would look like a redemption.
    """
    source = f"defillama {series}"
    points = decoded(source, body, list[_Point])
    found = [
        Observation(
            symbol, series, _day(point.date, source), float(point.total["peggedUSD"]), TOKENS
        )
        for point in points
        if "peggedUSD" in point.total
    ]
    bare = len(points) - len(found)
    return _told(source, found, now, [f"{bare} days without a figure"] if bare else [])


class _Held(Struct, frozen=True):
    date: int
    tokens: dict[str, float | None]


class _Exchange(Struct, frozen=True):
    tokens: list[_Held]


def exchange_reserves(body: bytes, exchange: str, coins: tuple[str, ...], now: int) -> Told:
    """`/protocol/{exchange}-cex`: units of coins and stablecoins that an exchange's known addresses hold.

    Only `tokens` is read: `tokensInUsd` beside it moves with price, and a price that moves is no flow. A coin not
    listed on a day has no figure of that day, which is not zero.
    """
    source = f"defillama {exchange}"
    held = decoded(source, body, _Exchange)
    found: list[Observation] = []
    for point in held.tokens:
        event = _day(point.date, source)
        for name in (*coins, *_STABLES):
            units = point.tokens.get(name)
            if units is not None:
                kind, unit = (
                    ("stablecoin_reserve", TOKENS)
                    if name in _STABLES
                    else ("exchange_reserve", "coin")
                )
                found.append(Observation(name, f"{kind}:{exchange}", event, float(units), unit))
    return _told(source, found, now, [])


class _Metrics(Struct, frozen=True):
    data: list[dict[str, str | None]]
    next_page_url: str = ""


def exchange_flows(body: bytes, now: int) -> Told:
    """`/timeseries/asset-metrics`: coin that went to and from exchanges a day, and what they hold."""
    source = "coinmetrics"
    answer = decoded(source, body, _Metrics)
    found: list[Observation] = []
    bare = 0
    for row in answer.data:
        try:
            event = rfc3339_ns(row.get("time") or "", "time")
            for metric, series in METRICS.items():
                text = row.get(metric)
                if text is None:
                    bare += 1
                else:
                    found.append(
                        Observation((row.get("asset") or "").upper(), series, event - event % DAY_NS,
                                    number(text, metric), "coin")
                    )  # fmt: skip
        except BadValue as error:
            raise _undecodable(source, error) from error
    notes = [f"{bare} figures not given"] if bare else []
    if answer.next_page_url:
        notes.append("there is a further page that was not asked for")
    return _told(source, found, now, notes)


def _told(source: str, found: list[Observation], now: int, notes: list[str]) -> Told:
    whole, running = whole_days(found, now)
    kept, refused = plausible(source, whole)
    return Told(observations=tuple(kept), notes=(*notes, *running, *refused))


def _day(seconds: int, source: str) -> int:
    """The UTC day a stamp in seconds falls into."""
    try:
        stamp = stamp_ns(seconds, "date", "s")
    except BadValue as error:
        raise _undecodable(source, error) from error
    return stamp - stamp % DAY_NS


def _undecodable(source: str, error: BadValue) -> UndecodableFrame:

    return UndecodableFrame(f"{source}: {error}")
