"""Sealing beside a recording: closed segments of the raw log become archive, one at a time, in a thread."""

import asyncio
from pathlib import Path

from airpocket.domain.errors import StoreBusy, StoreError
from airpocket.ingest.log.seal import seal


class Sealer:
    """Owns the beat of sealing; what goes wrong here never ends the recording, and loses nothing.

    `trouble`: why the last try failed, '' when it did not.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.trouble = ""
        self.sealed = 0

    async def run(self, every_s: float) -> None:
        """Seal until cancelled: at once while segments wait, else each `every_s`."""
        while True:
            more = await asyncio.to_thread(self.beat)
            if not more:
                await asyncio.sleep(every_s)

    def beat(self) -> bool:
        """Seal the oldest closed segment; whether there was one."""
        try:
            done = seal(self._folder, most=1)
        except StoreBusy:  # `airpocket store seal` is at it
            return False
        except StoreError as error:
            self.trouble = str(error)
            return False
        self.trouble = ""
        self.sealed += len(done.sealed)
        return bool(done.sealed)
