"""The routes: each answers with the bytes that an engine made, or says why there are none."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec
from fastapi import FastAPI, Query, Request, Response, WebSocket
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from airpocket.delivery.serve import openapi
from airpocket.delivery.serve.desk import Desk
from airpocket.delivery.serve.drill_routes import add_drill
from airpocket.delivery.serve.guard import App, Guard
from airpocket.delivery.serve.heat_head import numbered
from airpocket.delivery.serve.keys import CODE_S, TICKET_S
from airpocket.delivery.serve.models import Interval, LaunchCode, Ticket, Token
from airpocket.delivery.serve.requests import (
    BarsAsked,
    CodeBody,
    HedgeBody,
    HeldBody,
    ReplayBody,
    WhatIfBody,
)
from airpocket.delivery.serve.socket import serve_socket
from airpocket.delivery.serve.static import Page, pages
from airpocket.delivery.serve.switchboard import Answer, problem
from airpocket.domain.units import parse_time

_JSON = "application/json"
_V1 = "/api/v1"


def guarded(desk: Desk, port: int) -> App:
    """The whole application behind its door."""
    found = pages()
    return Guard(build(desk, found), desk.keys, port, frozenset(found))


def build(desk: Desk, found: dict[str, Page]) -> FastAPI:
    """The routes alone."""
    app = FastAPI(title="airpocket", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_exception_handler(RequestValidationError, _unprocessable)
    app.add_exception_handler(HTTPException, _no_such)
    _add_pages(app, found)
    _add_keys(app, desk)
    _add_documents(app, desk)
    _add_questions(app, desk)
    _add_machinery(app, desk)
    add_drill(app, desk)
    return app


def _add_pages(app: FastAPI, found: dict[str, Page]) -> None:
    def answer(page: Page) -> Callable[[], Awaitable[Response]]:
        async def file() -> Response:
            return Response(page.body, media_type=page.type)

        return file

    for address, page in found.items():
        app.add_api_route(address, answer(page), include_in_schema=False)


def _add_keys(app: FastAPI, desk: Desk) -> None:
    async def session(body: CodeBody) -> Response:
        """Exchange a launch code for the token."""
        if desk.keys.locked or not desk.keys.codes.take(body.code):
            if not desk.keys.failed():
                return _sent(problem(429, "too_many", "too many wrong codes: wait a minute"))
            return _sent(
                problem(401, "no_token", "not a code of this server, or too late, or used before")
            )
        return _json(Token(token=desk.keys.token))

    async def code() -> Response:
        """A launch code for another tab."""
        return _json(LaunchCode(code=desk.keys.codes.make(), expires_s=CODE_S))

    async def ticket() -> Response:
        """A ticket for one websocket."""
        return _json(Ticket(ticket=desk.keys.tickets.make(), expires_s=TICKET_S))

    app.post(f"{_V1}/session", responses=openapi.answers("Token"))(session)
    app.post(f"{_V1}/code", responses=openapi.answers("LaunchCode"))(code)
    app.post(f"{_V1}/ticket", responses=openapi.answers("Ticket"))(ticket)


def _add_documents(app: FastAPI, desk: Desk) -> None:
    def served(name: str) -> Callable[[], Awaitable[Response]]:
        async def document() -> Response:
            return _document(desk, name)

        document.__doc__ = f"The {name} of the edition shown."
        document.__name__ = name
        return document

    for name, struct in openapi.DOCUMENTS.items():
        app.get(f"{_V1}/{name}", responses=openapi.answers(struct))(served(name))

    async def heat() -> Response:
        """The heatmap, binary."""
        if not desk.board.heat:
            return _sent(_not_yet(desk, "map"))
        body = numbered(desk.board.heat, desk.hub.epoch, desk.board.edition)
        return Response(body, media_type="application/octet-stream")

    async def bars(
        interval: Interval = "5m",
        contract: Annotated[str, Query(max_length=100)] = "",
        limit: Annotated[int, Query(ge=1, le=1_500)] = 1_500,
    ) -> Response:
        """Closed bars in columns."""
        if not contract and limit == 1_500 and f"bars/{interval}" in desk.board.documents:
            return _document(desk, f"bars/{interval}")
        asked = BarsAsked(interval=interval, contract=contract, limit=limit)
        return _sent(await desk.switchboard.ask("bars", asked.model_dump_json().encode()))

    app.get(f"{_V1}/map/heat", responses=openapi.binary())(heat)
    app.get(f"{_V1}/bars", responses=openapi.answers("BarColumns", 404))(bars)


def _add_questions(app: FastAPI, desk: Desk) -> None:
    async def whatif(body: WhatIfBody) -> Response:
        """What a push, a jump or a thinner book would do."""
        return _sent(await desk.switchboard.ask("whatif", body.model_dump_json().encode()))

    async def plan(body: HeldBody) -> Response:
        """What to do with positions."""
        return _sent(await desk.switchboard.ask("plan", _told(body)))

    async def stress(body: HeldBody) -> Response:
        """What accounts survive, and which exits come through."""
        return _sent(await desk.switchboard.ask("stress", _told(body)))

    async def hedge(body: HedgeBody) -> Response:
        """The cheapest hedges of positions, and what they leave open."""
        return _sent(await desk.switchboard.ask("hedge", _told(body)))

    app.post(f"{_V1}/whatif", responses=openapi.answers("WhatIf", 404))(whatif)
    app.post(f"{_V1}/plan", responses=openapi.answers("Plans", 404))(plan)
    app.post(f"{_V1}/stress", responses=openapi.answers("StressTests", 404))(stress)
    app.post(f"{_V1}/hedge", responses=openapi.answers("Hedges", 404))(hedge)


def _add_machinery(app: FastAPI, desk: Desk) -> None:
    async def health() -> Response:
        """Whether what is served can be trusted."""
        return _json(desk.health())

    async def replay() -> Response:
        """Where the replay stands."""
        state = desk.board.heard.replay
        return _sent(_NO_REPLAY) if state is None else _json(state)

    async def move(body: ReplayBody) -> Response:
        """Move the replay."""
        why = _unmovable(body)
        if why:
            return _sent(problem(422, "bad_request", why))
        if not await desk.move_replay(body.model_dump_json().encode()):
            return _sent(_NO_REPLAY)
        return _json(desk.board.heard.replay)

    async def description() -> Response:
        """This description."""
        return Response(openapi.described(app), media_type=_JSON)

    async def metrics() -> Response:
        """Prometheus text."""
        text = desk.metrics()
        if text is None:
            return _sent(problem(404, "no_metrics", "install airpocket[metrics] for these"))
        return Response(text, media_type="text/plain; version=0.0.4")

    async def socket(websocket: WebSocket) -> None:
        await serve_socket(websocket, desk.hub, desk.keys, desk.welcome(), desk.most_clients)

    app.get(f"{_V1}/health", responses=openapi.answers("ServerHealth"))(health)
    app.get(f"{_V1}/replay", responses=openapi.answers("ReplayState", 404))(replay)
    app.post(f"{_V1}/replay", responses=openapi.answers("ReplayState", 404))(move)
    app.get("/openapi.json", include_in_schema=False)(description)
    app.get("/metrics", include_in_schema=False)(metrics)
    app.websocket("/ws")(socket)


_NO_REPLAY = problem(404, "no_replay", "nothing is replayed here")


def _unmovable(body: ReplayBody) -> str:
    if body.action == "speed" and body.speed is None:
        return "speed: is missing"
    if body.action != "seek":
        return ""
    if body.to is None:
        return "to: is missing"
    try:
        parse_time(body.to)
    except ValueError as error:
        return f"to: {error}"
    return ""


def _told(body: HeldBody) -> bytes:
    """What was said; empty texts of entries are left out, as a position file has none."""
    said = body.model_dump(mode="json", exclude_none=True)
    for kind in ("positions", "options", "balances"):
        said[kind] = [{k: v for k, v in each.items() if v != ""} for each in said[kind]]
    return msgspec.json.encode(said)


def _document(desk: Desk, name: str) -> Response:
    document = desk.board.documents.get(name)
    if document is None:
        return _sent(_not_yet(desk, name))
    return Response(document.body, media_type=_JSON)


def _not_yet(desk: Desk, name: str) -> Answer:
    if desk.board.edition and desk.board.as_of:
        return problem(
            404, "nothing_known", f"this edition has no {name}: its brief says what is missing"
        )
    if desk.switchboard.silent_s("engine") is None:
        return problem(503, "engine_down", "the engine is starting, or is started anew")
    return problem(503, "not_yet", "the first edition is being made")


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type=_JSON)


def _sent(answer: Answer) -> Response:
    return Response(answer.body, answer.status, media_type=_JSON)


async def _unprocessable(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, RequestValidationError)
    first: dict[str, Any] = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    return _sent(problem(422, "bad_request", f"{where or 'body'}: {first['msg']}"))


async def _no_such(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, HTTPException)
    words = {404: "no such address", 405: "not in this way"}
    message = words.get(error.status_code, "not understood")
    answer = problem(error.status_code, "no_answer", message)
    return Response(answer.body, answer.status, headers=error.headers, media_type=_JSON)
