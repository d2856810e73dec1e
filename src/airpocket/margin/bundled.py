"""Maintenance schedules that venues published, by date: what is known without a download."""

from collections.abc import Mapping
from dataclasses import replace

from airpocket.domain.errors import MarginError
from airpocket.domain.instruments import stands_for
from airpocket.domain.units import TimeNs, parse_time
from airpocket.margin.tiers import Schedule, SizeSlope, TierTable, table_from

_GIST_2021 = "public bracket table of 2021 (gist by highfestiva)"
_BRACKETS_2024 = "Binance USDⓈ-M leverage brackets of 2024-10-24"
_MMR_2024 = (0.004, 0.005, 0.0065, 0.01, 0.02, 0.025, 0.05, 0.1, 0.125, 0.15, 0.25, 0.5)
_LEVERAGE_2024 = (125.0, 100.0, 75.0, 50.0, 25.0, 20.0, 10.0, 5.0, 4.0, 3.0, 2.0, 1.0)

# Dates where a source names only a month or a year: its end, so that no replay sees it too early.
_END_2021 = parse_time("2021-12-31T00:00Z")
_OCT_2024 = parse_time("2024-10-24T00:00Z")
_NOV_2024 = parse_time("2024-11-30T00:00Z")
_MAR_2025 = parse_time("2025-03-15T00:00Z")
_JAN_2026 = parse_time("2026-01-01T00:00Z")

_BINANCE = (
    table_from(
        "binance_usdm", "BTCUSDT", _END_2021, _GIST_2021,
        {
            "floor": (0, 5e4, 2.5e5, 1e6, 1e7, 2e7, 5e7, 1e8, 2e8, 3e8),
            "mmr": (0.004, 0.005, 0.01, 0.025, 0.05, 0.1, 0.125, 0.15, 0.25, 0.5),
            "max_leverage": (125, 100, 50, 20, 10, 5, 4, 3, 2, 1),
        },
        top_cap=5e8,
    ),
    table_from(
        "binance_usdm", "ETHUSDT", _OCT_2024, _BRACKETS_2024,
        {
            "floor": (0, 5e4, 6e5, 3e6, 1.2e7, 5e7, 6.5e7, 1.5e8, 3.2e8, 4e8, 5.3e8, 8e8),
            "mmr": _MMR_2024, "max_leverage": _LEVERAGE_2024,
        },
    ),
    table_from(
        "binance_usdm", "BTCUSDT", _OCT_2024, _BRACKETS_2024,
        {
            "floor": (0, 5e4, 6e5, 3e6, 1.2e7, 7e7, 1e8, 2.3e8, 4.8e8, 6e8, 8e8, 1.2e9),
            "mmr": _MMR_2024, "max_leverage": _LEVERAGE_2024,
        },
    ),
)  # fmt: skip

_HL_TIERS = "Hyperliquid documentation, margin tiers"
# coin → (upper edge of the first tier in USDC, its maximum leverage, that of the second)
_HL_TWO_TIERS: Mapping[str, tuple[float, float, float]] = {
    "BTC": (1.5e8, 40.0, 20.0),
    "ETH": (1e8, 25.0, 15.0),
    "SOL": (7e7, 20.0, 10.0),
    "XRP": (4e7, 20.0, 10.0),
    **dict.fromkeys(
        (
            "DOGE", "kPEPE", "SUI", "WLD", "TRUMP", "LTC", "ENA", "POPCAT", "WIF", "AAVE", "kBONK",
            "LINK", "CRV", "AVAX", "ADA", "UNI", "NEAR", "TIA", "APT", "BCH", "HYPE", "FARTCOIN",
        ),
        (2e7, 10.0, 5.0),
    ),
    **dict.fromkeys(
        ("OP", "ARB", "LDO", "TON", "MKR", "ONDO", "JUP", "INJ", "kSHIB", "SEI", "TRX", "BNB", "DOT"),
        (3e6, 10.0, 5.0),
    ),
}  # fmt: skip


def hyperliquid_mmr(max_leverage: float) -> float:
    """Hyperliquid's maintenance rate: half of the initial rate at the tier's maximum leverage."""
    if not max_leverage >= 1.0:
        raise MarginError(f"max_leverage must be at least 1, not {max_leverage:g}")
    return 0.5 / max_leverage


def _hyperliquid(
    coin: str, as_of: TimeNs, source: str, floor: tuple[float, ...], leverage: tuple[float, ...]
) -> TierTable:
    rows = {
        "floor": floor,
        "mmr": [hyperliquid_mmr(one) for one in leverage],
        "max_leverage": leverage,
    }
    return table_from("hyperliquid", coin, as_of, source, rows, currency="USDC")


_HYPERLIQUID = (
    *(
        _hyperliquid(coin, _NOV_2024, "positions the venue's API returned in 2024", (0.0,), (50.0,))
        for coin in ("BTC", "ETH")
    ),
    _hyperliquid("BTC", _MAR_2025, "the venue's notice of March 2025", (0.0,), (40.0,)),
    _hyperliquid("ETH", _MAR_2025, "the venue's notice of March 2025", (0.0,), (25.0,)),
    *(
        _hyperliquid(coin, _JAN_2026, _HL_TIERS, (0.0, edge), (below, above))
        for coin, (edge, below, above) in _HL_TWO_TIERS.items()
    ),
)

_JAN_2022 = parse_time("2022-01-11T00:00Z")
_DB_2022 = "Deribit support, margin changes of 2022-01-11"
_DB_LINEAR = "Deribit support, linear perpetual margin (read in 2026)"
_DERIBIT = (
    SizeSlope("deribit", "BTC-PERPETUAL", _JAN_2022, _DB_2022, 0.02, 0.01, 5e-5),
    SizeSlope("deribit", "ETH-PERPETUAL", _JAN_2022, _DB_2022, 0.02, 0.01, 4e-6),
    SizeSlope("deribit", "BTC_USDC-PERPETUAL", _JAN_2026, _DB_LINEAR, 0.02, 0.01, 5e-5),
    SizeSlope("deribit", "SOL_USDC-PERPETUAL", _JAN_2026, _DB_LINEAR, 0.04, 0.02, 5e-6),
)

_SIM_START = parse_time("2020-01-01T00:00Z")


def _simulated(venue: str, symbol: str) -> TierTable:
    rows = {"floor": (0.0,), "mmr": (0.005,)}
    return table_from(venue, symbol, _SIM_START, "the simulated market's own rule", rows)


def schedules_of(venue: str, symbol: str, now: TimeNs) -> list[Schedule]:
    """Bundled schedules of a contract that had been published at `now`, oldest first; often none.

    A schedule dated after `now` is never given: the tiers of today say nothing sure about then. A venue of
    the lab has those of the venue that it stands for.
    """
    if venue in ("sim_perp", "sim_perp2"):
        return [_simulated(venue, symbol)]
    real = stands_for(venue, symbol)
    found: list[Schedule] = [
        one if real == venue else replace(one, venue=venue)
        for one in (*_BINANCE, *_HYPERLIQUID, *_DERIBIT)
        if (one.venue, one.symbol) == (real, symbol) and one.as_of <= now
    ]
    return sorted(found, key=lambda one: one.as_of)
