"""A paper position with the margin behind it: fills, fees, funding, stops, and the venue's forced exit.

Pure: prices and fills come in, the state changes. Nothing here reaches the simulated market, let alone a
real one. Money is USD; linear contracts only.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from airpocket.domain.positions import MarginMode, Position
from airpocket.domain.units import PositionSide
from airpocket.drill.records import Cause, Fill
from airpocket.margin.kernel import Leg, bankruptcy, liquidation
from airpocket.margin.rules import VenueRules
from airpocket.margin.tiers import Schedule

# (signed coin wanted, worst price or None) → coin filled (unsigned) and its mean price
Walk: TypeAlias = Callable[[float, float | None], tuple[float, float]]

_DUST = 1e-9


@dataclass(frozen=True, slots=True)
class Terms:
    """The contract's terms. taker_fee and liquidation_fee: fractions of notional."""

    venue: str
    symbol: str
    rules: VenueRules
    tiers: Schedule
    taker_fee: float
    liquidation_fee: float


@dataclass(frozen=True, slots=True)
class Stop:
    """Close `coin` when the mark comes to `price` from the side that `above` names."""

    price: float
    coin: float
    above: bool  # triggers at or above the price
    name: str = ""


@dataclass
class Account:
    """One position, its margin and its hedge. `margin_usd` holds all realised profit, fees and funding.

    A hedge is a position on another venue, fully margined there: it earns or costs, and never saves the
    margin of this one.
    """

    terms: Terms
    side: PositionSide
    size_coin: float
    entry_price: float
    margin_usd: float
    margin_mode: MarginMode = "isolated"
    stops: list[Stop] = field(default_factory=list[Stop])
    fills: list[Fill] = field(default_factory=list[Fill])
    fees_usd: float = 0.0
    funding_usd: float = 0.0
    added_usd: float = 0.0
    liquidated: bool = False
    forced_price: float | None = None
    closed_s: int | None = None
    worst_percent: float | None = None
    worst_s: int = 0
    hedge_coin: float = 0.0  # signed
    hedge_price: float = 0.0
    hedge_usd: float = 0.0  # realised, less its fees and funding
    liquidation_price: float | None = None
    doomed: bool = False  # equity covers maintenance at no price

    def __post_init__(self) -> None:
        self.start_usd, self.start_coin = self.margin_usd, self.size_coin
        self._solve()

    @property
    def sign(self) -> float:
        return 1.0 if self.side == "long" else -1.0

    @property
    def open(self) -> bool:
        return self.size_coin > _DUST

    def equity_usd(self, price: float) -> float:
        """Of the position, without its hedge."""
        return self.margin_usd + self.sign * self.size_coin * (price - self.entry_price)

    def pnl_usd(self, price: float, hedge_price: float | None = None) -> float:
        """Since the start, at a price; the hedge at its own venue's, or its last where that is None."""
        at = self.hedge_price if hedge_price is None else hedge_price
        hedge = self.hedge_usd + self.hedge_coin * (at - self.hedge_price)
        return self.equity_usd(price) - self.start_usd - self.added_usd + hedge

    def distance_percent(self, mark: float) -> float | None:
        """To the forced exit, % of the mark; None where there is none."""
        price = self.liquidation_price
        return None if price is None or not self.open else -self.sign * (price / mark - 1.0) * 100.0

    def position(self, opened_at: int) -> Position:
        """As a plan takes it."""
        return Position(
            venue=self.terms.venue, symbol=self.terms.symbol, side=self.side, size_coin=self.size_coin,
            entry_price=self.entry_price, opened_at=opened_at, margin_mode=self.margin_mode,
            wallet_usd=max(self.margin_usd, 1e-6), id="drill",
        )  # fmt: skip

    # -- what happens to it

    def enter(self, at_s: int, price: float) -> None:
        """The fee of having entered at a price."""
        fee = self.size_coin * price * self.terms.taker_fee
        self._paid(fee)
        side: Literal["buy", "sell"] = "buy" if self.side == "long" else "sell"
        self._note(at_s, "entry", side, self.size_coin, price, fee)
        self._solve()

    def tick(self, at_s: int, mark: float, walk: Walk) -> list[Fill]:
        """A second passes: the venue looks at the margin first, then stops trigger. What was filled."""
        before = len(self.fills)
        if self.open:
            self._look(at_s, mark)
            price = self.liquidation_price
            if self.doomed or (price is not None and self.sign * (mark - price) <= 0.0):
                self._force(at_s, walk)
        for stop in list(self.stops):
            if self.open and ((mark >= stop.price) if stop.above else (mark <= stop.price)):
                self._trigger(at_s, stop, walk)
        return self.fills[before:]

    def fund(self, rate: float, mark: float) -> float:
        """A settlement: longs pay shorts the rate (a fraction of notional at the mark). What it cost."""
        cost = self.sign * self.size_coin * mark * rate
        self.margin_usd -= cost
        self.funding_usd += cost
        if cost:
            self._solve()
        return cost

    def fund_hedge(self, rate: float, mark: float) -> None:
        """The same for the hedge."""
        cost = self.hedge_coin * mark * rate
        self.hedge_usd -= cost
        self.funding_usd += cost

    # -- what the trader does

    def reduce(self, at_s: int, coin: float, walk: Walk, cause: Cause = "order") -> Fill | None:
        """Close up to `coin` at what the book gives; None where it gives nothing or nothing is held."""
        wanted = min(coin, self.size_coin)
        if wanted <= _DUST:
            return None
        got, price = walk(-self.sign * wanted, None)
        if got <= _DUST:
            return None
        return self._closed(at_s, cause, got, price, self.terms.taker_fee)

    def add_margin(self, usd: float) -> None:
        """More margin behind the position."""
        self.margin_usd += usd
        self.added_usd += usd
        self._solve()

    def add_stop(self, price: float, coin: float, mark: float, name: str = "") -> Stop:
        """A stop on the side of the mark on which its price lies: a loss there, or a target."""
        stop = Stop(price, coin, price >= mark, name)
        self.stops.append(stop)
        return stop

    def trade_hedge(self, at_s: int, signed_coin: float, walk: Walk) -> Fill | None:
        """Buy or sell on the hedge's venue; its profit is realised as far as the hedge shrinks."""
        got, price = walk(signed_coin, None)
        if got <= _DUST:
            return None
        change, old = got if signed_coin > 0 else -got, self.hedge_coin
        fee = got * price * self.terms.taker_fee
        realised = 0.0
        if old * change < 0.0:
            shrunk = min(abs(old), got) * (1.0 if old > 0 else -1.0)
            realised = shrunk * (price - self.hedge_price)
        new = old + change
        if old * change >= 0.0:
            self.hedge_price = (old * self.hedge_price + change * price) / new
        elif old * new < 0.0:
            self.hedge_price = price
        self.hedge_coin = 0.0 if abs(new) <= _DUST else new
        self.hedge_usd += realised - fee
        self.fees_usd += fee
        side: Literal["buy", "sell"] = "buy" if change > 0 else "sell"
        fill = Fill(at_s=at_s, cause="order", side=side, coin=got, price=price, fee_usd=fee,
                    realised_usd=realised, hedge=True)  # fmt: skip
        self.fills.append(fill)
        return fill

    # -- inside

    def _look(self, at_s: int, mark: float) -> None:
        away = self.distance_percent(mark)
        if away is not None and (self.worst_percent is None or away < self.worst_percent):
            self.worst_percent, self.worst_s = max(away, 0.0), at_s

    def _trigger(self, at_s: int, stop: Stop, walk: Walk) -> None:
        """Close what the book gives; for what it does not, the stop stays."""
        fill = self.reduce(at_s, stop.coin, walk, "stop")
        left = stop.coin - (0.0 if fill is None else fill.coin)
        if self.open:  # else all stops are gone with the position
            at = self.stops.index(stop)
            self.stops[at : at + 1] = [replace(stop, coin=left)] if left > _DUST else []

    def _force(self, at_s: int, walk: Walk) -> None:
        """The venue closes all at what the book gives, no worse than bankruptcy; its fund takes the rest.

        The liquidation fee is charged as far as margin is left.
        """
        worst = bankruptcy(self._leg()).price
        size = self.size_coin
        got, mean = walk(-self.sign * size, worst)
        rest = size - got
        price = (
            (got * mean + rest * (mean if worst is None else worst)) / size
            if got or worst
            else mean
        )
        self._closed(at_s, "forced", size, price, 0.0)
        fee = min(max(self.margin_usd, 0.0), size * price * self.terms.liquidation_fee)
        self._paid(fee)
        self.margin_usd = max(self.margin_usd, 0.0)
        self.liquidated, self.forced_price = True, price
        self.worst_percent, self.worst_s = 0.0, at_s

    def _closed(self, at_s: int, cause: Cause, coin: float, price: float, rate: float) -> Fill:
        realised = self.sign * coin * (price - self.entry_price)
        self.margin_usd += realised
        fee = coin * price * rate
        self._paid(fee)
        self.size_coin -= coin
        side: Literal["buy", "sell"] = "sell" if self.side == "long" else "buy"
        fill = self._note(at_s, cause, side, coin, price, fee, realised)
        if not self.open:
            self.size_coin, self.stops, self.closed_s = 0.0, [], at_s
        self._solve()
        return fill

    def _note(
        self, at_s: int, cause: Cause, side: Literal["buy", "sell"], coin: float, price: float, fee: float,
        realised: float = 0.0,
    ) -> Fill:  # fmt: skip
        fill = Fill(
            at_s=at_s, cause=cause, side=side, coin=coin, price=price, fee_usd=fee, realised_usd=realised
        )  # fmt: skip
        self.fills.append(fill)
        return fill

    def _paid(self, fee: float) -> None:
        self.margin_usd -= fee
        self.fees_usd += fee

    def _leg(self) -> Leg:
        return Leg(
            form="linear", side=self.side, quantity=self.size_coin, entry=self.entry_price,
            collateral=self.margin_usd, fee=self.terms.rules.liquidation_fee,
        )  # fmt: skip

    def _solve(self) -> None:
        """Where the venue would step in, after anything changed."""
        if not self.open:
            self.liquidation_price, self.doomed = None, False
            return
        found = liquidation(self._leg(), self.terms.tiers)
        self.liquidation_price, self.doomed = found.price, found.end == "always"
