"""Until when each venue wants to be left alone: obeyed by this process and, kept in the store, by the next."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec import Struct

from airpocket.domain.errors import StoreDamaged
from airpocket.domain.ports import Clock
from airpocket.domain.units import SECOND_NS
from airpocket.ingest import disk

NAME = "bans.json"
_LONGEST_S = 24 * 3_600.0  # no venue is obeyed for longer: the file's clock, or ours, was wrong


class Ban(Struct, frozen=True):
    """When it ends: ns of the wall clock, and of the steady one since the boot of that name."""

    until: int
    steady: int
    boot: str


_DECODER = msgspec.json.Decoder(dict[str, Ban])


@dataclass(frozen=True, slots=True)
class BanFile:
    """The bans of a store, in one small file that is replaced at once."""

    path: Path

    def read(self) -> dict[str, Ban]:
        """By venue; none where none was ever written.

        Raises:
            StoreDamaged: the file is not one of ours.
        """
        try:
            return _DECODER.decode(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError) as error:
            raise StoreDamaged(
                f"{self.path}: {error}; delete it, and venues are asked without regard to earlier bans"
            ) from error

    def write(self, bans: dict[str, Ban]) -> None:
        """Durable on return.

        Raises:
            OSError: the disk would not take it.
        """
        disk.put(self.path, msgspec.json.encode(bans))
        disk.sync_folder(self.path.parent)


class Bans:
    """Owns the bans of one process. `trouble`: why the last could not be kept for the next one, '' if it was."""

    def __init__(self, clock: Clock, file: BanFile | None = None) -> None:
        """
        Args:
            file: where bans outlast the process; None: nowhere.

        Raises:
            StoreDamaged: the file is not one of ours.
        """
        self._clock, self._file = clock, file
        self.trouble = ""
        self._boot = disk.boot_id()
        known = {} if file is None else file.read()
        self._until = {venue: self._resumed(ban) for venue, ban in known.items()}

    def wait_s(self, venue: str) -> float:
        """How long it still wants to be left alone, s; 0 or less: it does not."""
        now = self._clock.monotonic()
        return (self._until.get(venue, now) - now) / SECOND_NS

    def bar(self, venue: str, wait_s: float) -> None:
        """It said so: for `wait_s` from now. A shorter ban does not end a longer one."""
        until = self._clock.monotonic() + int(wait_s * SECOND_NS)
        self._until[venue] = max(until, self._until.get(venue, 0))
        if self._file is None:
            return
        try:
            self._file.write(self._kept())
        except OSError as error:  # obeyed all the same while this process lives
            self.trouble = f"{self._file.path}: cannot be written: {error.strerror}"
        else:
            self.trouble = ""

    def _kept(self) -> dict[str, Ban]:
        steady, wall = self._clock.monotonic(), self._clock.now()
        return {
            venue: Ban(wall + until - steady, until, self._boot)
            for venue, until in sorted(self._until.items())
            if until > steady
        }

    def _resumed(self, ban: Ban) -> int:
        """Its end by our steady clock. Within one boot that clock tells; else the wall clock, if it was not set."""
        now = self._clock.monotonic()
        same = bool(ban.boot) and ban.boot == self._boot
        left = ban.steady - now if same else ban.until - self._clock.now()
        return now + min(max(left, 0), int(_LONGEST_S * SECOND_NS))
