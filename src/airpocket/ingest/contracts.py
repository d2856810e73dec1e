"""What a venue's name of an option says: coin, expiry, strike, and in what it pays."""

from dataclasses import dataclass

from airpocket.ingest.options import read_name
from airpocket.ingest.values import BadValue
from airpocket.ingest.venues.deribit import names as deribit

_OKX_PARTS = 5  # BTC-USD-250328-92000-C


@dataclass(frozen=True, slots=True)
class NamedOption:
    """expiry: ns. linear: pays in `quote`, else in coin."""

    base: str
    expiry: int
    strike: float
    call: bool
    linear: bool
    quote: str


def option_named(venue: str, symbol: str) -> NamedOption | None:
    """The option behind a venue's symbol; None where the symbol names no single option."""
    if venue in ("deribit", "sim_options"):
        return _deribit(symbol)
    parts = symbol.split("-")
    okx = venue == "okx" and len(parts) == _OKX_PARTS
    try:
        name = read_name("-".join((parts[0], *parts[2:])) if okx else symbol)
    except BadValue:
        return None
    if venue == "okx":
        return NamedOption(
            name.base, name.expiry, name.strike, name.call, linear=False, quote="USD"
        )
    quote = parts[4] if len(parts) == _OKX_PARTS else ("USDC" if venue == "bybit_options" else "USDT")  # fmt: skip
    return NamedOption(name.base, name.expiry, name.strike, name.call, linear=True, quote=quote)


def _deribit(symbol: str) -> NamedOption | None:
    name = deribit.read(symbol)
    if name.kind != "option":
        return None
    quote = "USDC" if name.linear else "USD"
    return NamedOption(name.base, name.expiry, name.strike, name.call, name.linear, quote)
