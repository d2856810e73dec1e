"""The promises that hold whatever happens, looked at every few seconds of a simulated run."""

import asyncio
import hashlib
import math
import re
from collections import defaultdict

from airpocket.domain.channels import MARKET_PACED
from airpocket.domain.units import MINUTE_NS, SECOND_NS
from airpocket.ingest.log import reader
from airpocket.ingest.log.records import Record
from airpocket.ingest.log.segment import LogDamage
from airpocket.live.feeds import decoders, sized_decoders
from airpocket.live.intake import Intake
from airpocket.live.recorder import pulse_of
from airpocket.live.session import States
from tests.faults.market import SHOWN
from tests.faults.venue import RESTED_S

EVERY_S = 10.0
BOOK_AGE_S = 60.0  # a live book must look as the true one did within so long
SLACK_S = 2.0 + EVERY_S  # a tick of the recorder, and ours
RESTING_S = 3_600.0  # the longest that a market's own silence may pass for rest
WELL_AGAIN_S = 1_200.0  # after the last fault: an ill route is called anew once in 900 s
_TASKS, _LINES_A_ROUTE, _WAITING, _FACTS = 120, 3, 20_000, 5_000
_FIGURES = re.compile(r"[\d,.]+")
_ALIKE = 48  # letters in which two broken promises are the same, figures aside
_TOLD = 20  # violations kept of one run


class Checks:
    """Looks at a bench. `found`: what was broken, in words."""

    def __init__(self, bench) -> None:
        self._bench = bench
        self.found: list[str] = []
        self.recovered_s = 0.0
        self.looked = self.minutes = self.books = 0
        self._well = True  # since the last storm everything was live again
        self._seen_broken: set[str] = set()
        self.told: dict[tuple[str, int], tuple[float, float]] = {}  # venue, minute → dollars, live
        self.told_again: dict[tuple[str, int], tuple[float, float]] = {}
        self._ill: defaultdict[str, set[int]] = defaultdict(
            set
        )  # minutes in which its trades were not live

    def violated(self, what: str) -> None:
        """A promise is broken; each kind is told once."""
        kind = _FIGURES.sub("", what)[:_ALIKE]
        if kind not in self._seen_broken and len(self.found) < _TOLD:
            self._seen_broken.add(kind)
            bench = self._bench
            recent = ", ".join(f"{name} at {at:,.0f}" for at, name in bench.trouble.told[-4:])
            self.found.append(f"at {bench.loop.time():,.0f} s: {what} (last faults: {recent})")

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            session = self._bench.session
            if session is not None and session.recorder is not None:
                self._look(session)
            self._bounds(session)

    def watch_facts(self, session) -> None:
        """Every row that the session keeps is looked at first."""
        add = session.keeper.add

        def looked_at(batches) -> None:
            given = list(batches)
            for batch in given:
                if batch.kind == "tape_1m":
                    self._tape(batch, self.told, "live")
            add(given)

        session.keeper.add = looked_at

    # -- what is told must be true

    def _look(self, session) -> None:
        self.looked += 1
        bench = self._bench
        statuses = session.recorder.status()
        for status in statuses:
            if status.state == "live":
                self._alive(status, bench)
            elif status.channel == "trades":
                self._ill[status.venue].add(bench.doors[status.venue].now() // MINUTE_NS)
        for (venue, _), market in session.states.by_asset["ETH"].markets.items():
            if venue in bench.doors:
                self._book(bench.doors[venue], market)
        self._recovered(session, statuses)

    def _alive(self, status, bench) -> None:
        """No channel is live beyond the bound of its watchdog."""
        door, now = bench.doors[status.venue], bench.loop.time()
        feed = bench.feeds[status.venue]
        declared = next(
            c for c in feed.channels if (c.symbol, c.name) == (status.symbol, status.channel)
        )
        if declared.silence_s is None:
            route = next((s.channels for s in feed.sockets if declared in s.channels), (declared,))
            told = [(c.symbol, c.name) for c in route if c.silence_s is not None]
            bound = max((c.silence_s or 0.0) for c in route) if told else math.inf
            if any(c.name in MARKET_PACED for c in route):
                bound = RESTING_S
        else:
            told = [(status.symbol, status.channel)]
            bound = RESTING_S if status.channel in MARKET_PACED else declared.silence_s
        reached = max((door.reached.get(key, -math.inf) for key in told), default=now)
        if now - reached > max(bound, 10.0) + SLACK_S:
            self.violated(
                f"health of {status.venue} {status.channel}: live, and nothing came for"
                f" {now - reached:,.0f} s (bound {bound:g} s)"
            )

    def _book(self, door, market) -> None:
        """A trusted book is uncrossed and looks as the true one did a moment ago."""
        levels = market.book.levels
        if levels is None:
            return
        best = levels.touch()
        if best is not None and best.bid >= best.ask:
            self.violated(f"book of {door.market.venue}: trusted and crossed, {best}")
        key, now = (door.market.symbol, "book"), self._bench.loop.time()
        if now - door.reached.get(key, -math.inf) > RESTED_S:
            return  # it may rest: what it shows was true then
        if now - door.resumed.get(key, -math.inf) < SLACK_S:
            return  # what came after a rest must be durable and applied before it shows
        if door.now() - door.market.truth.books[0][0] < BOOK_AGE_S * SECOND_NS:
            return  # the machine slept: the true books of then are forgotten
        made = door.market
        shown = tuple(
            tuple((made.ticks_of(p), made.lots_of(s, p)) for p, s in side.top(SHOWN))
            for side in (levels.bids, levels.asks)
        )
        self.books += 1
        if not made.was(shown, made.truth.books[-1][0] - round(BOOK_AGE_S * SECOND_NS)):
            self.violated(
                f"book of {made.venue}: trusted, and never looked like this within {BOOK_AGE_S:g} s:"
                f" {shown}, truly {made.truth.books[-1][1]}"
            )

    def replayed(self, batches) -> None:
        """Rows that a replay of the log gives: as true as those told live."""
        for batch in batches:
            if batch.kind == "tape_1m":
                self._tape(batch, self.told_again, "replayed")

    def same_twice(self) -> None:
        """Every minute that was told live, and reached the store, a replay tells with the same figures."""
        for key, figures in self.told.items():
            if self.told_again.get(key) != figures:
                self.violated(
                    f"replay of {key}: live {figures}, replayed {self.told_again.get(key)}"
                )

    def _tape(self, batch, told_by: dict[tuple[str, int], tuple[float, float]], how: str) -> None:
        """A minute that is told as whole has every trade once, and none that was not."""
        door = self._bench.doors.get(batch.venue)
        if door is None or batch.symbol != door.market.symbol:
            self.violated(f"facts of a stranger: {batch.venue} {batch.symbol}")
            return
        for ts, buy, sell in zip(
            batch.ints("ts"), batch.columns["buy_usd"], batch.columns["sell_usd"], strict=True
        ):
            minute = int(ts) // MINUTE_NS
            told_by[batch.venue, minute] = (float(buy), float(sell))
            if minute in door.market.truth.withheld and minute not in self._ill[batch.venue]:
                continue  # until a channel's silence is beyond what is normal nothing tells of it
            truth = door.market.truth.minutes.get(minute)
            true = (truth.buy_usd, truth.sell_usd) if truth else (0.0, 0.0)
            self.minutes += 1
            for told, real in zip((float(buy), float(sell)), true, strict=True):
                if not math.isnan(told) and not math.isclose(
                    told, real, rel_tol=1e-6, abs_tol=1e-3
                ):
                    self.violated(
                        f"tape of {batch.venue}, {how}: minute {minute} is told whole with"
                        f" {told:,.2f} USD on a side, truly {real:,.2f}"
                    )

    # -- what is ill must become well, and nothing may grow

    def _recovered(self, session, statuses) -> None:
        bench = self._bench
        now, trouble = bench.loop.time(), bench.trouble
        if trouble.running:
            self._well = False
            return
        since = now - max(trouble.ended, bench.begun)
        ill = [s for s in statuses if s.state != "live" and not s.channel.startswith("option")]
        books = [
            f"{key}: {m.book.reason}"
            for key, m in session.states.by_asset["ETH"].markets.items()
            if m.book.state != "live"
        ]
        if not ill and not books:
            if not self._well:
                self._well = True
                self.recovered_s = max(self.recovered_s, since)
            return
        if since > WELL_AGAIN_S:
            told = [f"{s.venue} {s.channel} {s.state} {s.reason}" for s in ill] + books
            self.violated(f"not well again after {since:,.0f} s of calm: {'; '.join(told)[:600]}")

    def _bounds(self, session) -> None:
        """Nothing grows without end."""
        bench = self._bench
        tasks = len(asyncio.all_tasks())
        if tasks > _TASKS:
            self.violated(f"tasks: {tasks} at once")
        for venue, door in bench.doors.items():
            most = _LINES_A_ROUTE * len(bench.feeds[venue].sockets)
            if len(door.lines) > most:
                self.violated(f"lines: {len(door.lines)} open at {venue}, {most} are enough")
            self._calls(venue, door)
        if session is None or session.recorder is None or bench.machine.log is None:
            return
        waiting = len(session.recorder._waiting)
        if waiting > _WAITING:
            self.violated(f"memory: {waiting} records wait to be applied")
        if bench.machine.log._held > bench.machine.log._settings.queue_bytes:
            self.violated("memory: the log holds more than its queue may")
        facts = sum(len(state.facts) for state in session.states.by_asset.values())
        if facts > _FACTS:
            self.violated(f"memory: {facts} batches wait for the store")

    def _calls(self, venue: str, door) -> None:
        """Nobody is called more often than a venue allows."""
        calls, now = list(door.calls), self._bench.loop.time()
        if len([at for at in calls if at > now - 300.0]) > 300:
            self.violated(f"calls: more than 300 in five minutes at {venue}")
        for first, fourth in zip(calls[-20:], calls[-20:][3:], strict=False):
            if fourth - first < 1.0 and first >= self._bench.begun:
                self.violated(f"calls: more than three in a second at {venue}")
        if door.weights.bans:
            self.violated(f"calls: {venue} barred us for asking too often")
        if door.asked_while_banned:
            self.violated(f"calls: {venue} was asked while it had barred us")


def check_log(bench) -> str:
    """The log after the last life: in order, with all that was acknowledged; replayed as it was live. Its digest.

    A record that was torn before it was acknowledged may stand there as damage; its number is counted.
    """
    checks, digest = bench.checks, hashlib.blake2b(digest_size=8)
    states = States(("ETH",), bench.feeds)
    pulse = pulse_of(bench.feeds.values())
    intake = Intake(decoders(), states, pulse, sized=sized_decoders())
    held: list[tuple[int, bytes]] = []
    counts: dict[tuple[str, str], int] = {}
    last = 0
    for each in reader.read(bench.machine.folder / "raw"):
        if isinstance(each, LogDamage):
            last += each.lost or 0
            continue
        assert isinstance(each, Record)
        if each.sequence != last + 1:
            checks.violated(f"log: after record {last} comes {each.sequence}")
        last = each.sequence
        held.append((each.sequence, each.body))
        if each.kind != "marker":  # a marker may name the process
            digest.update(each.body)
        intake.take(each)
        checks.replayed(states.by_asset["ETH"].facts)
        states.by_asset["ETH"].facts.clear()
        key, count = (each.venue, each.connection), each.connection_sequence
        if count and count != counts.get(key, 0) + 1:
            checks.violated(f"log: of {key} record {count} follows {counts.get(key, 0)}")
        counts[key] = count
    checks.same_twice()
    bench.outcome.frames = len(held)
    lost = bench.machine.lost(held)
    if lost:
        checks.violated(f"log: {len(lost)} acknowledged records are lost, the first is {lost[0]}")
    return digest.hexdigest()
