"""A venue's name into addresses, without holding anybody up, and only into public ones."""

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeAlias

_TIMEOUT_S = 5.0
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

LookUp: TypeAlias = Callable[[str], list[str]]
Resolve: TypeAlias = Callable[[str], Awaitable[str]]


class Unresolved(OSError):
    """The name leads nowhere, or nowhere one may go; says why."""


def system_look_up(host: str) -> list[str]:
    """The addresses of a host, in the order to try them; blocks for as long as the system's resolver does.

    Raises:
        OSError: the resolver's own.
    """
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Resolver:
    """Looks a name up in a thread of its own, anew each time: a venue may move.

    A resolver that hangs costs one thread a name, however often it is asked: later calls join the first.
    """

    def __init__(self, look_up: LookUp = system_look_up, timeout_s: float = _TIMEOUT_S) -> None:
        self._look_up, self._timeout_s = look_up, timeout_s
        self._running: dict[str, asyncio.Future[list[str]]] = {}

    async def __call__(self, host: str) -> str:
        """The first address of a host.

        Raises:
            Unresolved: no such name, no answer in time, or an answer that is no public address.
        """
        future = self._running.get(host)
        if future is None or future.get_loop() is not asyncio.get_running_loop():
            future = self._start(host)
        try:
            addresses = await asyncio.wait_for(asyncio.shield(future), self._timeout_s)
        except TimeoutError as error:
            raise Unresolved(f"{host}: no answer from DNS within {self._timeout_s:g} s") from error
        except OSError as error:
            raise Unresolved(f"{host}: DNS: {error.strerror or error}") from error
        if not addresses:
            raise Unresolved(f"{host}: DNS knows no address of it")
        for address in addresses:
            if not is_public(address):
                raise Unresolved(f"{host} leads to {address}, which is no public address")
        return addresses[0]

    def _start(self, host: str) -> "asyncio.Future[list[str]]":
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[str]] = loop.create_future()
        self._running[host] = future
        future.add_done_callback(lambda _: self._running.pop(host, None))
        future.add_done_callback(lambda done: done.cancelled() or done.exception())

        def settle(found: list[str] | OSError) -> None:
            if future.done():
                return
            if isinstance(found, OSError):
                future.set_exception(found)
            else:
                future.set_result(found)

        def work() -> None:
            try:
                found: list[str] | OSError = self._look_up(host)
            except (OSError, UnicodeError) as error:  # a label too long is a UnicodeError
                found = error if isinstance(error, OSError) else OSError(str(error))
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(settle, found)

        threading.Thread(target=work, name=f"airpocket-dns {host}", daemon=True).start()
        return future


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet, and holds no other inside it that is not.

    Raises:
        ValueError: no IP address.
    """
    found = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    inner = _carried(found) if isinstance(found, ipaddress.IPv6Address) else None
    if inner is not None:
        return is_public(str(inner))
    return found.is_global and not (found.is_multicast or found.is_reserved)


def _carried(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one leads to: mapped, 6to4, Teredo, or through NAT64."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    through = address.teredo
    return address.ipv4_mapped or address.sixtofour or (through[1] if through else None)
