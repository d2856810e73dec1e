"""`airpocket drill SCENARIO`: a squeeze to practise in, on paper, scored afterwards."""

import queue
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

if TYPE_CHECKING:
    from airpocket.domain.ports import Clock
    from airpocket.drill.market import LabMarket
    from airpocket.drill.orders import Order
    from airpocket.drill.play import Frame, Ticket
    from airpocket.lab.runs.worldfile import World

_OUTLOOK_S = 1_800


def drill(  # noqa: PLR0913 - one flag each
    scenario: str,
    *,
    side: Literal["long", "short"] = "short",
    size: float = 50.0,
    leverage: float = 10.0,
    positions: Path | None = None,
    venue: str = "",
    seed: int = 1,
    speed: float = 30.0,
    script: Path | None = None,
    from_h: float | None = None,
    for_: Annotated[str, Parameter(name="--for")] = "3h",
    every: int = 60,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Hold a paper position through a scenario of the lab, act on it, and see what your exits were worth.

    Type orders while it runs: reduce 25%, close, stop 3150, margin 5000, hedge long 10, quit. They are
    filled against the simulated book and change nothing in it. docs/lab.md explains the score.

    Args:
        scenario: Name of a bundled world, such as squeeze or long_flush, or a world file (TOML).
        side: Long or short.
        size: Coin.
        leverage: Notional over the margin put behind it, isolated.
        positions: Take the first position of this file instead, with its entry and margin.
        venue: Perpetual of the world to trade on. Default: its first.
        seed: Whole number that all chance comes from; the same seed is the same market.
        speed: Seconds of the market in one of yours; 0: as fast as possible, as with a script.
        script: Orders from a file, a line each: 12:30 reduce 50%.
        from_h: Hour of the world to begin at. Default: half an hour before its first turn.
        for_: How long, in the market's time: 90m, 3h.
        every: Seconds of the market between two lines on the screen.
        as_json: Print the scored drill as JSON, and nothing while it runs.
    """
    from airpocket.delivery.warmup import compiling
    from airpocket.domain.errors import BadInput
    from airpocket.domain.units import SECOND_NS, parse_interval
    from airpocket.drill import text
    from airpocket.drill.play import DrillSettings, play

    if not 0 <= seed < 2**63 or every < 1:
        raise BadInput("--seed must lie between 0 and 2^63 - 1, --every must be at least 1")
    try:
        for_s = parse_interval(for_) // SECOND_NS
    except ValueError as error:
        raise BadInput(f"--for {for_}: {error}") from error
    hands = _hands(script, speed)
    with compiling():
        from airpocket.drill.market import LabMarket
        from airpocket.drill.start import begin_h, ticket_for
        from airpocket.lab.runs.worldcheck import read_world, world_file

        world = read_world(world_file(scenario))
        held = None if positions is None else _from_file(positions, world)
        market = LabMarket(
            world,
            seed,
            venue if held is None else held[0],
            begin_h(world) if from_h is None else from_h,
        )
        ticket = ticket_for(market, side, size, leverage) if held is None else held[1]
    screen = _Screen(market, every, quiet=as_json)
    found = play(market, ticket, DrillSettings(for_s=for_s), hands, screen.show)
    if as_json:
        import msgspec

        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found)).decode() + "\n")
    else:
        screen.write(text.result(found))
    return 0


def _from_file(path: Path, world: "World") -> "tuple[str, Ticket]":
    """(venue of the world, what is held) from the first position of a file."""
    from airpocket.domain.errors import BadInput
    from airpocket.domain.instruments import instrument
    from airpocket.drill.play import Ticket
    from airpocket.ingest.accounts import read_positions

    held = read_positions(path).positions
    if not held:
        raise BadInput(f"{path}: it holds no position")
    first = held[0]
    named = [v.name for v in world.venue if first.venue in (v.name, v.rules) and v.kind == "linear"]
    if not named:
        raise BadInput(
            f"{path}, position 1: venue: no linear perpetual of '{first.venue}' in this world"
        )
    if instrument(first.venue, first.symbol).kind != "linear" or first.margin_mode == "portfolio":
        raise BadInput(f"{path}, position 1: the drill holds linear perpetuals, isolated or cross")
    margin = first.wallet_usd
    if margin is None:
        if first.leverage_x is None:
            raise BadInput(
                f"{path}, position 1, field 'wallet_usd': the drill needs the position's own"
            )
        margin = first.size_coin * first.entry_price / first.leverage_x
    cross = first.margin_mode == "cross"
    return named[0], Ticket(first.side, first.size_coin, margin, first.entry_price, cross)


def _hands(script: Path | None, speed: float) -> "_Script | _Keyboard":
    from airpocket.domain.errors import BadInput
    from airpocket.drill.orders import read_script
    from airpocket.ingest.world import SystemClock

    if not 0.0 <= speed <= 100_000.0:
        raise BadInput("--speed must lie between 0 and 100000")
    if script is not None:
        return _Script(read_script(script))
    return _Keyboard(SystemClock(), speed)


class _Script:
    """Orders of a file; no time passes on the wall."""

    def __init__(self, orders: "list[tuple[int, Order]]") -> None:
        self._waiting = list(orders)

    def orders(self, at_s: int) -> "list[Order]":
        ready = [order for time, order in self._waiting if time <= at_s]
        del self._waiting[: len(ready)]
        return ready


class _Keyboard:
    """Lines typed meanwhile; lets the wall's time pass at the pace asked for."""

    def __init__(self, clock: "Clock", speed: float) -> None:
        self._clock, self._speed = clock, speed
        self._begun: int | None = None
        self._typed: queue.Queue[str] = queue.Queue()

    def orders(self, at_s: int) -> "list[Order]":
        from airpocket.domain.errors import BadInput
        from airpocket.drill.orders import parse

        found: list[Order] = []
        for text in self._lines(at_s):
            try:
                found.append(parse(text))
            except BadInput as error:
                sys.stderr.write(f"{error}\n")
        return found

    def _lines(self, at_s: int) -> Iterable[str]:
        """Those typed until the wall comes to this second of the market."""
        now = self._clock.monotonic()
        if self._begun is None:
            threading.Thread(target=self._read, name="drill-keys", daemon=True).start()
            self._begun = now - round(1e9 / self._speed) * at_s if self._speed else now
        due = self._begun + round(at_s / self._speed * 1e9) if self._speed else now
        while True:
            left_s = (due - self._clock.monotonic()) / 1e9
            try:
                line = self._typed.get(timeout=left_s) if left_s > 0 else self._typed.get_nowait()
            except queue.Empty:
                return
            if line.strip():
                yield line

    def _read(self) -> None:
        for line in sys.stdin:
            self._typed.put(line)


class _Screen:
    """A line every so often, what was done at once, the outlook now and then and when the plan changes."""

    def __init__(self, market: "LabMarket", every: int, *, quiet: bool) -> None:
        self._market, self._every, self._quiet = market, every, quiet
        self._opened = False
        self._fires: tuple[str, ...] = ()

    def show(self, frame: "Frame") -> None:
        """One second."""
        from airpocket.drill import text

        if self._quiet:
            return
        if not self._opened:
            self._opened = True
            self.write(text.opening(self._market.label, frame.account, frame.second.mark))
        self.write(f"         > {said}" for said in frame.said)
        first = frame.at_s == 1
        if first or frame.at_s % self._every == 0:
            self.write([text.line(frame)])
        fires = text.fires(frame)
        if first or (frame.looked and (fires != self._fires or frame.at_s % _OUTLOOK_S == 0)):
            self._fires = fires
            self.write(text.outlook(frame))

    def write(self, lines: Iterable[str]) -> None:
        """Lines on stdout."""
        from airpocket.delivery.cli.printing import printable

        for each in lines:
            sys.stdout.write(printable(each) + "\n")
        sys.stdout.flush()
