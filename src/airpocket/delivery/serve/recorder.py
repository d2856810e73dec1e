"""The recorder process: a live recording into the store, ended in good order when told to."""

import asyncio
from pathlib import Path

from airpocket.delivery.serve.job import Job
from airpocket.ingest.world import SystemClock
from airpocket.live.feeds import feeds_of
from airpocket.live.session import Session, SessionSettings
from airpocket.live.warm import warm_up


async def run(job: Job, stop: asyncio.Event) -> None:
    """Record until told to stop.

    Raises:
        StoreBusy: another process records into this store.
        StoreError: the disk failed.
    """
    warm_up()
    assets = (job.asset,)
    settings = SessionSettings(gate=job.gate)
    session = Session(Path(job.store), assets, feeds_of(assets), SystemClock(), settings)
    recording = asyncio.create_task(session.run())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({recording, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    session.stop()
    await recording
