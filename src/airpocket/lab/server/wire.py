"""One TCP connection: plain HTTP questions, or a websocket from the moment it asks to be one."""

import asyncio
from http import HTTPStatus
from typing import NamedTuple, Protocol

from websockets.exceptions import InvalidHandshake
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from airpocket.lab.dialects.speech import ABRUPT, Answer, Close, Said

_MOST_HEAD, _MOST_BODY, _MOST_FRAME = 16_384, 65_536, 1 << 20
_MOST_UNREAD = 16 * 1024 * 1024  # bytes that a slow reader may leave behind


class Head(NamedTuple):
    """The first lines of an HTTP request; header names in small letters."""

    method: str
    target: str
    headers: dict[str, str]


class Host(Protocol):
    """Who answers at the other end of a wire."""

    def asked(self, wire: "Wire", head: Head, body: bytes) -> Answer: ...

    def knocked(self, wire: "Wire", head: Head) -> Answer | None:
        """None: come in."""
        ...

    def came_in(self, wire: "Wire") -> None: ...

    def heard(self, wire: "Wire", text: str | None) -> None:
        """text: None for a control frame."""
        ...

    def ponged(self, wire: "Wire") -> None: ...

    def left(self, wire: "Wire") -> None: ...


class Wire(asyncio.Protocol):
    """Bytes in and out of one connection."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._websocket: ServerProtocol | None = None
        self._parts: list[bytes] = []
        self.is_open = False

    # -- asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._websocket is not None:
            self._websocket.receive_data(data)
            self._events(self._websocket)
            return
        self._buffer += data
        while self._websocket is None and self._one_request():
            pass

    def eof_received(self) -> bool:
        if self._websocket is not None:
            self._websocket.receive_eof()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._transport = None
        if self.is_open:
            self.is_open = False
            self._host.left(self)

    # -- speaking

    def say(self, said: Said) -> None:
        """Send a text, or hang up. A reader that lets too much pile up is cut."""
        websocket, transport = self._websocket, self._transport
        if websocket is None or transport is None or websocket.state is not State.OPEN:
            return
        if isinstance(said, Close):
            self.hang_up(said)
            return
        websocket.send_text(said.encode())
        transport.write(b"".join(websocket.data_to_send()))
        if transport.get_write_buffer_size() > _MOST_UNREAD:
            transport.abort()

    def ping(self) -> None:
        """The venue's own ping."""
        websocket, transport = self._websocket, self._transport
        if websocket is not None and transport is not None and websocket.state is State.OPEN:
            websocket.send_ping(b"")
            transport.write(b"".join(websocket.data_to_send()))

    def hang_up(self, close: Close) -> None:
        """End the connection, with a closing frame unless abruptly."""
        websocket, transport = self._websocket, self._transport
        if transport is None:
            return
        if close.code == ABRUPT or websocket is None or websocket.state is not State.OPEN:
            transport.abort()
            return
        websocket.send_close(close.code, close.reason)
        transport.write(b"".join(websocket.data_to_send()))
        transport.close()

    # -- HTTP

    def _one_request(self) -> bool:
        """Whether a whole request lay there; it is answered."""
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > _MOST_HEAD:
                self._answer(Answer(431, b"headers too large"), keep=False)
            return False
        head = _head(bytes(self._buffer[:end]))
        if head is None:
            self._answer(Answer(400, b"bad request"), keep=False)
            return False
        if head.headers.get("upgrade", "").lower() == "websocket":
            self._upgrade(head)
            return False
        length = head.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > _MOST_BODY or "transfer-encoding" in head.headers:
            self._answer(Answer(413, b"body too large"), keep=False)
            return False
        whole = end + 4 + int(length)
        if len(self._buffer) < whole:
            return False
        body = bytes(self._buffer[end + 4 : whole])
        del self._buffer[:whole]
        keep = head.headers.get("connection", "").lower() != "close"
        self._answer(self._host.asked(self, head, body), keep=keep)
        return keep

    def _answer(self, answer: Answer, *, keep: bool) -> None:
        if self._transport is None:
            return
        phrase = HTTPStatus(answer.status).phrase
        headers = {
            "Content-Type": "application/json", "Content-Length": str(len(answer.body)),
            "Connection": "keep-alive" if keep else "close", **answer.headers,
        }  # fmt: skip
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._transport.write(
            f"HTTP/1.1 {answer.status} {phrase}\r\n{lines}\r\n".encode() + answer.body
        )
        if not keep:
            self._transport.close()

    # -- websocket

    def _upgrade(self, head: Head) -> None:
        refusal = self._host.knocked(self, head)
        if refusal is not None:
            self._answer(refusal, keep=False)
            return
        websocket = self._websocket = ServerProtocol(max_size=_MOST_FRAME)
        websocket.receive_data(bytes(self._buffer))
        self._buffer.clear()
        self._events(websocket)

    def _events(self, websocket: ServerProtocol) -> None:
        for event in websocket.events_received():
            if isinstance(event, Request):
                self._shake_hands(websocket, event)
            elif isinstance(event, Frame):
                self._frame(event)
        self._flush(websocket)

    def _shake_hands(self, websocket: ServerProtocol, request: Request) -> None:
        try:
            response = websocket.accept(request)
        except InvalidHandshake:
            response = websocket.reject(HTTPStatus.BAD_REQUEST, "bad handshake")
        websocket.send_response(response)
        self._flush(websocket)
        if websocket.state is State.OPEN:
            self.is_open = True
            self._host.came_in(self)

    def _frame(self, frame: Frame) -> None:
        if frame.opcode in (Opcode.PING, Opcode.PONG):
            self._host.heard(self, None)
            if frame.opcode is Opcode.PONG:
                self._host.ponged(self)
        elif frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            self._parts.append(bytes(frame.data))
            if frame.fin:
                text = b"".join(self._parts).decode("utf-8", "replace")
                self._parts.clear()
                self._host.heard(self, text)

    def _flush(self, websocket: ServerProtocol) -> None:
        if self._transport is None:
            return
        for data in websocket.data_to_send():
            if data:
                self._transport.write(data)
            else:
                self._transport.close()


def _head(raw: bytes) -> Head | None:
    lines = raw.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        return None
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            return None
        headers[name.strip().lower()] = value.strip()
    return Head(parts[0], parts[1], headers)
