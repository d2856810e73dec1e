"""The outermost door, for HTTP and websocket alike: Host, Origin, sizes, token, and the headers of every answer."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

import msgspec

from airpocket.delivery.serve.keys import Keys
from airpocket.delivery.serve.models import Problem

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_BODY, MOST_HEADERS, MOST_ADDRESS = 256_000, 16_000, 4_000
_BODY_S = 10.0
_SAFE = ("GET", "HEAD")
_SESSION = "/api/v1/session"
_HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        b" font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
        b" require-trusted-types-for 'script'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)


class _Refused(Exception):
    """A request that is not let in."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Guard:
    """Lets nothing through that could come from another site, another name, or without the token.

    `port` is the one that browsers see. `public`: paths that are answered without the token (the page itself).
    """

    def __init__(self, app: App, keys: Keys, port: int, public: frozenset[str]) -> None:
        self._app, self._keys, self._public = app, keys, public
        names = (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}")
        self._hosts = frozenset(name.encode() for name in names)
        self._origins = frozenset(f"http://{name}".encode() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        try:
            (self._check_socket if scope["type"] == "websocket" else self._check)(scope)
        except _Refused as refused:
            await _refuse(scope, refused, send)
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *_HEADERS]}
            await send(message)

        try:
            read = await _whole(receive)
        except _Refused as refused:
            await _refuse(scope, refused, send)
            return
        await self._app(scope, read, guarded)

    def _check(self, scope: Scope) -> None:
        headers = self._addressed(scope)
        method, path = scope["method"], scope["path"]
        if method not in _SAFE:
            self._check_origin(headers)
        length = _one(headers, b"content-length")
        if length is not None and length.isdigit() and int(length) > MOST_BODY:
            raise _Refused(413, "too_large", f"a body of at most {MOST_BODY} bytes was expected")
        if path == _SESSION or (method in _SAFE and path in self._public):
            return
        if not self._keys.knows(_one(headers, b"authorization") or b""):
            if not self._keys.failed():
                raise _Refused(429, "too_many", "too many wrong tokens: wait a minute")
            raise _Refused(401, "no_token", "the token of this server is needed")
        if self._keys.hurried():
            raise _Refused(429, "too_many", "more than 100 requests a second")

    def _check_socket(self, scope: Scope) -> None:
        headers = self._addressed(scope)
        origin = [value for name, value in headers if name == b"origin"]
        browser = any(name.startswith(b"sec-fetch-") for name, _ in headers)
        by_token = not browser and self._keys.knows(_one(headers, b"authorization") or b"")
        if not (origin and origin[0] in self._origins and len(origin) == 1) and (
            origin or not by_token
        ):
            raise _Refused(403, "foreign", "the Origin is not this server's")

    def _addressed(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        """The headers of a request that is addressed to us and not too large."""
        headers: list[tuple[bytes, bytes]] = list(scope["headers"])
        if sum(len(name) + len(value) for name, value in headers) > MOST_HEADERS:
            raise _Refused(
                431, "too_large", f"headers of at most {MOST_HEADERS} bytes were expected"
            )
        raw: bytes = scope.get("raw_path") or b"/"
        if len(raw) + len(scope.get("query_string", b"")) > MOST_ADDRESS:
            raise _Refused(
                414, "too_large", f"an address of at most {MOST_ADDRESS} bytes was expected"
            )
        if not raw.startswith(b"/"):
            raise _Refused(400, "bad_address", "a path was expected")
        host = [value.lower() for name, value in headers if name == b"host"]
        if len(host) != 1 or host[0] not in self._hosts:
            raise _Refused(421, "foreign", "this server is not known by that name")
        return headers

    def _check_origin(self, headers: list[tuple[bytes, bytes]]) -> None:
        site = _one(headers, b"sec-fetch-site")
        if _one(headers, b"origin") not in self._origins or site not in (
            None,
            b"same-origin",
            b"none",
        ):
            raise _Refused(403, "foreign", "the Origin is not this server's")


def _one(headers: list[tuple[bytes, bytes]], wanted: bytes) -> bytes | None:
    """A header that comes once; None where it is missing, b'' where it contradicts itself."""
    found = [value for name, value in headers if name == wanted]
    return found[0] if len(found) == 1 else b"" if found else None


async def _whole(receive: Receive) -> Receive:
    """The body, read to its end before anything is done with it; then only whether the client leaves."""
    body, more = b"", True
    try:
        async with asyncio.timeout(_BODY_S):
            while more:
                message = await receive()
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > MOST_BODY:
                    raise _Refused(413, "too_large", f"at most {MOST_BODY} bytes were expected")
    except TimeoutError as error:
        raise _Refused(408, "too_slow", "the body did not come within ten seconds") from error
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def read() -> MutableMapping[str, Any]:
        return waiting.pop() if waiting else await receive()

    return read


async def _refuse(scope: Scope, refused: _Refused, send: Send) -> None:
    body = msgspec.json.encode(Problem(code=refused.code, message=refused.message))
    headers = [
        (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *_HEADERS,
    ]  # fmt: skip
    if refused.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    kind = "websocket.http.response" if scope["type"] == "websocket" else "http.response"
    await send({"type": f"{kind}.start", "status": refused.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": body})
