"""Websocket clients: a short queue for each, and for one that is too slow the latest snapshot instead."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping

import msgspec
from msgspec import Raw

from airpocket.delivery.serve.heat_head import numbered
from airpocket.delivery.serve.keys import new_secret
from airpocket.delivery.serve.models import TOPICS, Envelope, Topic
from airpocket.domain.ports import Clock
from airpocket.domain.units import format_time

QUEUE = 64
Message = str | bytes
Snapshot = Callable[[], bytes]  # b'': there is none yet


class Client:
    """One websocket: what it wants, and what waits for it."""

    def __init__(self) -> None:
        self.topics: dict[Topic, None] = {}
        self.waiting: deque[Message] = deque()
        self.behind: dict[Topic, None] = {}  # topics that begin with a snapshot next
        self.dropped = 0
        self.stir = asyncio.Event()

    def put(self, message: Message) -> None:
        """Queue a message; when the queue is full all of it is dropped for snapshots."""
        if len(self.waiting) >= QUEUE:
            self.dropped += len(self.waiting)
            self.waiting.clear()
            self.behind = dict(self.topics)
        else:
            self.waiting.append(message)
        self.stir.set()


class Hub:
    """Numbers what is published and hands it to everyone who asked for its topic."""

    def __init__(
        self, clock: Clock, snapshots: Mapping[Topic, Snapshot], as_of: Callable[[], int]
    ) -> None:
        """Args: snapshots: topic → its whole content now. as_of: the moment of the market shown (ns, 0: none)."""
        self._clock, self._snapshots, self._as_of = clock, snapshots, as_of
        self.clients: list[Client] = []
        self.epoch = new_secret()[:12]
        self._sequence: dict[Topic, int] = dict.fromkeys(TOPICS, 0)

    def join(self, client: Client) -> None:
        """A client is there."""
        self.clients.append(client)

    def leave(self, client: Client) -> None:
        """A client is gone."""
        if client in self.clients:
            self.clients.remove(client)

    def begin_anew(self) -> None:
        """What was shown is over: a new epoch, and everyone begins with snapshots."""
        self.epoch = new_secret()[:12]
        self._sequence = dict.fromkeys(TOPICS, 0)
        for client in self.clients:
            client.waiting.clear()
            client.behind = dict(client.topics)
            client.stir.set()

    def subscribe(self, client: Client, topics: list[Topic]) -> None:
        """From now on these too, each beginning with a snapshot."""
        for topic in topics:
            client.topics[topic] = None
            client.behind[topic] = None
        client.stir.set()

    def unsubscribe(self, client: Client, topics: list[Topic]) -> None:
        """These no more."""
        for topic in topics:
            client.topics.pop(topic, None)
            client.behind.pop(topic, None)

    def publish(self, topic: Topic, data: bytes, *, snapshot: bool) -> None:
        """Something new on a topic: JSON, or a heatmap's bytes."""
        self._sequence[topic] += 1
        message: Message | None = None
        for client in self.clients:
            if topic in client.topics and topic not in client.behind:
                if message is None:
                    message = self._message(topic, data, snapshot=snapshot)
                client.put(message)

    def next_for(self, client: Client) -> Message | None:
        """What a client gets next: snapshots that it is owed, then what waits; None: nothing now."""
        while client.behind:
            topic = next(iter(client.behind))
            del client.behind[topic]
            data = self._snapshots[topic]()
            if data:
                return self._message(topic, data, snapshot=True)
        if client.waiting:
            return client.waiting.popleft()
        client.stir.clear()
        return None

    def said(self, topic: str, data: object) -> str:
        """A message to one client alone: welcome, pong, error."""
        envelope = {
            "topic": topic, "kind": "notice", "epoch": self.epoch, "sequence": 0, "as_of": self._moment(),
            "sent_at": format_time(self._clock.now()), "data": data,
        }  # fmt: skip
        return msgspec.json.encode(envelope).decode()

    def _message(self, topic: Topic, data: bytes, *, snapshot: bool) -> Message:
        if topic == "heat":
            return numbered(data, self.epoch, self._sequence[topic])
        return msgspec.json.encode(
            Envelope(
                topic=topic,
                kind="snapshot" if snapshot else "delta",
                epoch=self.epoch,
                sequence=self._sequence[topic],
                as_of=self._moment(),
                sent_at=format_time(self._clock.now()),
                data=Raw(data),
            )
        ).decode()

    def _moment(self) -> str | None:
        at = self._as_of()
        return format_time(at) if at else None
