"""The websocket: a ticket first, then topics; whoever takes nothing is closed."""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any, cast

from starlette.websockets import WebSocket, WebSocketDisconnect

from airpocket.delivery.serve.hub import Client, Hub
from airpocket.delivery.serve.keys import Keys
from airpocket.delivery.serve.models import TOPICS, Topic

MOST_INBOUND = 16_000
_TICKET_S, _SEND_S = 2.0, 10.0
_MOST_WRONG = 5
_BINARY, _POLICY, _LARGE, _TRY_LATER = 1003, 1008, 1009, 1013


class _Closed(Exception):
    """The socket is to be closed, with a code and why."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class _Wrong(Exception):
    """A message that says nothing we know."""


async def serve_socket(
    socket: WebSocket, hub: Hub, keys: Keys, welcome: dict[str, object], most_clients: int
) -> None:
    """One client from its first message to its last."""
    await socket.accept()
    client = Client()
    try:
        await _admit(socket, keys)
        _check_room(hub, most_clients)
        hub.join(client)
        await _send(socket, hub.said("welcome", {"topics": list(TOPICS), **welcome}))
        await _both(_listen(socket, hub, client), _speak(socket, hub, client))
    except _Closed as closed:
        await _close(socket, closed.code, closed.reason)
    except WebSocketDisconnect:
        pass
    finally:
        hub.leave(client)


def _check_room(hub: Hub, most_clients: int) -> None:
    if len(hub.clients) >= most_clients:
        raise _Closed(_TRY_LATER, f"at most {most_clients} clients")


async def _both(*ways: Coroutine[None, None, None]) -> None:
    """Both directions until one ends; its error is ours."""
    tasks = [asyncio.ensure_future(way) for way in ways]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _admit(socket: WebSocket, keys: Keys) -> None:
    try:
        async with asyncio.timeout(_TICKET_S):
            said = _message(await _text(socket))
    except TimeoutError:
        raise _Closed(_POLICY, "no ticket within two seconds") from None
    except _Wrong as wrong:
        raise _Closed(_POLICY, str(wrong)) from wrong
    ticket = said.get("ticket")
    if said.get("op") != "auth" or not isinstance(ticket, str) or not keys.tickets.take(ticket):
        raise _Closed(_POLICY, "not a ticket of this server, or too late, or used before")


async def _listen(socket: WebSocket, hub: Hub, client: Client) -> None:
    wrong = 0
    while True:
        text = await _text(socket)
        try:
            _obey(_message(text), hub, client)
        except _Wrong as error:
            wrong += 1
            client.put(hub.said("error", {"code": "bad_message", "message": str(error)}))
            if wrong >= _MOST_WRONG:
                raise _Closed(_POLICY, "too many messages that say nothing we know") from error


async def _speak(socket: WebSocket, hub: Hub, client: Client) -> None:
    while True:
        message = hub.next_for(client)
        if message is None:
            await client.stir.wait()
        else:
            await _send(socket, message)


async def _text(socket: WebSocket) -> str:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    text = message.get("text")
    if text is None:
        raise _Closed(_BINARY, "text was expected")
    if len(text) > MOST_INBOUND:  # the server below refuses such bytes first
        raise _Closed(_LARGE, f"at most {MOST_INBOUND} bytes")
    return cast("str", text)


async def _send(socket: WebSocket, message: str | bytes) -> None:
    try:
        async with asyncio.timeout(_SEND_S):
            if isinstance(message, str):
                await socket.send_text(message)
            else:
                await socket.send_bytes(message)
    except TimeoutError:
        raise _Closed(_TRY_LATER, "nothing was taken for ten seconds") from None
    except RuntimeError as error:  # closed meanwhile
        raise WebSocketDisconnect from error


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    try:
        async with asyncio.timeout(1.0):
            await socket.close(code, reason)
    except (RuntimeError, WebSocketDisconnect, TimeoutError):
        return  # gone already


def _message(text: str) -> dict[str, Any]:
    try:
        said = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise _Wrong(f"not JSON: {type(error).__name__}") from error
    if not isinstance(said, dict):
        raise _Wrong("a JSON object was expected")
    return cast("dict[str, Any]", said)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _obey(said: dict[str, Any], hub: Hub, client: Client) -> None:
    op = said.get("op")
    if op == "subscribe":
        hub.subscribe(client, _topics(said))
    elif op == "unsubscribe":
        hub.unsubscribe(client, _topics(said))
    elif op == "ping":
        number = said.get("id")
        if not isinstance(number, int | None) or isinstance(number, bool):
            raise _Wrong("id: a whole number was expected")
        client.put(hub.said("pong", {"id": number}))
    else:
        raise _Wrong("op must be subscribe, unsubscribe or ping")


def _topics(said: dict[str, Any]) -> list[Topic]:
    named = said.get("topics")
    if not isinstance(named, list):
        raise _Wrong(f"topics: a list of {', '.join(TOPICS)} was expected")
    known: list[Topic] = [topic for topic in TOPICS if topic in named]
    if len(known) != len(cast("list[object]", named)):
        raise _Wrong(f"topics: a list of {', '.join(TOPICS)} was expected, each once")
    return known
