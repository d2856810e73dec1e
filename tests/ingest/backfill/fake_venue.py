"""A venue on no network: answers ccxt's requests with bodies in the documented shapes, and counts them."""

import io
import json
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import urllib3
from requests.adapters import HTTPAdapter

from airpocket.domain.units import HOUR_NS, SECOND_NS, TimeNs, parse_time
from airpocket.ingest.backfill.rest import Patience, VenueClient
from airpocket.ingest.backfill.session import World

BODIES = Path(__file__).parent / "bodies"
NOW = parse_time("2025-05-10T12:30:00Z")
HOUR_MS = HOUR_NS // 1_000_000
PUBLIC = "1.1.1.1"


class Say:
    """One HTTP answer that is not plain JSON with status 200."""

    def __init__(self, body: object = "", status: int = 200, **headers: str) -> None:
        self.body, self.status = body, status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def stream(self) -> io.BytesIO:
        """The body as bytes to be read."""
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return io.BytesIO(text.encode())


class Torn(Say):
    """An answer whose connection breaks off in the middle of the body."""

    def stream(self) -> io.BytesIO:
        return _Tearing(b'[[1746864000000,"2300"')


class _Tearing(io.BytesIO):
    def read(self, *_: Any) -> bytes:
        raise urllib3.exceptions.ProtocolError("connection broken")


class FakeClock:
    """Time that moves only when someone sleeps."""

    def __init__(self, now: int = NOW) -> None:
        self.time = now
        self.slept: list[float] = []

    def now(self) -> TimeNs:
        return TimeNs(self.time)

    def monotonic(self) -> int:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += int(seconds * SECOND_NS)


class FakeVenue(HTTPAdapter):
    """Routes by the end of the path; a tuple of answers is given one by one, the last again and again."""

    def __init__(self, routes: Mapping[str, object]) -> None:
        super().__init__()
        self.routes = {path: deque(a) if isinstance(a, tuple) else a for path, a in routes.items()}
        self.asked: list[tuple[str, dict[str, str]]] = []

    def send(self, request: Any, *_: Any, **__: Any) -> Any:
        parts = urlsplit(request.url)
        params = dict(parse_qsl(parts.query))
        if request.body:
            params |= flat(json.loads(request.body))
        self.asked.append((parts.path, params))
        answer = self._answer(parts.path, params)
        if isinstance(answer, Exception):
            raise answer
        said = answer if isinstance(answer, Say) else Say(answer)
        return self.build_response(
            request,
            urllib3.HTTPResponse(
                body=said.stream(),
                status=said.status,
                reason="Said",
                headers=said.headers,
                preload_content=False,
                decode_content=False,
            ),
        )

    def _answer(self, path: str, params: dict[str, str]) -> object:
        for end, answer in self.routes.items():
            if path.endswith(end) or params.get("type") == end:
                if isinstance(answer, deque):
                    return answer.popleft() if len(answer) > 1 else answer[0]
                return answer(params) if callable(answer) else answer
        raise AssertionError(f"nobody expected a request for {path} {params}")

    def asked_for(self, end: str) -> list[dict[str, str]]:
        """The parameters of every request so far whose path (or type) ends like this."""
        return [p for path, p in self.asked if path.endswith(end) or p.get("type") == end]


def flat(body: dict[str, Any]) -> dict[str, str]:
    """A JSON request as plain parameters: Hyperliquid nests them."""
    inner = body.pop("req", {})
    return {name: str(value) for name, value in {**body, **inner}.items()}


def body(name: str) -> Any:
    """A whole answer from the folder of bodies."""
    return json.loads((BODIES / f"{name}.json").read_text())


def client(
    venue: str, fake: FakeVenue, clock: FakeClock | None = None, **patience: Any
) -> VenueClient:
    """A client of the fake venue with fixed chance and a clock that only sleeping moves."""
    clock = clock or FakeClock()
    world = World(clock, lambda: 0.5, clock.sleep, lambda _host: [PUBLIC], fake)
    return VenueClient(venue, world, Patience(**patience))
