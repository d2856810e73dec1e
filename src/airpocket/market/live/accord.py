"""Do the venues agree? Whose mark, index or last stands apart from all others, and what a quote coin is worth."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from airpocket.domain.instruments import Instrument
from airpocket.domain.units import SECOND_NS

_FRESH_NS = 30 * SECOND_NS
# One venue's price left all others by this on 2025-10-10, and by up to a third; passing lags stay below.
_APART = 0.05
_LEAST_OTHERS = 2
_OFF_PARITY = 0.005  # below it a stablecoin is a dollar here, as everywhere
_LEAST_PAIRS = 2  # of a quote coin: one venue's glitch is no depeg
_DISAGREE = 0.02
_COINS = ("USDT", "USDC")


@dataclass(frozen=True, slots=True)
class Seen:
    """One contract's prices at a moment: name (last, mark, index) → (heard ns, quote per coin)."""

    contract: Instrument
    prices: Mapping[str, tuple[int, float]]

    def fresh(self, now: int) -> dict[str, float]:
        """The prices heard within half a minute."""
        return {
            name: price for name, (heard, price) in self.prices.items() if now - heard <= _FRESH_NS
        }

    @property
    def house(self) -> str:
        """Whose it is, whichever of its markets: prices of one house are not independent."""
        return self.contract.venue.split("_", maxsplit=1)[0]


def parities(seen: Iterable[Seen], now: int) -> dict[str, float]:
    """USD per quote coin, by what the asset costs in either on the spot markets; what can't be told is left out.

    Needs a dollar market, and two markets in the coin that agree within 2 %.
    """
    spot: dict[str, list[float]] = {}
    for each in seen:
        last = each.fresh(now).get("last")
        if each.contract.kind == "spot" and last is not None:
            spot.setdefault(each.contract.quote, []).append(last)
    dollars = spot.get("USD", [])
    if not dollars or _apart(dollars) > _DISAGREE:
        return {}
    return {
        coin: median(dollars) / median(spot[coin])
        for coin in _COINS
        if len(spot.get(coin, ())) >= _LEAST_PAIRS and _apart(spot[coin]) <= _DISAGREE
    }


def depegs(rates: Mapping[str, float]) -> dict[str, float]:
    """The rates that are no dollar."""
    return {coin: rate for coin, rate in rates.items() if abs(rate - 1.0) > _OFF_PARITY}


def divergences(
    seen: Iterable[Seen], rates: Mapping[str, float], now: int
) -> dict[tuple[str, str], str]:
    """(venue, symbol) → which of its prices stands apart by 5 % or more, in dollars, and from what.

    Against the median of at least two other houses; where fewer are heard, a mark against its own index.
    """
    values = {
        each.contract.key: (each, {
            name: price * rates.get(each.contract.quote, 1.0)
            for name, price in each.fresh(now).items()
        })
        for each in seen
    }  # fmt: skip
    centres: dict[str, list[float]] = {}
    for each, prices in values.values():
        centres.setdefault(each.house, []).extend(prices.values())
    middle = {house: median(found) for house, found in centres.items() if found}
    found: dict[tuple[str, str], str] = {}
    for each, prices in values.values():
        others = [price for house, price in middle.items() if house != each.house]
        reason = _against_others(prices, others) or _against_index(prices, others)
        if reason:
            found[each.contract.venue, each.contract.symbol] = reason
    return found


def _against_others(prices: Mapping[str, float], others: list[float]) -> str:
    if len(others) < _LEAST_OTHERS:
        return ""
    centre = median(others)
    far = {name: price / centre - 1.0 for name, price in prices.items()}
    name = max(far, key=lambda each: abs(far[each]), default="")
    if not name or abs(far[name]) < _APART:
        return ""
    return f"{name} is {100.0 * far[name]:+.1f} % off the median of {len(others)} other venues"


def _against_index(prices: Mapping[str, float], others: list[float]) -> str:
    if len(others) >= _LEAST_OTHERS or not {"mark", "index"} <= set(prices):
        return ""
    off = prices["mark"] / prices["index"] - 1.0
    return "" if abs(off) < _APART else f"mark is {100.0 * off:+.1f} % off its own index"


def _apart(prices: list[float]) -> float:
    return max(prices) / min(prices) - 1.0
