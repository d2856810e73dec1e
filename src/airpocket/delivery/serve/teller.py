"""The live state as tape messages: what has changed since the message before."""

from collections.abc import Iterable

from airpocket.delivery.serve.models import ForcedPrint, RunningBar, Tape, TapePrice
from airpocket.domain.units import SECOND_NS, format_time
from airpocket.domain.wire import Liquidation, LiveEvent
from airpocket.market.live.market import LiveMarket
from airpocket.market.live.minute import Minute
from airpocket.market.live.state import LiveState

# whose minute is shown as the running bar: the deepest perpetual that is heard
_ORDER = (
    "binance_usdm", "bybit_linear", "okx", "hyperliquid", "binance_spot", "coinbase", "kraken_spot",
)  # fmt: skip


class Teller:
    """Owns what clients have been told of one asset's markets."""

    def __init__(self, state: LiveState) -> None:
        self._state = state
        self._forced: list[ForcedPrint] = []
        self._prices: dict[str, TapePrice] = {}
        self._bar: RunningBar | None = None
        self._flow: dict[
            str, tuple[int, float]
        ] = {}  # contract → minute (ns), net coin of it counted so far
        self._cvd: dict[str, float] = {}

    def take(self, events: Iterable[LiveEvent]) -> None:
        """Events that the state has taken; forced closes told twice count once."""
        for event in events:
            if isinstance(event, Liquidation):
                market = self._state.markets.get((event.venue, event.symbol))
                if market is not None and market.forced and market.forced[-1] is event:
                    self._forced.append(_print(event, market))

    def tell(self, at: int, speed: float) -> Tape | None:
        """What is new at a moment of the market (ns); None: nothing."""
        prices = {key: found for key, found in self._all_prices() if self._prices.get(key) != found}
        self._prices.update(prices)
        reference = self._reference()
        closed, bar = self._bars(reference)
        cvd = self._flows()
        forced, self._forced = self._forced, []
        if not (prices or closed or forced or cvd) and bar == self._bar:
            return None
        self._bar = bar
        return Tape(
            at=format_time(at), reference="" if reference is None else reference.contract.key,
            prices=list(prices.values()), bar=bar, closed=closed, forced=forced, cvd=cvd, speed=speed,
        )  # fmt: skip

    def _all_prices(self) -> Iterable[tuple[str, TapePrice]]:
        for market in self._state.markets.values():
            key, tick, quote = market.contract.key, market.tick, market.quote
            best = market.book.levels.touch() if market.book.levels is not None else None
            bid = best.bid if best is not None else quote.bid if quote is not None else None
            ask = best.ask if best is not None else quote.ask if quote is not None else None
            yield key, TapePrice(
                contract=key, last=_value(tick, "last"), mark=_value(tick, "mark"), index=_value(tick, "index"),
                bid=bid, ask=ask, at=format_time(tick["last"][0]) if "last" in tick else None,
            )  # fmt: skip

    def _reference(self) -> LiveMarket | None:
        traded = [m for m in self._state.markets.values() if m.tape.running.prints or m.tape.last]
        return min(traded, key=_rank, default=None)

    def _bars(self, reference: LiveMarket | None) -> tuple[list[RunningBar], RunningBar | None]:
        """Minutes that closed since the last message, and the one that runs."""
        if reference is None:
            return [], None
        tape, key = reference.tape, reference.contract.key
        bar = _bar(key, tape.running)
        turned = self._bar is not None and tape.running.start // SECOND_NS != self._bar.open_s
        last = _bar(key, tape.last) if tape.last is not None else None
        if bar is None and not turned:
            bar = self._bar
        return ([last] if turned and last is not None else []), bar

    def _flows(self) -> dict[str, float]:
        """Contracts whose taker flow grew, with their sums so far."""
        changed: dict[str, float] = {}
        for market in self._state.markets.values():
            key, tape = market.contract.key, market.tape
            minute, counted = self._flow.get(key, (tape.running.start, 0.0))
            added = 0.0
            if minute != tape.running.start:
                if tape.last is not None and tape.last.start == minute and tape.last.sized:
                    added += tape.last.buy - tape.last.sell - counted
                counted = 0.0
            net = tape.running.buy - tape.running.sell if tape.running.sized else counted
            added += net - counted
            self._flow[key] = (tape.running.start, net)
            if added:
                changed[key] = self._cvd[key] = round(self._cvd.get(key, 0.0) + added, 9)
        return changed


def _rank(market: LiveMarket) -> tuple[int, str]:
    venue = market.contract.venue
    return (_ORDER.index(venue) if venue in _ORDER else len(_ORDER), market.contract.key)


def _value(tick: dict[str, tuple[int, int, float]], name: str) -> float | None:
    return tick[name][2] if name in tick else None


def _bar(key: str, minute: Minute) -> RunningBar | None:
    """None: nothing traded in it, or sizes are not known."""
    if not minute.prints or not minute.sized:
        return None
    return RunningBar(
        contract=key, open_s=minute.start // SECOND_NS, open=minute.open, high=minute.high, low=minute.low,
        close=minute.close, volume=round(minute.buy + minute.sell, 9), taker_buy=round(minute.buy, 9),
    )  # fmt: skip


def _print(event: Liquidation, market: LiveMarket) -> ForcedPrint:
    return ForcedPrint(
        time_s=event.ts / SECOND_NS, contract=market.contract.key, side=event.forced_side,
        price=event.price, usd=event.notional_usd, sample=event.coverage != "all",
    )  # fmt: skip
