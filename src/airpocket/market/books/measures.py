"""What a live book says: depth, slope, imbalance, and what taking from it costs; coin, and USD at each price.

Source: the definitions of Cont, Kukanov and Stoikov (J. Financial Econometrics 12(1), 2014) for imbalance at
the touch; depth within x is Σ p·q over |ln(p/mid)| ≤ x.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from airpocket.domain.units import Side
from airpocket.domain.wire import Level
from airpocket.market.books.ladder import Ladder, SideLadder, Touch


@dataclass(frozen=True, slots=True)
class Depth:
    """Resting notional within a band of the mid, one side.

    `whole`: the book is known beyond the band's edge; otherwise the figures are lower bounds.
    """

    usd: float
    coin: float
    levels: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Execution:
    """Taking a notional at once: what was filled, at which average price, how far from the mid."""

    asked_usd: float
    filled_usd: float
    average: float | None
    last: float | None
    slippage_bps: float | None

    @property
    def whole(self) -> bool:
        """Whether the known book had enough."""
        return self.filled_usd >= self.asked_usd * (1.0 - 1e-12)


def mid_of(touch: Touch) -> float:
    """Halfway between the best prices."""
    return (touch.bid + touch.ask) / 2.0


def spread_bps(touch: Touch) -> float:
    """Ask over bid, bp of the mid."""
    return 1e4 * (touch.ask - touch.bid) / mid_of(touch)


def micro_price(touch: Touch) -> float:
    """The mid weighted by the size of the other side: where the next trade pulls it."""
    total = touch.bid_size + touch.ask_size
    return (touch.bid * touch.ask_size + touch.ask * touch.bid_size) / total


def depth_within(book: Ladder, percent: float) -> Depth | None:
    """Resting orders within `percent` of the mid: bids where it is negative, asks where positive.

    None while a side is empty: then there is no mid.
    """
    best = book.touch()
    if best is None:
        return None
    return _walk(book.asks if percent > 0 else book.bids, mid_of(best), [abs(percent)])[0]


def _distance(price: float, mid: float) -> float:
    """Per cent, in logarithms."""
    return 100.0 * abs(math.log(price / mid))


def _walk(side: SideLadder, mid: float, percents: list[float]) -> list[Depth]:
    """The depth of each band, rising, in one walk from the touch outwards."""
    sign = 1.0 if side.unit < 0.0 else -1.0  # asks lie above the mid
    limits = [mid * math.exp(sign * percent / 100.0) for percent in percents]
    found: list[Depth] = []
    usd = coin = 0.0
    levels = 0
    for price, size in side.best_first():
        while sign * (price - limits[len(found)]) > 0.0:
            whole = _known_within(side, mid, percents[len(found)])
            found.append(Depth(usd, coin, levels, whole))
            if len(found) == len(limits):
                return found
        usd += price * size
        coin += size
        levels += 1
    rest = percents[len(found) :]
    return found + [Depth(usd, coin, levels, _known_within(side, mid, edge)) for edge in rest]


def _known_within(side: SideLadder, mid: float, percent: float) -> bool:
    """Whether all levels of the band are known, so that none may be missing in it."""
    edge = side.known_to()
    return edge is None or _distance(edge, mid) > percent


def bands(book: Ladder, percents: Iterable[float]) -> dict[float, Depth]:
    """`depth_within` for several bands and both sides in one walk a side; bids under minus the band."""
    best = book.touch()
    if best is None:
        return {}
    edges, mid = sorted(percents), mid_of(best)
    found: dict[float, Depth] = {}
    for sign, side in ((-1.0, book.bids), (1.0, book.asks)):
        for edge, held in zip(edges, _walk(side, mid, edges) if edges else [], strict=True):
            found[sign * edge] = held
    return found


def imbalance(book: Ladder, percent: float) -> float | None:
    """(bids − asks) / (bids + asks) in USD within `percent` of the mid, −1 to 1.

    None where a band is not wholly known (the ratio of two lower bounds bounds nothing) or both are empty.
    """
    bids, asks = depth_within(book, -percent), depth_within(book, percent)
    if bids is None or asks is None or bids.usd + asks.usd == 0.0:
        return None
    if not (bids.whole and asks.whole):
        return None
    return (bids.usd - asks.usd) / (bids.usd + asks.usd)


def slope(book: Ladder, side: Side, percent: float) -> float | None:
    """How fast depth grows with distance: USD per 1 % within `percent`, by least squares through the touch.

    `side` is the taker's: buy walks the asks. None with fewer than two levels or an incomplete band.
    """
    best, band = book.touch(), depth_within(book, percent if side == "buy" else -percent)
    if best is None or band is None or band.levels < 2 or not band.whole:
        return None
    held = xy = xx = 0.0
    for price, size in _ahead(book, side):
        x = _distance(price, mid_of(best))
        if x > percent:
            break
        held += price * size
        xy += x * held
        xx += x * x
    return xy / xx if xx > 0.0 else None


def execute(book: Ladder, side: Side, usd: float) -> Execution | None:
    """Walk the book with a taker's order; what the known book lacks stays unfilled, never extrapolated.

    Levels beyond the snapshot's range are not taken: cheaper ones may lie unseen before them.

    Raises:
        ValueError: the notional is not above zero.
    """
    if not usd > 0.0:
        raise ValueError(f"a notional must be above zero, not {usd:g}")
    best = book.touch()
    if best is None:
        return None
    left, coin, last = usd, 0.0, None
    edge = (book.asks if side == "buy" else book.bids).known_to()
    for price, size in _ahead(book, side):
        if edge is not None and (price > edge if side == "buy" else price < edge):
            break
        taken = min(left, price * size)
        coin += taken / price
        left -= taken
        last = price
        if left <= usd * 1e-12:
            break
    filled = usd - max(left, 0.0)
    average = filled / coin if coin > 0.0 else None
    slippage = None if average is None else 1e4 * abs(average / mid_of(best) - 1.0)
    return Execution(usd, filled, average, last, slippage)


def _ahead(book: Ladder, side: Side) -> Iterable[Level]:
    return book.asks.best_first() if side == "buy" else book.bids.best_first()
