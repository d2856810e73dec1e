"""What every route needs at hand: board, hub, keys, switchboard; and the health made of them."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import msgspec

from airpocket import __version__
from airpocket.delivery.alerts import watch_file
from airpocket.delivery.serve.board import Board
from airpocket.delivery.serve.hub import Hub
from airpocket.delivery.serve.keys import Keys
from airpocket.delivery.serve.models import Mode, ProcessState, ServerHealth, WatchState
from airpocket.delivery.serve.switchboard import Switchboard
from airpocket.domain.ports import Clock
from airpocket.domain.units import SECOND_NS, format_time, parse_time

PROCESSES = "processes.json"  # what the supervisor says, in the folder of a running server
_SILENT_S = 15.0
_OLD_S = 300.0  # of an edition, by the market's time
_WATCH_LATE_S = 60.0
_DECODER = msgspec.json.Decoder(list[ProcessState])


@dataclass(frozen=True, slots=True)
class Desk:
    """One server's things."""

    asset: str
    mode: Mode
    folder: Path
    keys: Keys
    board: Board
    hub: Hub
    switchboard: Switchboard
    clock: Clock
    most_clients: int = 20
    store: Path | None = None

    def welcome(self) -> dict[str, object]:
        """What a new client is told."""
        return {"asset": self.asset, "mode": self.mode, "simulated": bool(self.board.heard.label)}

    async def move_replay(self, body: bytes) -> bool:
        """Move it, and wait a moment for the player to say where it stands then; False: there is none."""
        number = 0 if self.board.heard.replay is None else await self.switchboard.control(body)
        for _ in range(100 if number else 0):
            if self.board.heard.heeded >= number:
                break
            await asyncio.sleep(0.02)
        return number > 0

    def health(self) -> ServerHealth:
        """Everything at once, and whether to trust it."""
        board, now = self.board, self.clock.now()
        heard = board.heard
        processes = self._processes()
        age_s = self._age_s(now)
        watch = self._watch(now)
        return ServerHealth(
            version=__version__, asset=self.asset, mode=self.mode, simulated=bool(heard.label), label=heard.label,
            epoch=self.hub.epoch, now=format_time(now), as_of=format_time(board.as_of) if board.as_of else None,
            age_s=age_s, stale=self._stale(processes, age_s), processes=processes, replay=heard.replay,
            documents=dict(board.states()), feeds=heard.feeds, channels=board.doubts.channels,
            missing=board.doubts.missing, alarms=[*heard.alarms, *_watch_alarms(watch)], watch=watch,
            clients=len(self.hub.clients),
        )  # fmt: skip

    def metrics(self) -> bytes | None:
        """Prometheus text; None where its library is not installed."""
        try:
            from airpocket.delivery.serve.metrics import text
        except ImportError:
            return None
        return text(self.health())

    def _watch(self, now: int) -> WatchState | None:
        told = None if self.store is None else watch_file.read(self.store)
        if told is None:
            return None
        age_s = max((now - told.at) / SECOND_NS, 0.0)
        silent = age_s > 3.0 * told.every_s + _WATCH_LATE_S
        return WatchState(
            state="silent" if silent else "watching", age_s=round(age_s, 1), waiting=told.waiting,
            trouble=told.trouble,
        )  # fmt: skip

    def _age_s(self, now: int) -> float | None:
        """Of the edition, by the clock that counts: the replay's own, or the wall's."""
        if not self.board.as_of:
            return None
        replay = self.board.heard.replay
        present = int(parse_time(replay.at)) if replay is not None else now
        return max((present - self.board.as_of) / SECOND_NS, 0.0)

    def _stale(self, processes: list[ProcessState], age_s: float | None) -> str | None:
        if not self.board.as_of:
            return "no edition of the analysis is there yet"
        ill = [
            f"{each.name} {each.state}"
            for each in processes
            if each.state not in ("running", "ended")
        ]
        if ill:
            return "; ".join(ill)
        if self.mode in ("live", "replay") and age_s is not None and age_s > _OLD_S:
            return f"the newest edition is {age_s:,.0f} s old"
        return None

    def _processes(self) -> list[ProcessState]:
        try:
            told = _DECODER.decode((self.folder / PROCESSES).read_bytes())
        except (OSError, msgspec.MsgspecError):
            return []  # the supervisor has not written it yet
        return [self._heard(each) for each in told]

    def _heard(self, process: ProcessState) -> ProcessState:
        if process.name not in ("engine", "player") or process.state != "running":
            return process
        silent_s = self.switchboard.silent_s(process.name)
        if silent_s is None:
            return msgspec.structs.replace(
                process, state="starting", reason="it has not called yet"
            )
        ill = silent_s > _SILENT_S
        return msgspec.structs.replace(
            process, age_s=round(silent_s, 3), state="silent" if ill else "running",
            reason=f"nothing heard for {silent_s:,.0f} s" if ill else "",
        )  # fmt: skip


def _watch_alarms(watch: WatchState | None) -> list[str]:
    if watch is None:
        return []
    if watch.state == "silent":
        return [
            f"airpocket watch has said nothing for {watch.age_s:,.0f} s: no alert reaches anybody"
        ]
    return [f"airpocket watch: {watch.trouble}"] if watch.trouble else []
