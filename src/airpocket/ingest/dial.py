"""Opening a websocket: one attempt, verified, without redirects or proxies, to a public address only."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any, Protocol, TypeAlias
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from airpocket.domain.errors import VenueRefused
from airpocket.ingest.resolve import Resolve, Resolver

_OPEN_S = 10.0
_MOST_BYTES = 4 * 1024 * 1024  # of a frame, inflated; the largest known, a whole book, is far below
_BANNED_S = 60.0
_LONGEST_WAIT_S = 24 * 3_600.0
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

    async def ping(self) -> Awaitable[object]:
        """Ask for a sign of life; done when it came.

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

    async def ping(self) -> Awaitable[object]:
        try:
            pong = await self._socket.ping()
        except ConnectionClosed as error:
            raise LineClosed(str(error)) from error
        task = asyncio.ensure_future(pong)
        # a connection that ends leaves its pings unanswered: the reader tells why
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    async def close(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._socket.close(), 2.0)
        self._socket.transport.abort()  # a dead peer answers no good-bye: the socket would stay open


def through_gate(url: str, gate: str) -> str:
    """The same address through a gate of one's own: the venue's host becomes the first part of the path."""
    return f"{gate.rstrip('/')}/{url.split('://', maxsplit=1)[1]}" if gate else url


def websocket_dial(
    gate: str = "", *, resolve: Resolve | None = None, tls: ssl.SSLContext | None = None
) -> Dial:
    """How websockets are opened. A venue's name that leads to a private address is refused.

    Pings are not this layer's: a library's own timer blames the venue when this process was held up.

    Args:
        gate: reach every venue through this address (ws://…), such as a simulated market on this machine.
        resolve: names into addresses; only where there is no gate.
        tls: whom to trust, by default whom the system does. Certificates are always verified.
    """
    resolve = resolve or Resolver()

    async def dial(url: str) -> Line:
        address = through_gate(url, gate)
        options: dict[str, Any] = {}
        try:
            if not gate:
                options["host"] = await resolve(urlsplit(url).hostname or "")
            if tls is not None and address.startswith("wss:"):
                options["ssl"] = tls
            socket = await _Connect(
                address, proxy=None, open_timeout=_OPEN_S, ping_interval=None, max_size=_MOST_BYTES,
                max_queue=1_024, **options,
            )  # fmt: skip
        except InvalidStatus as error:
            raise refusal(error.response.status_code, error.response.headers) from error
        except (OSError, InvalidHandshake, InvalidURI, TimeoutError, ssl.SSLError) as error:
            raise Refused(f"no connection: {error or type(error).__name__}") from error
        return Websocket(socket)

    return dial


def refusal(status: int, headers: Mapping[str, str]) -> Refused:
    """What an HTTP status other than success means for calling again."""
    wait_s = _asked_s(headers.get("Retry-After", ""), headers.get("Date", ""))
    if status in (418, 429):
        return Refused(f"HTTP {status}: too many requests", wait_s=max(wait_s, _BANNED_S))
    if status in _FOR_GOOD:
        return Refused(f"HTTP {status}: refused from here", for_good=True)
    return Refused(f"HTTP {status}", wait_s=wait_s)


def _asked_s(retry_after: str, date: str) -> float:
    """How long a Retry-After asks one to stay away: seconds, or a date (RFC 9110 §10.2.3); 0 for neither.

    A date is counted from the answer's own: our clock may be off.
    """
    if retry_after.isascii() and retry_after.isdigit():
        return min(float(retry_after[:9]), _LONGEST_WAIT_S)
    try:
        until, said = parsedate_to_datetime(retry_after), parsedate_to_datetime(date)
        wait_s = (until - said).total_seconds()
    except (ValueError, TypeError):  # no date, or only one of them names its zone
        return 0.0
    return min(max(wait_s, 0.0), _LONGEST_WAIT_S)
