"""How a process of the server works until it is asked to stop."""

import asyncio
from collections.abc import Coroutine


async def until_stopped(work: Coroutine[None, None, None], stop: asyncio.Event) -> None:
    """Run `work` until it ends or `stop` is set; what it raised is raised again."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    working.cancel()
    for error in await asyncio.gather(working, return_exceptions=True):
        if isinstance(error, Exception):
            raise error
