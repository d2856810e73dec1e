"""The one way out: a session that speaks only to the venue's own hosts, and takes only what it expects."""

import importlib
import io
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

import msgspec

from airpocket.domain.errors import UndecodableFrame, VenueRefused
from airpocket.domain.ports import Clock

BODY_CAP = 32 * 1024 * 1024  # bytes of one answer
PIECE = 256 * 1024  # bytes of a file read at once
TIMEOUT_S = 30
_NOT_FROM_HERE = (403, 451)
_RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18})", re.ASCII)


def resolve_host(host: str) -> list[str]:
    """The addresses behind a host name. Raises OSError where it can't be resolved."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)]


@dataclass(frozen=True, slots=True)
class World:
    """What the edge takes from outside: time, chance, sleep, name resolution and, in tests, a transport."""

    clock: Clock
    chance: Callable[[], float]
    sleep: Callable[[float], None] = time.sleep
    resolve: Callable[[str], Sequence[str]] = resolve_host
    adapter: Any = None


class _Answer(Protocol):
    """What we use of a `requests.Response`."""

    status_code: int
    headers: Mapping[str, str]
    raw: Any


class GuardedSession:
    """The one way out: https, the venue's own hosts at public addresses, no redirects, no proxies, JSON only.

    Stands where ccxt expects a `requests.Session`. Remembers the status and headers of the last answer.
    """

    def __init__(self, venue: str, hosts: frozenset[str], world: World) -> None:
        requests = importlib.import_module("requests")
        self._session: Any = requests.Session()
        self._session.trust_env = False
        self._broken: type[Exception] = importlib.import_module("urllib3.exceptions").HTTPError
        if world.adapter is not None:
            self._session.mount("https://", world.adapter)
        self._venue, self._hosts, self._resolve = venue, hosts, world.resolve
        self._checked: set[str] = set()
        self.headers: Mapping[str, str] = {}
        self.cookies = self._session.cookies
        self.requests = 0
        self.status = 0
        self.answer_headers: Mapping[str, str] = {}

    def request(self, method: str, url: str, **options: object) -> _Answer:
        """One request. Raises VenueRefused or UndecodableFrame before ccxt sees the answer."""
        self._check(url)
        self.requests += 1
        self.status, self.answer_headers = 0, {}
        options |= {"allow_redirects": False, "stream": True, "verify": True, "proxies": None}
        response = self._session.request(method, url, **options)
        self.status, self.answer_headers = int(response.status_code), response.headers
        try:
            self._judge_status()
            body = self._read(response)
        finally:
            response.raw.close()
        response.raw = io.BytesIO(body)
        if self.status == 200:
            self._judge_body(body)
        return response

    def fetch(
        self, url: str, have: int, take: Callable[[int, int | None, Iterator[bytes]], None]
    ) -> int:
        """A file in pieces; returns the status. With 200 or 206 `take` is called before the socket closes.

        Args:
            have: bytes that are here already: the venue is asked for the rest.
            take: is given the first byte's position, the size of the whole file where the venue says it, and
                the pieces.

        Raises:
            VenueRefused: another host, a redirect, or a venue that does not serve this place.
            OSError: the connection failed.
        """
        self._check(url)
        self.requests += 1
        self.status, self.answer_headers = 0, {}
        headers = {
            "Accept-Encoding": "identity"
        }  # the bytes as they lie there: a range is of those
        if have:
            headers["Range"] = f"bytes={have}-"
        response = self._session.request(
            "GET", url, headers=headers, stream=True, allow_redirects=False, verify=True, proxies=None,
            timeout=TIMEOUT_S,
        )  # fmt: skip
        self.status, self.answer_headers = int(response.status_code), response.headers
        try:
            self._judge_status()
            if self.status in (200, 206):
                first, whole = _range_of(self.answer_headers, partial=self.status == 206)
                take(first, whole, self._pieces(response))
        finally:
            response.raw.close()
            response.close()
        return self.status

    def _pieces(self, response: _Answer) -> Iterator[bytes]:
        try:
            while piece := cast("bytes", response.raw.read(PIECE, decode_content=False)):
                yield piece
        except self._broken as error:
            raise ConnectionError(
                f"{self._venue}: the file broke off: {one_line(error)}"
            ) from error

    def _read(self, response: _Answer) -> bytes:
        try:
            body = cast("bytes", response.raw.read(BODY_CAP + 1, decode_content=True))
        except (
            self._broken
        ) as error:  # not an OSError in urllib3, but a broken connection all the same
            raise ConnectionError(
                f"{self._venue}: the answer broke off: {one_line(error)}"
            ) from error
        if len(body) > BODY_CAP:
            raise UndecodableFrame(f"{self._venue}: an answer larger than {BODY_CAP} bytes")
        return body

    def close(self) -> None:
        """Give the sockets back."""
        self._session.close()

    def _check(self, url: str) -> None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme != "https" or host not in self._hosts or parts.port not in (None, 443):
            raise VenueRefused(
                f"{self._venue}: refused to speak to {parts.scheme}://{parts.netloc}"
            )
        if host in self._checked:
            return
        private = [found for found in self._resolve(host) if not ip_address(found).is_global]
        if private:
            raise VenueRefused(
                f"{self._venue}: {host} resolves to {private[0]}, which is no public address"
            )
        self._checked.add(host)

    def _judge_status(self) -> None:
        if self.status in _NOT_FROM_HERE:
            raise VenueRefused(
                f"{self._venue} answers {self.status}: it is not reachable from this place "
                "(a region or an address it does not serve); another venue may be"
            )
        if 300 <= self.status < 400:
            raise VenueRefused(f"{self._venue} answers {self.status}: redirects are not followed")

    def _judge_body(self, body: bytes) -> None:
        try:
            msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError) as error:
            raise UndecodableFrame(
                f"{self._venue}: an answer that is not JSON ({error})"
            ) from error


def _range_of(headers: Mapping[str, str], *, partial: bool) -> tuple[int, int | None]:
    """Position of the first byte, and size of the whole file; None where the venue does not say."""
    if partial:
        found = _RANGE.fullmatch(headers.get("Content-Range", "").strip())
        if found is None:
            raise VenueRefused("a part of a file that does not say which part it is")
        return int(found[1]), int(found[2])
    length = headers.get("Content-Length", "")
    return 0, int(length) if length.isascii() and length.isdigit() else None


def one_line(error: BaseException) -> str:
    """An error on one printable line: venues answer with whole HTML pages."""
    text = "".join(c if c.isprintable() else " " for c in str(error))
    return " ".join(text.split())[:200] or type(error).__name__
