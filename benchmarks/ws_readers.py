"""Readers of the server's websocket in a process of their own: `python -m benchmarks.ws_readers PORT MESSAGES`."""

import asyncio
import json
import sys
import time

from websockets.asyncio.client import connect


async def _read(port: int, ticket: str, messages: int) -> list[float]:
    """How late each message came, s: `reference` holds when it was sent."""
    lags: list[float] = []
    origin = f"http://127.0.0.1:{port}"
    async with connect(f"ws://127.0.0.1:{port}/ws", origin=origin, compression=None) as socket:
        await socket.send(json.dumps({"op": "auth", "ticket": ticket}))
        await socket.send(json.dumps({"op": "subscribe", "topics": ["tape"]}))
        sequence = 0
        while sequence < messages:  # a slow one gets snapshots, and is not late by what it missed
            text = await socket.recv()
            heard = time.time_ns()
            said = json.loads(text)
            sequence = said["sequence"]
            if reference := said["data"].get("reference"):
                lags.append((heard - int(reference)) / 1e9)
    return lags


async def _main(port: int, messages: int) -> None:
    tickets = sys.stdin.read().split()
    found = await asyncio.gather(*[_read(port, ticket, messages) for ticket in tickets])
    sys.stdout.write(json.dumps([lag for each in found for lag in each]))


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2])))
