"""Opening a websocket: one attempt, verified, without redirects or proxies, to a public address only."""

import asyncio
import ipaddress
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol, TypeAlias

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from airpocket.domain.errors import VenueRefused

_OPEN_S = 10.0
_PING_S = 20.0
_MOST_BYTES = 16 * 1024 * 1024  # of a frame, inflated
_BANNED_S = 60.0
_FOR_GOOD = (401, 403, 404, 451)


class LineClosed(Exception):
    """The other side, or the network, ended the connection; says how."""


class Refused(VenueRefused):
    """A venue can't be reached, or answered and said no.

    `wait_s`: how long it asked us to stay away; `for_good`: calling again is pointless or forbidden.
    """

    def __init__(self, reason: str, *, wait_s: float = 0.0, for_good: bool = False) -> None:
        super().__init__(reason)
        self.wait_s, self.for_good = wait_s, for_good


class Line(Protocol):
    """An open connection."""

    async def receive(self) -> str | bytes:
        """The next frame.

        Raises:
            LineClosed: there will be none.
        """
        ...

    async def send(self, text: str) -> None:
        """Say something.

        Raises:
            LineClosed: nobody listens.
        """
        ...

    async def close(self) -> None:
        """Hang up; never raises, and never waits long for the other side."""
        ...


Dial: TypeAlias = Callable[[str], Awaitable[Line]]


class _Connect(connect):
    """A venue that sends us elsewhere is refused: nobody reviewed that address."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


class Websocket:
    """A line over a websocket."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def receive(self) -> str | bytes:
        try:
            return await self._socket.recv()
        except ConnectionClosed as error:
            raise LineClosed(str(error)) from error

    async def send(self, text: str) -> None:
        try:
            await self._socket.send(text)
        except ConnectionClosed as error:
            raise LineClosed(str(error)) from error

    async def close(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._socket.close(), 2.0)


def through_gate(url: str, gate: str) -> str:
    """The same address through a gate of one's own: the venue's host becomes the first part of the path."""
    return f"{gate.rstrip('/')}/{url.split('://', maxsplit=1)[1]}" if gate else url


def websocket_dial(gate: str = "") -> Dial:
    """How websockets are opened. A venue's name that leads to a private address is refused.

    Args:
        gate: reach every venue through this address (ws://…), such as a simulated market on this machine.
    """

    async def dial(url: str) -> Line:
        try:
            socket = await _Connect(
                through_gate(url, gate), proxy=None, open_timeout=_OPEN_S, ping_interval=_PING_S,
                ping_timeout=_PING_S, max_size=_MOST_BYTES, max_queue=1_024,
            )  # fmt: skip
        except InvalidStatus as error:
            raise refusal(
                error.response.status_code, error.response.headers.get("Retry-After", "")
            ) from error
        except (OSError, InvalidHandshake, InvalidURI, TimeoutError, ssl.SSLError) as error:
            raise Refused(f"no connection: {error or type(error).__name__}") from error
        peer = str(socket.remote_address[0]).split("%", maxsplit=1)[0]
        if not gate and not ipaddress.ip_address(peer).is_global:
            await Websocket(socket).close()
            raise Refused(f"the name leads to {peer}, which is no public address", for_good=True)
        return Websocket(socket)

    return dial


def refusal(status: int, retry_after: str) -> Refused:
    """What an HTTP status other than success means for calling again."""
    wait_s = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else 0.0
    if status in (418, 429):
        return Refused(f"HTTP {status}: too many requests", wait_s=max(wait_s, _BANNED_S))
    if status in _FOR_GOOD:
        return Refused(f"HTTP {status}: refused from here", for_good=True)
    return Refused(f"HTTP {status}", wait_s=wait_s)
