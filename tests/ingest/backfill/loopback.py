"""A small archive on loopback: a real HTTP server, and a transport that leads every address to it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter


class Archive:
    """Files by 'host/path'. `cut`: so many bytes, then the connection drops, as often as listed."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cut: dict[str, list[int]] = {}
        self.status: dict[str, list[int]] = {}
        self.retry_after = ""  # said with every status of `status`
        self.ranges = True
        self.asked: list[tuple[str, str]] = []  # name, Range
        self.port = 0

    def names(self, end: str = "") -> list[str]:
        return [name for name, _ in self.asked if name.endswith(end)]


class Transport(HTTPAdapter):
    """https://host/path → http://127.0.0.1:port/host/path."""

    def __init__(self, archive: Archive) -> None:
        super().__init__()
        self._archive = archive

    def send(self, request: Any, **options: Any) -> Any:
        parts = urlsplit(request.url)
        request.url = f"http://127.0.0.1:{self._archive.port}/{parts.hostname}{parts.path}"
        return super().send(request, **options)


class _Handler(BaseHTTPRequestHandler):
    """Answers out of the archive that its server carries."""

    @property
    def archive(self) -> Archive:
        return self.server.archive

    def do_GET(self) -> None:
        name = self.path.lstrip("/")
        asked = self.headers.get("Range", "")
        self.archive.asked.append((name, asked))
        if self.archive.status.get(name):
            return self._say(self.archive.status[name].pop(0), b"no")
        body = self.archive.files.get(name)
        if body is None:
            return self._say(404, b"<Error>NoSuchKey</Error>")
        first = (
            int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.archive.ranges else 0
        )
        if first and first >= len(body):
            return self._say(416, b"")
        return self._give(name, body, first)

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "https://evil.example/")
        if self.archive.retry_after:
            self.send_header("Retry-After", self.archive.retry_after)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _give(self, name: str, body: bytes, first: int) -> None:
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - first))
        self.end_headers()
        rest = body[first:]
        if self.archive.cut.get(name):
            rest = rest[: self.archive.cut[name].pop(0)]
            self.close_connection = True
        self.wfile.write(rest)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served() -> Iterator[Archive]:
    """An archive that answers until the block ends."""
    archive = Archive()

    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.archive = archive
    archive.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield archive
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
