"""A faulty network: a TCP proxy on loopback that delays, slices, throttles, swallows, corrupts and cuts."""

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field


@dataclass
class Faults:
    """What happens to bytes on their way from the server; may be changed while they flow.

    flows: nothing passes, either way, while it is not set. cut_after: reset once so many bytes have passed.
    end_after: close in good order instead (a half frame).
    """

    latency_s: float = 0.0
    slice_bytes: int = 65_536
    bytes_per_s: float = 0.0
    corrupt_at: int | None = None
    cut_after: int | None = None
    end_after: int | None = None
    flows: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self):
        self.flows.set()


class TcpProxy:
    """Listens on loopback and forwards to a port, through `faults`."""

    def __init__(self, port, faults=None):
        self._to, self.faults = port, faults or Faults()
        self.accepted = 0
        self._tasks = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()
        self.faults.flows.set()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def gate(self):
        return f"127.0.0.1:{self.port}"

    async def _serve(self, reader, writer):
        self.accepted += 1
        self._tasks.add(asyncio.current_task())
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._to)
            up = asyncio.create_task(self._forward(reader, up_writer))
            try:
                await self._backward(up_reader, writer)
            finally:
                up.cancel()
                await asyncio.gather(up, return_exceptions=True)
                await _hang_up(up_writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            await _hang_up(writer)
            self._tasks.discard(asyncio.current_task())

    async def _forward(self, reader, writer):
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                await self.faults.flows.wait()
                writer.write(data)
                await writer.drain()

    async def _backward(self, reader, writer):
        passed = 0
        while data := await reader.read(65_536):
            f = self.faults
            await f.flows.wait()
            if f.latency_s:
                await asyncio.sleep(f.latency_s)
            if f.corrupt_at is not None and passed <= f.corrupt_at < passed + len(data):
                at = f.corrupt_at - passed
                data = data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]
            limit = f.cut_after if f.cut_after is not None else f.end_after
            if limit is not None and passed + len(data) >= limit:
                writer.write(data[: max(limit - passed, 0)])
                await writer.drain()
                if f.cut_after is not None:  # linger 0: a reset, not a good-bye
                    writer.get_extra_info("socket").setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                    )
                    writer.transport.abort()
                return
            passed += len(data)
            for at in range(0, len(data), f.slice_bytes):
                part = data[at : at + f.slice_bytes]
                writer.write(part)
                await writer.drain()
                if f.bytes_per_s:
                    await asyncio.sleep(len(part) / f.bytes_per_s)
                elif f.slice_bytes < 65_536:
                    await asyncio.sleep(0)


async def _hang_up(writer):
    """What cannot be sent any more must not keep the socket open."""
    writer.close()
    with suppress(ConnectionError, TimeoutError):
        await asyncio.wait_for(writer.wait_closed(), 0.2)
    writer.transport.abort()
