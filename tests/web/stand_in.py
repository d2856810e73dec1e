"""A server that gives the API's answers as the lab's demo gave them, and fails where a test asks it to."""

import asyncio
import contextlib
import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect

ROOT = Path(__file__).resolve().parent.parent.parent
STATIC = ROOT / "src" / "airpocket" / "delivery" / "static"
SESSION = Path(__file__).with_name("session")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css"}
CODE, TOKEN = "launch", "token"


def recorded(name: str) -> bytes:
    """One answer of the recorded session."""
    return gzip.decompress((SESSION / f"{name}.gz").read_bytes())


def health(**changes: Any) -> dict[str, Any]:
    """What the server says of itself while all is well."""
    brief = json.loads(recorded("brief.json"))
    return {
        "schema": "airpocket.health/1", "version": "0.1.0", "asset": "ETH", "mode": "replay", "simulated": True,
        "label": "SIMULATED demo, seed 1", "epoch": "e1", "now": brief["as_of"], "as_of": brief["as_of"],
        "age_s": 0.4, "stale": None,
        "processes": [
            {"name": name, "state": "running", "pid": 7, "restarts": 0, "age_s": 0.2, "reason": ""}
            for name in ("player", "engine", "web")
        ],
        "replay": {
            "first": "2026-01-15T11:59:50Z", "last": "2026-01-15T12:05:05Z", "at": "2026-01-15T12:05:00Z",
            "speed": 1.0, "state": "paused", "loop": False,
        },
        "documents": {"brief": {"sequence": 1, "as_of": brief["as_of"], "made_at": brief["as_of"]}},
        "feeds": [], "channels": [], "missing": [], "alarms": [], "clients": 1, **changes,
    }  # fmt: skip


@dataclass
class StandIn:
    """The server's answers and habits; a test changes them while it runs.

    refuse: path under /api/v1 → (status, message). instead: path → another answer. slow_s: words of a request's
    address or body → seconds before its answer. tape: snapshots, with topic, that sockets get with every health.
    """

    address: str = ""
    refuse: dict[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])
    instead: dict[str, bytes] = field(default_factory=dict[str, bytes])
    slow_s: dict[str, float] = field(default_factory=dict[str, float])
    told: dict[str, Any] = field(default_factory=health)
    sockets_open: bool = True
    tape: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])
    drill: dict[str, Any] = field(default_factory=dict[str, Any])
    asked: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])

    @property
    def entrance(self) -> str:
        return f"{self.address}/#t={CODE}"

    def reset(self) -> None:
        self.refuse, self.instead, self.slow_s, self.told = {}, {}, {}, health()
        self.sockets_open, self.asked, self.drill, self.tape = True, [], {}, []


def _answer(path: str) -> bytes:
    name = {
        "brief": "brief.json", "fuel": "fuel.json", "funding": "funding.json",
        "map/heat": "heat.bin", "plan": "plan.json", "stress": "stress.json",
        "hedge": "hedge.json", "whatif": "whatif.json",
    }[path]  # fmt: skip
    return recorded(name)


def app_of(stand: StandIn) -> FastAPI:
    """The API's addresses over the recorded session."""
    app = FastAPI(openapi_url=None)

    @app.get("/")
    @app.get("/{name}.js")
    @app.get("/{name}.css")
    async def page(request: Request) -> Response:
        name = request.url.path.lstrip("/") or "index.html"
        file = STATIC / name
        headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}
        return Response(file.read_bytes(), media_type=TYPES[file.suffix], headers=headers)

    @app.api_route("/api/v1/{path:path}", methods=["GET", "POST"])
    async def api(path: str, request: Request) -> Response:
        words = f"{request.url} {(await request.body()).decode()}"
        await asyncio.sleep(sum(wait for each, wait in stand.slow_s.items() if each in words))
        body = await request.json() if await request.body() else None
        stand.asked.append((path, body))
        if path == "session":
            return _json({"token": TOKEN, "role": "read"})
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _json({"code": "no_token", "message": "no token, or a wrong one"}, 401)
        if path in stand.refuse:
            status, message = stand.refuse[path]
            return _json({"code": "refused", "message": message}, status)
        if path in stand.instead:
            return Response(stand.instead[path], media_type="application/json")
        return _given(path, request, stand, body)

    @app.websocket("/ws")
    async def ws(socket: WebSocket) -> None:
        await _speak(socket, stand)

    return app


async def _speak(socket: WebSocket, stand: StandIn) -> None:
    """Health, and what else is to be told, five times a second."""
    await socket.accept()
    if not stand.sockets_open:
        await socket.close(1013, "no place")
        return
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        await socket.receive_text()
        await socket.receive_text()
        while stand.sockets_open:
            for topic, data in (("health", stand.told), *stand.tape):
                await socket.send_text(json.dumps(_envelope(topic, data)))
            await asyncio.sleep(0.2)
        await socket.close(1012, "the server went away")


def _given(path: str, request: Request, stand: StandIn, body: Any) -> Response:
    if path == "ticket":
        return _json({"ticket": "ticket", "expires_s": 30.0})
    if path == "health":
        return _json(stand.told)
    if path == "replay":
        if body["action"] in ("play", "pause"):
            stand.told["replay"]["state"] = "playing" if body["action"] == "play" else "paused"
        elif body["action"] == "seek":
            stand.told["replay"]["at"] = body["to"]
        else:
            stand.told["replay"]["speed"] = body["speed"]
        return _json(stand.told["replay"])
    if path == "drill":
        return _drill(stand, body)
    if path == "bars":
        interval = request.query_params.get("interval", "1h")
        return Response(recorded(f"bars-{interval}.json"), media_type="application/json")
    kind = "application/octet-stream" if path == "map/heat" else "application/json"
    return Response(_answer(path), media_type=kind)


def _drill(stand: StandIn, body: Any) -> Response:
    """A drill that stands still: it heeds pace and end, and refuses one order."""
    told = stand.drill = stand.drill or json.loads(recorded("drilling.json"))
    match body:
        case {"order": "quit"}:
            told |= {"state": "scored", "score": json.loads(recorded("drill.json"))}
        case {"order": "fly"}:
            return _json({"code": "bad_request", "message": "'fly' is no order"}, 422)
        case {"action": "again"}:
            told |= {"state": "paused", "score": None}
        case {"action": action}:
            told["state"] = "running" if action == "play" else "paused"
        case {"speed": speed}:
            told["speed"] = speed
        case _:
            pass
    return _json(told)


def _envelope(topic: str, data: Any) -> dict[str, Any]:
    return {
        "topic": topic, "kind": "snapshot", "epoch": "e1", "sequence": 1, "as_of": None, "sent_at": "", "data": data
    }  # fmt: skip


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value), status, media_type="application/json")


@contextlib.contextmanager
def serving(stand: StandIn) -> Iterator[StandIn]:
    """The server on a free port of loopback, in a thread of its own, until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    stand.address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    settings = uvicorn.Config(
        app_of(stand), log_level="error", ws="websockets-sansio", lifespan="off"
    )
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    try:
        yield stand
    finally:
        server.should_exit = server.force_exit = True
        thread.join(5.0)
        listener.close()


if __name__ == "__main__":
    with serving(StandIn()) as running:
        print(running.entrance, flush=True)  # noqa: T201
        threading.Event().wait()
