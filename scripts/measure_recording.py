"""What the recorded minutes of 2024-08-08 say: who leads, how depth refills, what trades move; with intervals.

    python scripts/measure_recording.py ../shared/wire/hftbacktest

Reads Binance's spot and USD-M ETHUSDT frames as hftbacktest recorded them. Only exchange times are used: the
recording host's clock ran 1.27 s behind. Intervals are 90 % by a bootstrap over blocks or cases.
"""

import gzip
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from airpocket.domain.units import SECOND_NS, Side
from airpocket.domain.wire import BookChange, LiveEvent, Quote, Trade
from airpocket.ingest.venues.registry import VENUES
from airpocket.market.books.book import Book
from airpocket.market.books.flow import Flow, FlowSettings
from airpocket.market.books.measures import depth_within
from airpocket.market.books.refill import Refill
from airpocket.market.live.lead import LAGS_MS, together
from airpocket.market.live.lead import Path as TradePath
from airpocket.signals.leading import LeadingSettings, lead_of

FILES = {
    "binance_usdm": "usdm/ethusdt_20240808.gz",
    "binance_spot": "spot/ethusdt_20240808.gz",
}
SIDES: tuple[tuple[Side, str], ...] = (("buy", "asks"), ("sell", "bids"))
Case = TypeVar("Case")
BLOCK_S = 30
DRAWS = 2_000


def heard(folder: Path, venue: str) -> Iterator[LiveEvent]:
    """Every event of one recording in its order, as if heard at the exchange's own time, never going back."""
    address, latest = "https://x/depth?symbol=ETHUSDT", 0
    with gzip.open(folder / FILES[venue], "rb") as file:
        for line in file:
            stamp, _, frame = line.strip().partition(b" ")
            for event in VENUES[venue].decode(frame, int(stamp), address):
                snapshot = isinstance(event, BookChange) and event.snapshot
                untimed = snapshot or (venue == "binance_spot" and isinstance(event, Quote))
                latest = max(latest, latest if untimed else event.ts)
                yield msgspec.structs.replace(event, usable_from=latest or event.ts)


def interval(cases: list[Case], of: Callable[[list[Case]], float]) -> str:
    """A figure of cases and its interval."""
    rng = np.random.default_rng(1)
    values = [of([cases[i] for i in rng.integers(0, len(cases), len(cases))]) for _ in range(DRAWS)]
    low, high = np.quantile(values, (0.05, 0.95))
    return f"{of(cases):,.3g} ({low:,.3g} to {high:,.3g}, {len(cases)} cases)"


def lead(events: dict[str, list[LiveEvent]]) -> str:
    """Who moves first."""
    paths: dict[str, TradePath] = {}
    for venue, told in events.items():
        paths[venue] = TradePath()
        for event in told:
            if isinstance(event, Trade):
                paths[venue].trade(event)
    spot, perp = paths["binance_spot"], paths["binance_usdm"]
    ends = [path.within(0, 2**62)[0] for path in (spot, perp)]
    start, end = max(int(t[0]) for t in ends), min(int(t[-1]) for t in ends)
    curves: list[np.ndarray[tuple[int], np.dtype[np.float64]]] = []
    step = BLOCK_S * SECOND_NS
    for at in range(start, end - step + 1, step):
        block = together(spot, perp, at, at + step)
        if block is not None:
            curves.append(block.covariance / np.sqrt(block.variance * block.variance_against))
    found = lead_of(np.array(curves), LAGS_MS.astype(np.float64), LeadingSettings())
    return (
        f"{found.state}: spot ahead by {found.lag_ms:g} ms ({found.low_ms:g} to {found.high_ms:g}), "
        f"correlation {found.correlation:.2f}, {found.blocks} blocks of {BLOCK_S} s"
    )


def books(venue: str, events: list[LiveEvent]) -> Iterator[str]:
    """Reload against retreat, cancellations at the touch, refill as the live recorder counts it, and κ."""
    book, flow, refill = Book(venue, "ETHUSDT"), Flow(FlowSettings(window_ns=10**15)), Refill()
    depth: dict[Side, list[tuple[int, float]]] = {"buy": [], "sell": []}
    for event in events:
        if isinstance(event, Trade):
            flow.trade(event)
            refill.trade(event)
        elif isinstance(event, BookChange):
            book.apply(event)
            if book.levels is None:
                continue
            at = event.usable_from
            flow.changed(book.levels, at)
            refill.changed(book.levels, at)
            for side, _ in SIDES:
                percent = 0.1 if side == "buy" else -0.1
                band = depth_within(book.levels, percent)
                if band is not None and band.usd > 0.0:
                    depth[side].append((at, float(np.log(band.usd))))
    figures = flow.figures(events[-1].usable_from)
    for side, name in SIDES:
        seen, told = figures.returns[side], refill.figures()[side]
        cases = [1.0] * seen.reloads + [0.0] * seen.retreats
        back = interval(cases, lambda c: float(np.mean(c)))
        yield f"{name}: best prices taken that were back within 1 s: {back}"
        yield f"{name}: left the touch uneaten: {figures.queue[side].cancelled_share or float('nan'):.2f} of coin"
        yield f"{name}: shocks of a fifth of the depth, made by trades: {told.cases}"
        yield from resilience(name, side, depth[side], events)


def resilience(
    name: str, side: Side, depth: list[tuple[int, float]], events: list[LiveEvent]
) -> Iterator[str]:
    """β of ln D(t + lag) − ln D̄ on the same at t, after seconds of large trades and after all other seconds.

    D: dollars within 0.1 % of the mid; D̄: its mean of the minute before. κ = −ln β / lag.
    """
    times, values = np.array([at for at, _ in depth]), np.array([value for _, value in depth])
    first, last = int(times[0]) + 60 * SECOND_NS, int(times[-1]) - 10 * SECOND_NS
    grid = np.arange(first, last, SECOND_NS)
    taken = np.zeros(len(grid))
    for event in events:
        if isinstance(event, Trade) and event.taker_side == side:
            slot = int((event.ts - first) // SECOND_NS) + 1  # known at the end of its second
            if 0 <= slot < len(grid):
                taken[slot] += event.notional_usd or 0.0
    usual = np.array(
        [values[(times >= at - 60 * SECOND_NS) & (times < at - SECOND_NS)].mean() for at in grid]
    )
    large = taken >= np.quantile(taken, 0.95)
    for lag in (1, 5):
        now = values[np.searchsorted(times, grid, side="right") - 1] - usual
        later = values[np.searchsorted(times, grid + lag * SECOND_NS, side="right") - 1] - usual
        for which, what in ((large, "large trades"), (~large, "all other seconds")):
            pairs = list(zip(now[which].tolist(), later[which].tolist(), strict=True))
            yield f"{name}: depth, β over {lag} s after {what}: {interval(pairs, slope)}"


def slope(pairs: list[tuple[float, float]]) -> float:
    """Least squares through the origin."""
    x, y = np.array(pairs).T
    return float((x @ y) / (x @ x))


def impact(events: list[LiveEvent]) -> Iterator[str]:
    """Kyle's λ: move of the last price, bp, on signed taker dollars of the same bar, and by sign of the flow."""
    trades = [event for event in events if isinstance(event, Trade)]
    for seconds in (1, 10):
        bars: dict[int, tuple[float, float]] = {}
        for trade in trades:
            flow, _ = bars.get(trade.ts // (seconds * SECOND_NS), (0.0, 0.0))
            signed = (trade.notional_usd or 0.0) * (1 if trade.taker_side == "buy" else -1)
            bars[trade.ts // (seconds * SECOND_NS)] = (
                flow + signed / 1e6,
                float(np.log(trade.price)),
            )
        keys = sorted(bars)
        pairs = [
            (bars[now][0], 1e4 * (bars[now][1] - bars[before][1]))
            for before, now in pairwise(keys)
            if now == before + 1
        ]
        for which, name in ((0, "all"), (1, "net buying"), (-1, "net selling")):
            chosen = [pair for pair in pairs if not which or pair[0] * which > 0.0]
            yield f"{seconds} s bars, {name}: bp per million dollars {interval(chosen, slope)}"


def main() -> None:
    """Print what each recording says."""
    folder = Path(sys.argv[1])
    events = {venue: list(heard(folder, venue)) for venue in FILES}
    print(lead(events))
    for venue, told in events.items():
        print(venue)
        for line in (*books(venue, told), *impact(told)):
            print(f"  {line}")


if __name__ == "__main__":
    main()
