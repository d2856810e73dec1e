"""A recording from start to end: log, feeds, state and the store's facts, started and stopped together."""

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from airpocket.domain.channels import ChannelName
from airpocket.domain.errors import BadInput, NothingKnown
from airpocket.domain.ports import Clock
from airpocket.domain.units import SECOND_NS
from airpocket.domain.wire import LiveEvent
from airpocket.ingest.ask import Asker
from airpocket.ingest.connection import World
from airpocket.ingest.dial import websocket_dial
from airpocket.ingest.feed import Feed
from airpocket.ingest.log.settings import LogSettings
from airpocket.ingest.log.writer import LogWriter
from airpocket.ingest.world import asleep_ns
from airpocket.live import health_file
from airpocket.live.drift import News, remembered
from airpocket.live.feeds import decoders, sized_decoders
from airpocket.live.health_file import Health
from airpocket.live.keeper import FactKeeper
from airpocket.live.recorder import Recorder, RecorderSettings
from airpocket.market.live.reference import Change
from airpocket.market.live.state import LiveState

RAW = "raw"  # folder of the log within a store


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """`gate`: an address to reach every venue through (host:port, without scheme), '' for none.

    `flush_s`: how often closed minutes enter the store. `for_s`: stop after so long, None: when told.
    """

    gate: str = ""
    flush_s: float = 60.0
    health_s: float = 5.0
    for_s: float | None = None
    log: LogSettings = field(default_factory=LogSettings)
    recorder: RecorderSettings = field(default_factory=RecorderSettings)


class States:
    """The live states of several assets behind one door."""

    def __init__(self, assets: tuple[str, ...], feeds: Mapping[str, Feed] | None = None) -> None:
        """Args: feeds: only what they promise makes a market. None: anything of the assets does."""
        asked = None
        if feeds is not None:
            asked = {(feed.venue, c.symbol) for feed in feeds.values() for c in feed.channels}
        self.by_asset = {asset: LiveState(asset, asked) for asset in assets}

    def apply(self, event: LiveEvent, connection: str) -> None:
        """Hand an event to the asset it concerns; a single asset gets all and sorts them itself."""
        for state in self.by_asset.values():
            state.apply(event, connection)

    def ended(self, venue: str, connection: str) -> None:
        """A connection is over."""
        for state in self.by_asset.values():
            state.ended(venue, connection)

    def refused(
        self, venue: str, connection: str, channel: ChannelName | None, frame: bytes
    ) -> None:
        """A frame of a connection was not understood."""
        for state in self.by_asset.values():
            state.refused(venue, connection, channel, frame)

    def faults(self, now: int) -> dict[tuple[str, str, str], str]:
        """(venue, symbol, channel) → why it can't be trusted."""
        return {
            key: why for state in self.by_asset.values() for key, why in state.faults(now).items()
        }

    def delisted(self) -> list[tuple[str, str]]:
        """Contracts that their venue no longer lists."""
        return [key for state in self.by_asset.values() for key in state.delisted()]

    def auditable(self) -> list[tuple[str, str]]:
        """Live books."""
        return [key for state in self.by_asset.values() for key in state.auditable()]

    def changed(self, change: Change) -> None:
        """A listing changed; every asset is told and keeps what is its own."""
        for state in self.by_asset.values():
            state.changed(change)

    def suspicions(self, now: int) -> dict[tuple[str, str, str], str]:
        """(venue, symbol, channel) → why the markets contradict it."""
        found: dict[tuple[str, str, str], str] = {}
        for state in self.by_asset.values():
            found.update(state.suspicions(now))
        return found

    def notes(self) -> list[str]:
        """What concerns more than one market."""
        return [note for state in self.by_asset.values() for note in state.notes()]

    def wanting(self) -> list[tuple[str, str]]:
        """Books that need a snapshot."""
        return [key for state in self.by_asset.values() for key in state.wanting()]

    def position(self, venue: str, symbol: str) -> int:
        """How far a book has come: the time (ns) of its last change; 0 where there is none."""
        for state in self.by_asset.values():
            if (market := state.markets.get((venue, symbol))) is not None:
                return market.book.ts
        return 0


class Session:
    """One recording. `run` returns after `for_s`, when `stop` is called, or when every venue refused."""

    def __init__(
        self,
        store: Path,
        assets: tuple[str, ...],
        feeds: Mapping[str, Feed],
        clock: Clock,
        settings: SessionSettings | None = None,
    ) -> None:
        """
        Raises:
            BadInput: no asset, or the gate is no host:port.
        """
        self.settings = settings or SessionSettings()
        if not assets:
            raise BadInput("name an asset to record, such as ETH")
        if "://" in self.settings.gate:
            raise BadInput(f"--through {self.settings.gate}: a host and a port, without a scheme")
        self._store, self._feeds, self._clock = store, feeds, clock
        self.states = States(assets, feeds)
        self.keeper = FactKeeper(store)
        self.recorder: Recorder | None = None
        self.rows_kept = 0
        self.alarms: tuple[str, ...] = ()  # as they stood when the recording ended
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """End the recording in good order."""
        self._stop.set()

    async def run(self, each_second: Callable[["Session"], None] | None = None) -> None:
        """Record.

        Raises:
            StoreBusy: another process records into this store.
            LogFailed, StoreError: the disk failed.
        """
        s = self.settings
        gate = s.gate
        budgets = {name: feed.weight_per_minute for name, feed in self._feeds.items()}
        asker = Asker(budgets, self._clock, gate=f"http://{gate}" if gate else "")
        dial = websocket_dial(f"ws://{gate}" if gate else "")
        world = World(self._clock, dial, asker, asleep=asleep_ns)
        with LogWriter(self._store / RAW, self._clock, s.log) as log:
            settings = replace(s.recorder, assets=tuple(self.states.by_asset))
            self.recorder = Recorder(
                self._feeds, decoders(), log, self.states, world, settings, sized=sized_decoders()
            )
            self.recorder.intake.drift = remembered(self._store)
            recording = asyncio.create_task(self.recorder.run())
            try:
                await self._until_stopped(recording, each_second)
                self.alarms = self.recorder.alarms()
            finally:
                recording.cancel()
                ended = await asyncio.gather(recording, return_exceptions=True)
                await self._flush()
                health_file.write(self._store, self.health())
                await asker.close()
            if isinstance(ended[0], Exception):
                raise _root(ended[0])

    def health(self) -> Health:
        """The channels now.

        Raises:
            NothingKnown: the session is not running.
        """
        recorder = self.recorder
        if recorder is None:
            raise NothingKnown("nothing is being recorded")
        refused = {f"{venue}: {why}": n for (venue, why), n in recorder.intake.refused.items()}
        return Health(
            asof=self._clock.now(), pid=os.getpid(), assets=tuple(self.states.by_asset),
            records=recorder.intake.records, channels=recorder.status(), refused=refused, news=self.news(),
            clocks=recorder.clocks.skews(), alarms=recorder.alarms(),
            worst_held_up_s=round(recorder.watch.worst_late_s, 3),
            notes=(*(why for _, why in recorder.pulse.incidents), *self.states.notes()),
        )  # fmt: skip

    def news(self) -> tuple[News, ...]:
        """What is new in the venues' messages."""
        if self.recorder is None:
            return ()
        intake = self.recorder.intake
        return intake.drift.news(intake.refusals.unknown, self._clock.now())

    def tidings(self) -> list[str]:
        """Of that, what is to be told now: nothing twice, and at most once a day."""
        if self.recorder is None:
            return []
        return self.recorder.intake.drift.untold(self.news(), self._clock.now())

    async def _until_stopped(
        self,
        recording: "asyncio.Task[None]",
        each_second: Callable[["Session"], None] | None,
    ) -> None:
        started = flushed = told = self._clock.monotonic()
        stop = asyncio.create_task(self._stop.wait())
        try:
            while not (recording.done() or stop.done()):
                await asyncio.wait(
                    {recording, stop}, timeout=1.0, return_when=asyncio.FIRST_COMPLETED
                )
                now = self._clock.monotonic()
                if now - flushed >= self.settings.flush_s * SECOND_NS:
                    flushed = now
                    await self._flush()
                if now - told >= self.settings.health_s * SECOND_NS:
                    told = now
                    health_file.write(self._store, self.health())
                if self.recorder is not None:
                    self.keeper.note(self.recorder.status(), self._clock.now())
                if each_second is not None:
                    each_second(self)
                limit = self.settings.for_s
                if limit is not None and now - started >= limit * SECOND_NS:
                    return
        finally:
            stop.cancel()
            await asyncio.gather(stop, return_exceptions=True)

    async def _flush(self) -> None:
        for state in self.states.by_asset.values():
            self.keeper.add(state.facts)
            state.facts.clear()
        if self.recorder is not None:
            self.keeper.note(self.recorder.status(), self._clock.now())
            self.recorder.intake.drift.save(self._store)
        tables = self.keeper.take()
        report = await asyncio.to_thread(self.keeper.write, tables)
        if report is not None:
            self.rows_kept += report.rows_new


def _root(error: Exception) -> Exception:
    """The first plain error inside a group."""
    if not isinstance(error, ExceptionGroup):
        return error
    group = cast("ExceptionGroup[Exception]", error)
    return _root(group.exceptions[0])
