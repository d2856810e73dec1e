"""Who may come in: the bearer token, launch codes that are exchanged for it once, and tickets for websockets."""

import secrets
from collections import deque

from airpocket.domain.ports import Clock
from airpocket.domain.units import MINUTE_NS, SECOND_NS

CODE_S, TICKET_S = 60.0, 30.0
_MOST_KEPT = 1_024
_FAILURES = 5  # a minute
_REQUESTS = 100  # a second


def new_secret() -> str:
    """256 random bits as text."""
    return secrets.token_urlsafe(32)


class _Once:
    """Secrets that work once, for a while."""

    def __init__(self, clock: Clock, lasts_s: float) -> None:
        self._clock, self._lasts_ns = clock, round(lasts_s * SECOND_NS)
        self._until: dict[str, int] = {}

    def make(self) -> str:
        while len(self._until) >= _MOST_KEPT:
            del self._until[next(iter(self._until))]
        made = new_secret()
        self._until[made] = self._clock.monotonic() + self._lasts_ns
        return made

    def take(self, given: str) -> bool:
        until = self._until.pop(given, 0)
        return self._clock.monotonic() < until


class Keys:
    """The token of this start, and everything that leads to it. Nothing of it is ever written to a log."""

    def __init__(self, token: str, clock: Clock) -> None:
        self._token, self._clock = token.encode(), clock
        self.codes, self.tickets = _Once(clock, CODE_S), _Once(clock, TICKET_S)
        self._failed: deque[int] = deque()
        self._second, self._requests = 0, 0

    @property
    def token(self) -> str:
        return self._token.decode()

    def knows(self, authorization: bytes) -> bool:
        """Whether a header `Bearer TOKEN` has the token; takes as long for every wrong one."""
        scheme, _, given = authorization.partition(b" ")
        right = secrets.compare_digest(given.strip(), self._token)
        return right and scheme.lower() == b"bearer"

    def failed(self) -> bool:
        """Note a wrong token or code; False: too many within a minute, so that guessing is of no use."""
        now = self._clock.monotonic()
        while self._failed and now - self._failed[0] > MINUTE_NS:
            self._failed.popleft()
        if len(self._failed) >= _FAILURES:
            return False
        self._failed.append(now)
        return True

    @property
    def locked(self) -> bool:
        """Whether wrong codes and tokens are too many now."""
        now = self._clock.monotonic()
        return sum(now - at <= MINUTE_NS for at in self._failed) >= _FAILURES

    def hurried(self) -> bool:
        """Count a request; True: more than a hundred within this second."""
        second = self._clock.monotonic() // SECOND_NS
        if second != self._second:
            self._second, self._requests = second, 0
        self._requests += 1
        return self._requests > _REQUESTS
