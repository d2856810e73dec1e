"""Where messages may go: every connection made while one is brought is checked by the address it is made to.

The check sits in the interpreter's own audit events (PEP 578), below apprise, requests and smtplib. So it sees the
address after the name was looked up: another answer of DNS, a redirect or a number spelt oddly gets no further.
"""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any

from airpocket.domain.errors import BadInput
from airpocket.ingest.resolve import LookUp, is_public

_EVENTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})


class NotPublic(OSError):
    """A connection to this machine or a private network was refused."""


@dataclass
class Passage:
    """What may be connected to: public addresses, and with `private` any. refused: why the last was not, or ''."""

    private: bool
    refused: str = ""


_PASSAGE: ContextVar[Passage | None] = ContextVar("passage", default=None)


@contextmanager
def passage(*, private: bool) -> Generator[Passage]:
    """Check all connections of this task, and of threads that it hands its context to, until the end."""
    _listen()
    found = Passage(private)
    before = _PASSAGE.set(found)
    try:
        yield found
    finally:
        _PASSAGE.reset(before)


def check_host(name: str, host: str, look_up: LookUp) -> None:
    """Refuse a host that leads to this machine or a private network; one that DNS can't tell is judged later.

    Raises:
        BadInput: names the service `name`; never its address, which is a secret.
    """
    try:
        found = look_up(host.strip("[]"))
    except (OSError, UnicodeError):
        return
    for address in found:
        if not is_public(address):
            raise BadInput(
                f"{name}: its address leads into this machine or a private network; "
                "write private = true beside it if that is meant"
            )


@cache
def _listen() -> None:
    sys.addaudithook(_heed)


def _heed(event: str, given: tuple[Any, ...]) -> None:
    if event not in _EVENTS:
        return
    found = _PASSAGE.get()
    if found is None or found.private:
        return
    address = given[-1]
    if address is None:  # to where the socket is connected already
        return
    if not (isinstance(address, tuple) and _is_open(address[0])):  # pyright: ignore[reportUnknownArgumentType]
        found.refused = "its address leads into this machine or a private network"
        raise NotPublic(found.refused)


def _is_open(host: object) -> bool:
    try:
        return isinstance(host, str) and is_public(host)
    except ValueError:
        return False  # a name that nobody has looked up yet
