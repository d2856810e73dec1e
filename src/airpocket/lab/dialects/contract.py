"""Under which venue, name and units each book of a world is served."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

from airpocket.domain.errors import BadInput
from airpocket.lab.runs.rulebook import rules_of
from airpocket.lab.runs.worldfile import Venue, World
from airpocket.lab.surface import SurfaceSettings

Form: TypeAlias = Literal["linear", "inverse", "spot"]

# Contract values of OKX in coin (its instrument list; venues.md §4); inverse contracts and COIN-M in USD.
_OKX_COIN = {"BTC": 0.01, "ETH": 0.1, "SOL": 1.0, "DOGE": 1_000.0}
_USD_CONTRACTS = ("okx", "binance_coinm")

# (rules, kind) → venue it is served as and how that venue writes the symbol
_NAMES: dict[tuple[str, str], tuple[str, str]] = {
    ("binance_usdm", "linear"): ("binance_usdm", "{base}USDT"),
    ("binance_coinm", "inverse"): ("binance_coinm", "{base}USD_PERP"),
    ("bybit_linear", "linear"): ("bybit_linear", "{base}USDT"),
    ("bybit_inverse", "inverse"): ("bybit_inverse", "{base}USD"),
    ("okx", "linear"): ("okx", "{base}-USDT-SWAP"),
    ("okx", "inverse"): ("okx", "{base}-USD-SWAP"),
    ("deribit", "linear"): ("deribit", "{base}_USDC-PERPETUAL"),
    ("deribit", "inverse"): ("deribit", "{base}-PERPETUAL"),
    ("hyperliquid", "linear"): ("hyperliquid", "{base}"),
}
# A spot book is served as the venue its name speaks of, as Binance's where it names none.
_SPOT = {
    "coinbase": ("coinbase", "{base}-USD"),
    "bybit": ("bybit_spot", "{base}USDT"),
    "okx": ("okx", "{base}-USDT"),
    "": ("binance_spot", "{base}USDT"),
}


@dataclass(frozen=True, slots=True)
class Contract:
    """One book as its venue writes it.

    worth: coin (inverse: USD) in one unit of the wire's sizes. lot: coin (inverse: USD) in one lot.
    funding_h: hours between settlements, 0 where funding accrues without end or there is none.
    """

    book: int
    venue: str
    symbol: str
    base: str
    form: Form
    tick_usd: float
    lot: float
    worth: float = 1.0
    funding_h: float = 0.0
    max_leverage: float = 1.0
    surface: SurfaceSettings = SurfaceSettings(0.6)  # of options on the coin

    @property
    def price_decimals(self) -> int:
        return decimals(self.tick_usd)

    @property
    def size_decimals(self) -> int:
        return decimals(self.lot / self.worth)

    def usd(self, ticks: float) -> float:
        """A price in dollars, as exact as the venue writes it."""
        return round(ticks * self.tick_usd, 10)

    def units(self, lots: int) -> float:
        """Unsigned lots as the wire counts them."""
        return round(abs(lots) * self.lot / self.worth, 10)

    def price(self, ticks: float) -> str:
        return f"{ticks * self.tick_usd:.{self.price_decimals}f}"

    def fine(self, milliticks: int) -> str:
        """A mark or an index, eight decimals."""
        return f"{milliticks * self.tick_usd / 1_000.0:.8f}"

    def size(self, lots: int) -> str:
        return f"{abs(lots) * self.lot / self.worth:.{self.size_decimals}f}"

    def coin(self, lots: int, ticks: float) -> float:
        """Unsigned coin."""
        held = abs(lots) * self.lot
        return held / (ticks * self.tick_usd) if self.form == "inverse" else held


@lru_cache(maxsize=1_024)  # a venue writes with the same few
def decimals(step: float) -> int:
    """Digits after the dot of a step: 0.001 → 3, 0.5 → 1, 10 → 0."""
    for digits in range(13):
        if math.isclose(step, round(step, digits), rel_tol=1e-9):
            return digits
    raise BadInput(f"a step of {step!r} has more than twelve decimals")


def served(world: World) -> list[Contract]:
    """How each book of a world is served.

    Raises:
        BadInput: two books would be the same contract, or sizes are no whole contracts.
    """
    found = [_contract(world, book, venue) for book, venue in enumerate(world.venue)]
    taken: dict[tuple[str, str], str] = {}
    for contract, venue in zip(found, world.venue, strict=True):
        key = (contract.venue, contract.symbol)
        if key in taken:
            raise BadInput(
                f"venue {venue.name}: served as {contract.symbol} of {contract.venue}, as {taken[key]} is;"
                " a spot venue is served as coinbase, bybit or okx where its name says so"
            )
        taken[key] = venue.name
    return found


def _contract(world: World, book: int, venue: Venue) -> Contract:
    base, hours = world.asset, 0.0
    if venue.kind == "spot":
        named = next((key for key in _SPOT if key and key in venue.name), "")
        whose, pattern = _SPOT[named]
    else:
        whose, pattern = _NAMES[venue.rules, venue.kind]
        funding = rules_of(venue, world.start_ns).funding
        hours = funding.interval_h if funding is not None else 0.0
    worth = 1.0
    if venue.kind == "inverse" and whose in _USD_CONTRACTS:
        worth = 100.0 if base == "BTC" else 10.0
    elif whose == "okx" and venue.kind == "linear":
        if base not in _OKX_COIN:
            raise BadInput(f"venue {venue.name}: OKX's contract value of {base} is not known")
        worth = _OKX_COIN[base]
    if whose == "binance_coinm" and not math.isclose(venue.lot % worth, 0.0, abs_tol=1e-9):
        raise BadInput(f"venue {venue.name}: lot: must be whole contracts of {worth:g} USD")
    return Contract(
        book, whose, pattern.format(base=base), base, venue.kind, venue.tick_usd, venue.lot, worth,
        hours, venue.max_leverage_x, world.surface,
    )  # fmt: skip
