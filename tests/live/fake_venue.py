"""A small venue on loopback: websockets and REST on one port, every host told apart by the path's first part."""

import asyncio
import http
from collections import Counter, defaultdict

from websockets.asyncio.server import serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Response


class FakeVenue:
    """`on_socket(connection, path)` speaks; `rest` maps a path's start to (status, body, headers).

    `opened` counts connections by host and path start; `heard` keeps what clients said.
    """

    def __init__(self, on_socket, rest=None):
        self.on_socket, self.rest = on_socket, rest or {}
        self.opened, self.asked = Counter(), Counter()
        self.heard = defaultdict(list)
        self.port = 0
        self._speaking = set()

    async def __aenter__(self):
        self._server = await serve(
            self._serve, "127.0.0.1", 0, process_request=self._request, compression=None
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        for task in self._speaking:
            task.cancel()
        self._server.close(close_connections=True)
        await self._server.wait_closed()

    @property
    def gate(self):
        return f"127.0.0.1:{self.port}"

    async def _serve(self, connection):
        path = connection.request.path
        self.opened[path.split("?")[0]] += 1
        self._speaking.add(asyncio.current_task())
        listener = asyncio.create_task(self._listen(connection, path))
        try:
            await self.on_socket(connection, path)
        except ConnectionClosed:
            pass
        finally:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)

    async def _listen(self, connection, path):
        async for message in connection:
            self.heard[path.split("?")[0]].append(message)

    def _request(self, connection, request):
        if request.headers.get("Upgrade", "").lower() == "websocket":
            refused = self.rest.get("upgrade")
            return self._answer(*refused) if refused else None
        self.asked[request.path.split("?")[0]] += 1
        for start, answer in self.rest.items():
            if request.path.startswith(start):
                return self._answer(*(answer() if callable(answer) else answer))
        return self._answer(404, b"no such thing", {})

    @staticmethod
    def _answer(status, body, headers=None):
        fields = Headers(
            {"Content-Length": str(len(body)), "Connection": "close", **(headers or {})}
        )
        return Response(status, http.HTTPStatus(status).phrase, fields, body)
