"""Venues and contracts: whose symbol is which asset, how big a contract is, linear or inverse."""

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from airpocket.domain.errors import UnknownInstrument
from airpocket.domain.units import HOUR_NS

ContractKind: TypeAlias = Literal["spot", "linear", "inverse", "option", "index"]


@dataclass(frozen=True, slots=True)
class Instrument:
    """One tradable contract of one venue.

    `contract_size` is coin per contract (linear, option, spot: 1 where sizes are in coin) or USD per
    contract (inverse); None where it is not known, and then a notional from contracts is unknown.
    `funding_interval_ns` is the venue's usual one; a settlement's own interval wins over it.
    """

    venue: str
    symbol: str
    base: str
    quote: str
    kind: ContractKind
    contract_size: float | None
    funding_interval_ns: int | None = None

    @property
    def key(self) -> str:
        return f"{self.venue}:{self.symbol}"

    @property
    def is_perp(self) -> bool:
        return self.kind in ("linear", "inverse")

    @property
    def simulated(self) -> bool:
        return self.venue.startswith("sim_")


# OKX contract values in coin (venue's instrument list; HYPE inferred from volume ratios, so left out).
_OKX_CONTRACT_COIN = {"BTC": 0.01, "ETH": 0.1, "SOL": 1.0, "DOGE": 1_000.0}
# ctVal 1 times ctMult of its options (instrument list of 2024-12; ETH from oi against oiCcy of 2021-12).
_OKX_OPTION_COIN = {"BTC": 0.01, "ETH": 0.1}


@dataclass(frozen=True, slots=True)
class _Family:
    """How one venue writes the symbols of one kind of contract."""

    pattern: re.Pattern[str]
    write: str  # with {base}; "" when an asset has no single symbol here
    kind: ContractKind
    quote: str = ""
    funding_hours: int | None = None


def _family(
    pattern: str, write: str, kind: ContractKind, quote: str = "", hours: int | None = None
) -> _Family:
    return _Family(re.compile(pattern), write, kind, quote, hours)


# Symbols may hold non-ASCII letters (币安人生USDT is a listed perpetual), so \w, not [A-Z].
_FAMILIES: dict[str, tuple[_Family, ...]] = {
    "binance_usdm": (
        _family(r"(?P<base>\w+?)(?P<quote>USDT|USDC|USD1)", "{base}USDT", "linear", hours=8),
    ),
    "binance_coinm": (_family(r"(?P<base>\w+?)USD_PERP", "{base}USD_PERP", "inverse", "USD", 8),),
    "binance_spot": (
        _family(r"(?P<base>\w+?)(?P<quote>USDT|USDC|FDUSD|TUSD)", "{base}USDT", "spot"),
    ),
    "bybit_linear": (_family(r"(?P<base>\w+?)(?P<quote>USDT)", "{base}USDT", "linear", hours=8),),
    "bybit_inverse": (_family(r"(?P<base>\w+?)USD", "{base}USD", "inverse", "USD", 8),),
    "binance_options": (
        _family(r"(?P<base>[A-Z0-9]+)-\d{6}-[\d.]+-[CP]", "", "option", "USDT"),
        _family(r"(?P<base>[A-Z0-9]+)-OPTIONS", "{base}-OPTIONS", "option", "USDT"),
    ),
    "bybit_spot": (_family(r"(?P<base>\w+?)(?P<quote>USDT|USDC)", "{base}USDT", "spot"),),
    "bybit_options": (
        _family(
            r"(?P<base>[A-Z0-9]+)-\d{1,2}[A-Z]{3}\d\d-[\d.]+-[CP](-(?P<quote>USDT|USDC))?",
            "",
            "option",
            "USDC",
        ),
        _family(r"(?P<base>[A-Z0-9]+)-OPTIONS", "{base}-OPTIONS", "option", "USDT"),
    ),
    "okx": (
        _family(r"(?P<base>\w+)-(?P<quote>USDT|USDC)-SWAP", "{base}-USDT-SWAP", "linear", hours=8),
        _family(r"(?P<base>\w+)-USD-SWAP", "{base}-USD-SWAP", "inverse", "USD", 8),
        _family(r"(?P<base>\w+)-(?P<quote>USDT|USDC)", "{base}-USDT", "spot"),
        _family(r"(?P<base>[A-Z0-9]+)-USD-\d{6}-[\d.]+-[CP]", "", "option", "USD"),
        _family(r"(?P<base>[A-Z0-9]+)-OPTIONS", "{base}-OPTIONS", "option", "USD"),
    ),
    "deribit": (
        _family(r"(?P<base>[A-Z]+)-PERPETUAL", "{base}-PERPETUAL", "inverse", "USD", 8),
        _family(r"(?P<base>[A-Z]+)_USDC-PERPETUAL", "{base}_USDC-PERPETUAL", "linear", "USDC", 8),
        _family(r"(?P<base>[A-Z]+)(_USDC)?-\d{1,2}[A-Z]{3}\d\d-\d+-[CP]", "", "option", "USD"),
        _family(r"(?P<base>[A-Z]+)-OPTIONS", "{base}-OPTIONS", "option", "USD"),
        _family(r"(?P<base>[A-Z]+)-DVOL", "{base}-DVOL", "index", "percent"),
    ),
    "hyperliquid": (
        _family(r"(?P<base>ACCOUNTS)", "", "index", "USD"),  # all public accounts of the venue
        _family(r"(?P<base>[\w@]+)", "{base}", "linear", "USDC", 1),
    ),
    "kraken_futures": (
        _family(r"PF_(?P<base>\w+)USD", "PF_{base}USD", "linear", "USD", 1),
        _family(r"PI_(?P<base>\w+)USD", "PI_{base}USD", "inverse", "USD", 1),
    ),
    "kraken_spot": (_family(r"(?P<base>\w+)/(?P<quote>USD|USDT)", "{base}/USD", "spot"),),
    "coinbase": (_family(r"(?P<base>\w+)-(?P<quote>USD|USDC)", "{base}-USD", "spot"),),
    "dydx": (_family(r"(?P<base>\w+)-USD", "{base}-USD", "linear", "USDC", 1),),
    "lighter": (_family(r"(?P<base>\w+)", "{base}", "linear", "USDC", 1),),
    # the bundled simulated market
    "sim_perp": (_family(r"(?P<base>\w+?)USDT", "{base}USDT", "linear", "USDT", 8),),
    "sim_perp2": (
        _family(r"(?P<base>\w+?)USDT", "{base}USDT", "linear", "USDT", 8),
        _family(r"(?P<base>ACCOUNTS)", "", "index", "USD"),
    ),
    "sim_spot": (_family(r"(?P<base>\w+?)USDT", "{base}USDT", "spot", "USDT"),),
    "sim_options": (_family(r"(?P<base>\w+?)-OPTIONS", "{base}-OPTIONS", "option", "USD"),),
    # publishers of slow flows are addressed like venues; the asset is the symbol
    "flows": (_family(r"(?P<base>\w+)", "{base}", "index", "USD"),),
    "defillama": (_family(r"(?P<base>[A-Z0-9]+)", "", "index", "USD"),),
    "coinmetrics": (_family(r"(?P<base>[A-Z0-9]+)", "", "index", "USD"),),
    "farside": (_family(r"(?P<base>[A-Z0-9]+)", "", "index", "USD"),),
    "coinglass": (_family(r"(?P<base>[A-Z0-9]+)", "", "index", "USD"),),
    "whale_alert": (_family(r"(?P<base>[A-Z0-9]+)", "", "index", "USD"),),
    "lending": (_family(r"(?P<base>\w+)", "", "index", "USD"),),
    "sim_flows": (_family(r"(?P<base>\w+)", "{base}", "index", "USD"),),
}

# Perpetuals of the lab's runs: symbols and margin rules of the venues that they stand for.
_STANDS_FOR: dict[str, tuple[str, ...]] = {
    "sim_binance": ("binance_usdm", "binance_coinm"),
    "sim_bybit": ("bybit_linear", "bybit_inverse"),
    "sim_okx": ("okx",),
    "sim_deribit": ("deribit",),
    "sim_hyperliquid": ("hyperliquid",),
}
_FAMILIES.update({
    name: tuple(
        family for real in stood for family in _FAMILIES[real] if family.kind in ("linear", "inverse")
    )
    for name, stood in _STANDS_FOR.items()
})  # fmt: skip

# Kinds of contracts that one wallet backs: Bybit's unified account, all but spot
_WALLETS: dict[str, str] = {
    "bybit_linear": "bybit", "bybit_inverse": "bybit", "bybit_options": "bybit"
}  # fmt: skip

_ALIASES = {"XBT": "BTC"}
_LONGEST_NAME = 32


def wallet_of(venue: str) -> str:
    """The account at an exchange that backs a venue's contracts; the venue itself where it stands alone."""
    return _WALLETS.get(venue, venue)


def instrument(venue: str, symbol: str) -> Instrument:
    """The contract behind a venue's symbol.

    Raises:
        UnknownInstrument: the venue is not one of ours, or does not write symbols like this.
    """
    families = _FAMILIES.get(venue)
    if families is None:
        raise UnknownInstrument(f"unknown venue '{venue}'; known: {', '.join(sorted(_FAMILIES))}")
    for family in families:
        match = family.pattern.fullmatch(symbol)
        if match is None:
            continue
        groups = match.groupdict()
        base = _ALIASES.get(groups["base"], groups["base"])
        hours = family.funding_hours
        return Instrument(
            venue=venue,
            symbol=symbol,
            base=base,
            quote=groups.get("quote") or family.quote,
            kind=family.kind,
            contract_size=_contract_size(venue, base, family.kind),
            funding_interval_ns=None if hours is None else hours * HOUR_NS,
        )
    raise UnknownInstrument(f"'{symbol}' is not how {venue} writes a symbol")


def instruments_of(asset: str) -> list[Instrument]:
    """Every contract on `asset` that a known venue would list under its usual symbol.

    Raises:
        UnknownInstrument: no venue could write a symbol of such a name.
    """
    found: list[Instrument] = []
    if len(asset) > _LONGEST_NAME or not re.fullmatch(r"[\w@:-]+", asset):
        raise UnknownInstrument(f"{asset[:40]!r} is not the name of a coin")
    for venue, families in _FAMILIES.items():
        name = "XBT" if asset == "BTC" and venue.startswith("kraken_futures") else asset
        for family in families:
            symbol = family.write.format(base=name)
            if symbol and family.pattern.fullmatch(symbol):  # some venues know plain letters only
                found.append(instrument(venue, symbol))
    return found


def stands_for(venue: str, symbol: str) -> str:
    """The venue whose symbols and margin rules a venue of the lab has; any other is itself."""
    for real in _STANDS_FOR.get(venue, ()):
        if any(family.pattern.fullmatch(symbol) for family in _FAMILIES[real]):
            return real
    return venue


def venues() -> list[str]:
    """The venue names airpocket knows."""
    return list(_FAMILIES)


def _contract_size(venue: str, base: str, kind: ContractKind) -> float | None:
    if venue in _STANDS_FOR:
        return 1.0  # a run's sizes are coin
    if venue == "okx" and kind == "linear":
        return _OKX_CONTRACT_COIN.get(base)
    if venue == "okx" and kind == "option":
        return _OKX_OPTION_COIN.get(base)
    if venue == "okx" and kind == "inverse":
        return 100.0 if base == "BTC" else 10.0
    if venue == "binance_coinm":
        return 100.0 if base == "BTC" else 10.0
    return 1.0
