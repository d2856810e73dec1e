"""Which venue offers which history over REST: page sizes, how far back, and the hosts we may speak to."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

from airpocket.domain.errors import BadInput
from airpocket.domain.kinds import split_name
from airpocket.domain.units import DAY_NS, HOUR_NS, format_interval

Until: TypeAlias = Literal["until", "after", "endTime", "effectiveBeforeOrAt", ""]

PERIOD_NS = HOUR_NS  # open interest and ratios are asked as hourly rows: every venue serves these
PRICE_OF = MappingProxyType(
    {"bar": "", "mark_bar": "mark", "index_bar": "index", "premium_bar": "premiumIndex"}
)
FAMILIES = (
    *PRICE_OF,
    "funding",
    "open_interest",
    "ratio",
    "tier",
    "trade",
    "liquidation",
    "vol_index",
)


@dataclass(frozen=True, slots=True)
class Offer:
    """One kind of history at one venue.

    `page` is rows a request, `span_days` the longest stretch one request may name, `keeps_days` and
    `keeps_rows` how far back the venue remembers, `until` how a request names its end ("": it cannot).
    """

    page: int
    span_days: int | None = None
    keeps_days: int | None = None
    keeps_rows: int | None = None
    until: Until = "until"

    def earliest(self, now: int, step_ns: int) -> int:
        """The earliest time the venue still answers for, ns; 0 where it keeps everything."""
        earliest = 0
        if self.keeps_days is not None:
            # an hour of slack: a request for the very edge is refused, not shortened
            earliest = now - self.keeps_days * DAY_NS + HOUR_NS
        if self.keeps_rows is not None:
            earliest = max(earliest, now - self.keeps_rows * step_ns)
        return earliest

    def span_ns(self, step_ns: int) -> int:
        """How much time one request may cover."""
        span = self.page * step_ns
        return (
            span
            if self.span_days is None
            else min(span, self.span_days * DAY_NS // step_ns * step_ns)
        )


@dataclass(frozen=True, slots=True)
class VenueRest:
    """How one venue is reached: its ccxt class, the market lists to load, and the only hosts allowed.

    `funding_hours` is set where the venue's rules fix the interval; elsewhere it is read from the
    spacing of settlements, because it differs by contract and changes over time.
    """

    ccxt_id: str
    hosts: frozenset[str]
    offers: Mapping[str, Offer]
    markets: tuple[str, ...] = ()
    funding_hours: int | None = None


def _all_bars(offer: Offer) -> dict[str, Offer]:
    return dict.fromkeys(PRICE_OF, offer)


_BINANCE_STATS = Offer(page=500, keeps_days=30)
_OKX_STATS = Offer(page=100, keeps_rows=1_440)
_BYBIT = {
    **_all_bars(Offer(page=1_000)),
    "funding": Offer(page=200),
    "open_interest": Offer(page=200),
    "ratio": Offer(page=500, until="endTime"),
    "tier": Offer(page=1, until=""),  # only those of this moment
}

VENUES: Mapping[str, VenueRest] = MappingProxyType(
    {
        "binance_usdm": VenueRest(
            "binanceusdm",
            frozenset({"fapi.binance.com"}),
            {
                **_all_bars(Offer(page=1_000)),
                "funding": Offer(page=1_000),
                "open_interest": _BINANCE_STATS,
                "ratio": _BINANCE_STATS,
            },
            markets=("linear",),
        ),
        "binance_coinm": VenueRest(
            "binancecoinm",
            frozenset({"dapi.binance.com"}),
            {
                **_all_bars(Offer(page=1_000, span_days=200)),
                "funding": Offer(page=1_000),
                "open_interest": _BINANCE_STATS,
                "ratio": _BINANCE_STATS,
            },
            markets=("inverse",),
        ),
        "binance_spot": VenueRest(
            "binance",
            frozenset({"api.binance.com"}),
            {"bar": Offer(page=1_000)},
            markets=("spot",),
        ),
        "bybit_linear": VenueRest(
            "bybit", frozenset({"api.bybit.com"}), _BYBIT, markets=("linear",)
        ),
        "bybit_inverse": VenueRest(
            "bybit", frozenset({"api.bybit.com"}), _BYBIT, markets=("inverse",)
        ),
        "okx": VenueRest(
            "okx",
            frozenset({"www.okx.com"}),
            {
                "bar": Offer(page=300),
                "mark_bar": Offer(page=100),
                "index_bar": Offer(page=100),
                "funding": Offer(page=100, until="after"),
                "open_interest": _OKX_STATS,
                "ratio": _OKX_STATS,
            },
            markets=("spot", "swap"),
        ),
        "deribit": VenueRest(
            "deribit",
            frozenset({"www.deribit.com", "history.deribit.com"}),
            {
                "bar": Offer(page=1_000),
                "funding": Offer(page=700, span_days=29),
                "trade": Offer(page=1_000),
                "liquidation": Offer(page=1_000),
                "vol_index": Offer(page=1_000),
            },
            funding_hours=1,
        ),
        "hyperliquid": VenueRest(
            "hyperliquid",
            frozenset({"api.hyperliquid.xyz"}),
            {"bar": Offer(page=1_000, keeps_rows=5_000), "funding": Offer(page=500)},
            markets=("swap",),
            funding_hours=1,
        ),
        "kraken_futures": VenueRest(
            "krakenfutures",
            frozenset({"futures.kraken.com"}),
            {
                "bar": Offer(page=2_000, until=""),
                "mark_bar": Offer(page=2_000, until=""),
                "index_bar": Offer(page=2_000, until=""),
                "funding": Offer(page=1_000_000, until=""),  # the whole history in one answer
            },
            funding_hours=1,
        ),
        "kraken_spot": VenueRest(
            "kraken",
            frozenset({"api.kraken.com"}),
            {"bar": Offer(page=720, keeps_rows=720, until="")},
        ),
        "coinbase": VenueRest(
            "coinbase", frozenset({"api.coinbase.com"}), {"bar": Offer(page=300)}
        ),
        "dydx": VenueRest(
            "dydx",
            frozenset({"indexer.dydx.trade"}),
            {"bar": Offer(page=100), "funding": Offer(page=100, until="effectiveBeforeOrAt")},
            funding_hours=1,
        ),
    }
)


def venue_rest(venue: str) -> VenueRest:
    """The REST table of a venue.

    Raises:
        BadInput: backfill does not speak to this venue.
    """
    found = VENUES.get(venue)
    if found is None:
        raise BadInput(f"backfill does not speak to '{venue}'; it knows {', '.join(VENUES)}")
    return found


def family_of(kind: str) -> tuple[str, int]:
    """'bar_1h' → ('bar', 3600e9 ns); 'open_interest' → ('open_interest', the period asked for); funding → 0.

    Raises:
        BadInput: no kind that backfill can ask for, or bars longer than a day (venues disagree on which
            weekday those open).
    """
    try:
        known, interval_ns = split_name(kind)
    except ValueError as error:
        raise BadInput(str(error)) from error
    if known.name not in FAMILIES:
        raise BadInput(f"backfill does not ask for '{kind}'; it asks for {', '.join(FAMILIES)}")
    if known.name in ("open_interest", "ratio"):
        return known.name, PERIOD_NS
    if interval_ns > DAY_NS or (interval_ns and DAY_NS % interval_ns):
        raise BadInput(f"'{kind}': bars of {format_interval(interval_ns)} do not fit a day")
    return known.name, interval_ns
