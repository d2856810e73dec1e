"""A venue behind a bad network, without sockets: lines, questions and the faults of both, in virtual time."""

import asyncio
from collections import Counter, deque
from random import Random
from urllib.parse import urlsplit

from airpocket.domain.units import SECOND_NS
from airpocket.ingest.ask import Asker
from airpocket.ingest.dial import LineClosed, Refused, refusal
from airpocket.lab.dialects.speech import Client, Close, Frame, Question
from airpocket.lab.server.limits import Weights
from tests.faults.brings import Brings
from tests.faults.market import Market

TIMEOUT_S = 10.0
LEAST_S = 0.004  # from a venue to us, at the best of times
RESTED_S = 30.0  # a channel of which nothing came for longer begins anew


class Network:
    """What is wrong between us and one venue; times are seconds of the loop, chances per frame."""

    def __init__(self) -> None:
        self.delay_s = self.jitter_s = 0.0
        self.stalled_until = 0.0  # nothing arrives before, everything after
        self.unreachable = False  # calls fail at once
        self.swallowing = False  # calls and questions run into their timeout, open lines are dead
        self.truncate = self.duplicate = 0.0
        self.drop = self.late = 0  # of the next changes of a book
        self.flapping = False
        self.dead_routes: set[str] = set()  # confirmed, and never a word
        self.dead_from = float("inf")  # the same for lines opened later
        self.mute = ""  # part of the topics that are not sent
        self.banned_until = 0.0
        self.out = False  # maintenance: 503 for everyone
        self.status = 0  # what REST answers instead


class Line:
    """One open line: frames arrive in order, each no sooner than the network lets it."""

    def __init__(self, door: "Door", client: Client, rng: Random) -> None:
        self._door, self.client, self._rng = door, client, rng
        self._loop = asyncio.get_running_loop()
        self.opened = self._loop.time()
        self._frames: deque[str | bytes | None] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._arrives = 0.0
        self.closed = ""
        self.dead = False  # half open: nobody is at the other end
        self._held: list[str] = []  # come after the one behind them

    # -- the venue's side

    def say(self, text: str) -> None:
        """Put a text on the way."""
        net, now = self._door.net, self._loop.time()
        if self.closed or self.dead or net.swallowing:
            return
        if net.truncate and self._rng.random() < net.truncate:
            text = text[: self._rng.randrange(len(text))]
        for _ in range(1 + (net.duplicate > 0 and self._rng.random() < net.duplicate)):
            delay = (
                LEAST_S + net.delay_s + (self._rng.random() * net.jitter_s if net.jitter_s else 0.0)
            )
            # each after the last: timers of one moment come in any order
            self._arrives = max(self._arrives + 1e-6, now + delay, net.stalled_until)
            self._loop.call_at(self._arrives, self._put, text)

    def tell(self, frame: Frame, now: int) -> None:
        """A frame of a topic, unless the venue's own faults keep it back."""
        net = self._door.net
        dead = self.client.route in net.dead_routes or self.opened >= net.dead_from
        if dead or (net.mute and net.mute in frame.topic.lower()):
            if "trade" in frame.topic.lower():
                self._door.market.withheld(now)
            if (
                frame.book
            ):  # it counts on the line all the same: some books have no numbers of their own
                self._door.market.dialect.envelope(self.client, frame, now)
            return
        text = self._door.market.dialect.envelope(self.client, frame, now)
        if not text:
            return
        self.client.sent_at = now
        if frame.book and net.drop:
            net.drop -= 1
            return
        if frame.book and net.late:
            net.late -= 1
            self._held.append(text)
            return
        for each in (text, *self._held):
            self.say(each)
            self._door.told(self, each, self._arrives)
        self._held.clear()

    def hang_up(self, reason: str) -> None:
        """The other side ends the line; what is on its way still arrives."""
        self._door.gone(self)
        if not self.closed:
            self.closed = reason
            self._loop.call_at(max(self._arrives + 1e-6, self._loop.time()), self._put, None)

    def _put(self, text: str | None) -> None:
        if text is not None and (self.dead or self._door.net.swallowing):
            return
        self._frames.append(text)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # -- the recorder's side

    async def receive(self) -> str | bytes:
        while not self._frames:
            self._waiter = self._loop.create_future()
            await self._waiter
        frame = self._frames.popleft()
        if frame is None:
            raise LineClosed(self.closed)
        return frame

    async def send(self, text: str) -> None:
        if self.closed:
            raise LineClosed(self.closed)
        if self.dead or self._door.net.swallowing:
            return
        door = self._door
        for said in door.market.dialect.hear(self.client, text, door.now()):
            if isinstance(said, Close):
                self.hang_up(f"{said.code} {said.reason}")
            else:
                self.say(said)
                door.told(self, said, self._arrives)  # some answers hold a channel's first state
        if door.net.flapping:
            self.hang_up("1006")

    async def ping(self) -> asyncio.Future[None]:
        if self.closed:
            raise LineClosed(self.closed)
        pong = self._loop.create_future()
        if not (self.dead or self._door.net.swallowing):
            at = max(self._loop.time() + 2 * self._door.net.delay_s, self._door.net.stalled_until)
            self._loop.call_at(at, lambda: pong.done() or pong.set_result(None))
        return pong

    async def close(self) -> None:
        self.closed = self.closed or "closed by us"
        self._door.gone(self)


class Door:
    """Where one venue is called and asked. Counts what a venue would bar us for."""

    def __init__(self, market: Market, clock, rng: Random) -> None:
        self.market, self._clock, self._rng = market, clock, rng
        self.net = Network()
        self.lines: list[Line] = []
        self.calls: deque[float] = deque(maxlen=400)
        self.asked = Counter()
        self.asked_while_banned = 0
        self._told_of_ban = 0.0  # until when we were told to stay away
        self.weights = Weights(market.dialect.manners)
        self._brings = Brings(market.venue)
        # (symbol, channel) → when we last put something of it into an open line (loop's seconds)
        self.reached: dict[tuple[str, str], float] = {}
        self.resumed: dict[tuple[str, str], float] = {}  # the first after RESTED_S of nothing

    def now(self) -> int:
        """The venue's own clock, ns: true time, whatever ours says."""
        return self._clock.true()

    async def dial(self, url: str) -> Line:
        loop, net = asyncio.get_running_loop(), self.net
        self.calls.append(loop.time())
        await asyncio.sleep(0.05 + net.delay_s)
        await self._through()
        parts, now = urlsplit(url), self.now()
        if net.banned_until > loop.time():
            raise refusal(418, {"Retry-After": str(int(net.banned_until - loop.time()) + 1)})
        if net.out:
            raise refusal(503, {})
        found = self.market.dialect.open(parts.path, parts.query, now)
        if not isinstance(found, Client):
            raise refusal(found, {})
        line = Line(self, found, self._rng)
        self.lines.append(line)
        if net.flapping and found.topics:  # subscribed by its address
            loop.call_later(0.2, line.hang_up, "1006")
        return line

    async def ask(self, poll) -> bytes:
        loop, net = asyncio.get_running_loop(), self.net
        self.asked[urlsplit(poll.url).path] += 1
        if self._told_of_ban > loop.time():
            self.asked_while_banned += 1
        await asyncio.sleep(0.05 + net.delay_s)
        await self._through()
        if net.banned_until > loop.time():
            self._told_of_ban = net.banned_until
            raise refusal(418, {"Retry-After": str(int(net.banned_until - loop.time()) + 1)})
        if net.out or net.status:
            raise refusal(503 if net.out else net.status, {})
        parts, now = urlsplit(poll.url), self.now()
        body = poll.body.encode() if poll.body else b""
        question = Question("POST" if body else "GET", parts.path, parts.query, body)
        dialect = self.market.dialect
        refused = self.weights.ask(dialect.weight(question), now)
        answer = refused or dialect.answer(question, now)
        if answer.status != 200:
            raise refusal(answer.status, answer.headers)
        for channel in poll.channels:
            self.reached[channel.symbol, channel.name] = loop.time()
        text = answer.body
        if net.truncate and self._rng.random() < net.truncate:
            text = text[: self._rng.randrange(len(text))]
        return text

    async def _through(self) -> None:
        """The network's part of a call."""
        loop, net = asyncio.get_running_loop(), self.net
        if net.unreachable:
            raise Refused("no connection: unreachable")
        if net.swallowing:
            await asyncio.sleep(TIMEOUT_S)
            raise Refused("no connection: timed out")
        if net.stalled_until > loop.time():
            wait_s = net.stalled_until - loop.time()
            await asyncio.sleep(min(wait_s, TIMEOUT_S))
            if wait_s > TIMEOUT_S:
                raise Refused("no connection: timed out")

    def forget_ban(self) -> None:
        """A new process asks, and the disk took no word of a ban."""
        self._told_of_ban = 0.0

    def speak(self) -> None:
        """Let the market go on, and tell everyone who listens."""
        now, dialect = self.now(), self.market.dialect
        frames = self.market.step(now)
        if self.net.out:
            return
        for frame in frames:
            if dialect.wanted(frame.topic):
                for line in list(self.lines):
                    if frame.topic in line.client.topics:
                        line.tell(frame, now)
        for line in list(self.lines):
            for said in dialect.tick(line.client, now):
                if isinstance(said, Close):
                    line.hang_up(f"{said.code} {said.reason}")
                else:
                    line.say(said)

    def restart(self) -> None:
        """The venue's books count anew, its own way."""
        for frame in self.market.dialect.restart(self.now()):
            for line in list(self.lines):
                if frame.topic in line.client.topics:
                    line.tell(frame, self.now())

    def cut(self, reason: str) -> None:
        """All lines end."""
        for line in list(self.lines):
            line.hang_up(reason)

    def gone(self, line: Line) -> None:
        """A line is over for the venue."""
        if line in self.lines:
            self.lines.remove(line)
            self.market.dialect.gone(line.client)

    def told(self, line: Line, text: str, arrives: float) -> None:
        """A text is in an open line: the channels it brings were heard of then, at the latest."""
        if line.dead or self.net.swallowing:
            return
        for key in self._brings(text, self.now()):
            before = self.reached.get(key, 0.0)
            self.reached[key] = max(before, arrives, line.opened)
            if self.reached[key] - before > RESTED_S:
                self.resumed[key] = self.reached[key]


class SimAsker(Asker):
    """The shipped asker, budgets and bans included, whose questions go to the doors."""

    def __init__(self, doors: dict[str, Door], budgets, clock, bans) -> None:
        super().__init__(budgets, clock, bans=bans)
        self._doors = doors

    async def _body(self, poll) -> bytes:
        return await self._doors[poll.venue].ask(poll)


def seconds(ns: int) -> float:
    """ns → s."""
    return ns / SECOND_NS
