"""A recording from start to end: log, feeds, state and the store's facts, started and stopped together."""

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from airpocket.domain.channels import ChannelName
from airpocket.domain.errors import BadInput, NothingKnown, StoreError
from airpocket.domain.ports import Clock
from airpocket.domain.units import SECOND_NS
from airpocket.domain.wire import LiveEvent
from airpocket.ingest import bans
from airpocket.ingest.ask import Asker
from airpocket.ingest.connection import World
from airpocket.ingest.dial import websocket_dial
from airpocket.ingest.feed import Feed
from airpocket.ingest.log import sealed
from airpocket.ingest.log.settings import LogSettings
from airpocket.ingest.log.writer import LogWriter
from airpocket.ingest.origin import claim, origin_of
from airpocket.ingest.space import room_at
from airpocket.ingest.world import asleep_ns
from airpocket.live import health_file
from airpocket.live.drift import News, remembered
from airpocket.live.feeds import decoders, sized_decoders
from airpocket.live.health_file import Health
from airpocket.live.keeper import FactKeeper
from airpocket.live.recorder import Recorder, RecorderSettings
from airpocket.live.sealing import Sealer
from airpocket.market.live.reference import Change
from airpocket.market.live.state import LiveState

RAW = "raw"  # folder of the log within a store
_LAST_TRIES_S = (0.0, 1.0, 3.0)  # waits before each try to store what is left at the end


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """`gate`: an address to reach every venue through (host:port, without scheme), '' for none.

    `flush_s`: how often closed minutes enter the store. `seal_s`: how often closed segments of the log are
    looked for, to be sealed. `for_s`: stop after so long, None: when told.
    """

    gate: str = ""
    flush_s: float = 60.0
    health_s: float = 5.0
    seal_s: float = 60.0
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

    def restarted(self) -> None:
        """A recording begins."""
        for state in self.by_asset.values():
            state.restarted()

    def ended(self, venue: str, connection: str) -> None:
        """A connection is over."""
        for state in self.by_asset.values():
            state.ended(venue, connection)

    def refused(
        self, venue: str, connection: str, channel: ChannelName | None, frame: bytes, at: int
    ) -> None:
        """A frame of a connection was not understood."""
        for state in self.by_asset.values():
            state.refused(venue, connection, channel, frame, at)

    def unheard(self, venue: str, symbol: str, channel: ChannelName, at: int) -> None:
        """The trades or the book of a contract have stopped coming."""
        for state in self.by_asset.values():
            state.unheard(venue, symbol, channel, at)

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
        self.sealer = Sealer(store / RAW)
        self.recorder: Recorder | None = None
        self._log: LogWriter | None = None
        self._bans: bans.Bans | None = None
        self._unsaid = ""  # why the channels' health could not be written
        self._unended = ""  # why the states left by the recording before could not be ended
        self.rows_kept = 0
        self.simulated = ""  # the label of the market heard, where it is invented
        self.alarms: tuple[str, ...] = ()  # as they stood when the recording ended
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """End the recording in good order."""
        self._stop.set()

    async def run(self, each_second: Callable[["Session"], None] | None = None) -> None:
        """Record.

        Raises:
            StoreBusy: another process records into this store.
            StoreDamaged: a file beside the log is not one of ours.
            StoreConflict: it holds real data and what comes through the gate is simulated, or the reverse.
            LogFailed, StoreError: the disk failed.
        """
        s = self.settings
        gate = s.gate
        label = await origin_of(gate)
        claim(self._store, self._store / RAW, label)
        self.simulated = self.keeper.simulated = label
        budgets = {name: feed.weight_per_minute for name, feed in self._feeds.items()}
        kept = bans.BanFile(self._store / bans.NAME)
        self._bans = bans.Bans(self._clock, kept)
        asker = Asker(budgets, self._clock, gate=f"http://{gate}" if gate else "", bans=self._bans)
        dial = websocket_dial(f"ws://{gate}" if gate else "")
        world = World(self._clock, dial, asker, asleep=asleep_ns)
        try:
            with LogWriter(self._store / RAW, self._clock, s.log) as log:
                await self._record(log, world, each_second)
        finally:
            await asker.close()
        if self.keeper.waiting:
            raise StoreError(
                f"{self.keeper.trouble}; the raw frames are safe in {self._store / RAW}"
            )

    async def _record(
        self, log: LogWriter, world: World, each_second: Callable[["Session"], None] | None
    ) -> None:
        settings = replace(
            self.settings.recorder, assets=tuple(self.states.by_asset), simulated=self.simulated
        )
        self._log = log
        self.recorder = Recorder(
            self._feeds, decoders(), log, self.states, world, settings, sized=sized_decoders()
        )
        self.recorder.intake.drift = remembered(self._store)
        # beside the recording: nothing that the store holds may delay what is heard
        ending = asyncio.create_task(self._end_what_was_open(log, self._clock.now()))
        recording = asyncio.create_task(self.recorder.run())
        sealing = asyncio.create_task(self.sealer.run(self.settings.seal_s))
        try:
            await self._until_stopped(recording, each_second)
            self.alarms = self.health().alarms
        finally:
            recording.cancel()
            sealing.cancel()
            ended = await asyncio.gather(recording, sealing, ending, return_exceptions=True)
            # nothing of this raises for a store that takes nothing: it must not hide why we end
            await self._flush_the_last()
            self._tell_health()
        for error in ended:
            if isinstance(error, Exception):
                raise _root(error)

    async def _end_what_was_open(self, log: LogWriter, now: int) -> None:
        """The store's last word on each channel is from before: since then nobody listened."""
        try:
            entries = await asyncio.to_thread(sealed.load, log.folder)
            at = max(log.repaired.last_heard, *(e.heard_last for e in entries.values()), 0)
            why = "the recording broke off" if log.broken_off else "the recording ended"
            if at:
                self.keeper.add(await asyncio.to_thread(self.keeper.ended_states, at, now, why))
        except StoreError as error:
            self._unended = f"store: {error}"

    def health(self) -> Health:
        """The channels now.

        Raises:
            NothingKnown: the session is not running.
        """
        recorder, log = self.recorder, self._log
        if recorder is None or log is None:
            raise NothingKnown("nothing is being recorded")
        refused = {f"{venue}: {why}": n for (venue, why), n in recorder.intake.refused.items()}
        return Health(
            asof=self._clock.now(), pid=os.getpid(), assets=tuple(self.states.by_asset),
            records=recorder.intake.records, channels=recorder.status(), refused=refused, news=self.news(),
            reserve_used=log.state.reserve_used, clocks=recorder.clocks.skews(),
            alarms=(*self._storage_alarms(log), *recorder.alarms()),
            worst_held_up_s=round(recorder.watch.worst_late_s, 3),
            simulated=self.simulated, notes=(*(why for _, why in recorder.pulse.incidents), *self.states.notes()),
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

    @property
    def bans_unkept(self) -> str:
        """Why the next recording may not know who wants to be left alone; '' while it will."""
        return "" if self._bans is None else self._bans.trouble

    def _storage_alarms(self, log: LogWriter) -> tuple[str, ...]:
        found = [
            self.keeper.trouble, self.sealer.trouble, self._unsaid, self._unended, self.bans_unkept,
        ]  # fmt: skip
        if log.state.reserve_used:
            found.append("raw log: the reserve is used up; free space now, or the recording stops")
        try:
            found += room_at(self._store).notes()
        except OSError as error:
            found.append(f"{self._store}: cannot be reached: {error.strerror}")
        return tuple(each for each in found if each)

    def _tell_health(self) -> None:
        try:
            health_file.write(self._store, self.health())
        except StoreError as error:  # a full disk: the log has a reserve, this has none
            self._unsaid = str(error)
        else:
            self._unsaid = ""

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
                    self._tell_health()
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
            self._save_drift(self.recorder)
        self.rows_kept += await asyncio.to_thread(self.keeper.write, self.keeper.take())

    def _save_drift(self, recorder: Recorder) -> None:
        try:
            recorder.intake.drift.save(self._store)
        except StoreError as error:  # it is written again with the next flush
            self._unsaid = str(error)

    async def _flush_the_last(self) -> None:
        for wait_s in _LAST_TRIES_S:
            await asyncio.sleep(wait_s)
            await self._flush()
            if not self.keeper.waiting:
                return


def _root(error: Exception) -> Exception:
    """The first plain error inside a group."""
    if not isinstance(error, ExceptionGroup):
        return error
    group = cast("ExceptionGroup[Exception]", error)
    return _root(group.exceptions[0])
