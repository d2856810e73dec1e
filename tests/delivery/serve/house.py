"""A real web process in a thread of the tests: its own socket, folder and keys, and a loop to reach into."""

import asyncio
import http.client
import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from websockets.sync.client import ClientConnection, connect

from airpocket.delivery.serve.desk import Desk
from airpocket.delivery.serve.job import Job
from airpocket.delivery.serve.keys import new_secret
from airpocket.delivery.serve.link import Line, Note, call
from airpocket.delivery.serve.supervisor import listen
from airpocket.delivery.serve.web import desk_of, serve
from airpocket.ingest.world import SystemClock

AS_OF = 1_768_478_705_000_000_000


class House:
    """One server. `engine` and `player`: lines into it, as those processes would hold."""

    def __init__(self, clients: int = 20) -> None:
        self._folder = TemporaryDirectory(prefix="house-")
        self._listening = listen(0)
        self.port = int(self._listening.getsockname()[1])
        self.token = new_secret()
        self.job = Job(
            role="web", asset="ETH", mode="replay", folder=self._folder.name, store="", port=self.port,
            socket=self._listening.detach(), clients=clients,
        )  # fmt: skip
        self.desk: Desk = desk_of(self.job, self.token, SystemClock())
        self.loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._lines: list[Line] = []
        self._thread = threading.Thread(target=self._run, name="house", daemon=True)

    def __enter__(self) -> "House":
        self._thread.start()
        while True:
            try:
                self.get("/")
                break
            except OSError:
                threading.Event().wait(0.02)
        return self

    def __exit__(self, *error: object) -> None:
        for line in self._lines:
            self.inside(line.close)
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)
        assert not self._thread.is_alive(), "the server did not end"
        self._folder.cleanup()

    def _run(self) -> None:
        self.loop.run_until_complete(serve(self.desk, self.job, self._stop))
        self.loop.close()

    def inside(self, work: Callable[[], object]) -> object:
        """Call something in the server's own thread."""

        async def called() -> object:
            return work()

        return asyncio.run_coroutine_threadsafe(called(), self.loop).result(10)

    def dial(self, name: str) -> Line:
        """A line as engine or player hold it."""

        async def called() -> Line:
            line = await call(Path(self._folder.name) / "link")
            assert line is not None
            await line.send(Note(what="hello", name=name))
            self._lines.append(line)
            return line

        return asyncio.run_coroutine_threadsafe(called(), self.loop).result(10)

    def say(self, line: Line, note: Note, body: bytes = b"") -> None:
        """A note over a line, and time for it to be heard."""
        asyncio.run_coroutine_threadsafe(line.send(note, body), self.loop).result(10)

    def heard(self, line: Line, within_s: float | None = 120.0) -> tuple[Note, bytes] | None:
        """What comes over a line next; None once it is closed."""
        return asyncio.run_coroutine_threadsafe(line.receive(), self.loop).result(within_s)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """(status, headers, body) of a request with token and Origin, unless `headers` says otherwise."""
        sent = {"Authorization": f"Bearer {self.token}", "Origin": self.origin} | (headers or {})
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            line.request(
                method, path, None if body is None else json.dumps(body).encode(),
                {k: v for k, v in sent.items() if v} | {"Content-Type": "application/json"},
            )  # fmt: skip
            answer = line.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            line.close()

    def get(self, path: str) -> tuple[int, dict[str, str], bytes]:
        return self.ask("GET", path)

    def ticket(self) -> str:
        return json.loads(self.ask("POST", "/api/v1/ticket")[2])["ticket"]

    @contextmanager
    def socket(self, *topics: str) -> Generator[ClientConnection]:
        """A websocket that is let in and subscribed; its welcome is read."""
        address = f"ws://127.0.0.1:{self.port}/ws"
        with connect(address, origin=self.origin, max_size=None, compression=None) as found:
            found.send(json.dumps({"op": "auth", "ticket": self.ticket()}))
            assert json.loads(found.recv(10))["topic"] == "welcome"
            if topics:
                found.send(json.dumps({"op": "subscribe", "topics": list(topics)}))
            yield found


def tape(price: float, at: str = "2026-01-15T12:05:05Z") -> bytes:
    """A tape message with one price."""
    contract = "binance_usdm:ETHUSDT"
    told = {
        "contract": contract, "last": price, "mark": None, "index": None, "bid": None, "ask": None, "at": at,
    }  # fmt: skip
    return json.dumps(
        {
            "at": at,
            "reference": contract,
            "prices": [told],
            "bar": None,
            "closed": [],
            "forced": [],
            "cvd": {},
            "speed": 1.0,
        }
    ).encode()
