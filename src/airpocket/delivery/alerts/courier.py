"""Brings messages to their services: few at a time, again after failures, never blocking whoever watches."""

import asyncio
from collections import deque
from typing import Protocol

from airpocket.delivery.alerts.ledger import Ledger, Message
from airpocket.delivery.alerts.rules import Rules, Service
from airpocket.domain.ports import Clock
from airpocket.domain.units import HOUR_NS, SECOND_NS

_SHOWN = 10  # lines of a message that brings many
_SPARE = 10  # messages an hour beyond the rules' number, for what is urgent
_GAP_S = 15.0
_LEAST_S, _MOST_S = 15.0, 900.0  # between tries
_DEADLINE_S = 30.0


class Notifier(Protocol):
    """What can send: True: the service took it; False: it refused. May take long, or raise OSError."""

    async def send(self, service: Service, title: str, body: str) -> bool: ...


class Courier:
    """Delivers what the ledger holds for one service."""

    def __init__(
        self, service: Service, rules: Rules, ledger: Ledger, notifier: Notifier, clock: Clock
    ) -> None:
        self._service, self._rules, self._ledger = service, rules, ledger
        self._notifier, self._clock = notifier, clock
        self._sent_at: deque[int] = deque()
        self._wait_s = _LEAST_S
        self._not_before = 0
        self.trouble = ""
        self.failing_since: int | None = None  # ns; None: the last message was taken

    @property
    def name(self) -> str:
        """Of the service."""
        return self._service.name

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            await self.deliver()
            await asyncio.sleep(1.0)

    async def deliver(self) -> None:
        """Send what is due now, if the service may be called."""
        now = self._clock.now()
        while self._sent_at and now - self._sent_at[0] > HOUR_NS:
            self._sent_at.popleft()
        over = len(self._sent_at) - self._rules.per_hour
        if now < self._not_before or over >= _SPARE:
            return
        due = self._ledger.due(self._service.name, now)
        waiting = due if over < 0 else [each for each in due if each.urgent]
        if waiting:
            await self._send(waiting)

    async def _send(self, batch: list[Message]) -> None:
        title, body = told(batch)
        self._ledger.trying(batch, self._clock.now())
        uncertain, taken = False, False
        try:
            async with asyncio.timeout(_DEADLINE_S):
                taken = await self._notifier.send(self._service, title, body)
            self.trouble = "" if taken else "it refused the message"
        except TimeoutError:
            uncertain, self.trouble = True, f"no answer within {_DEADLINE_S:.0f} s"
        except OSError as error:
            self.trouble = str(error) or type(error).__name__
        now = self._clock.now()
        if taken:
            self.failing_since = None
            self._ledger.sent(batch, now)
            self._sent_at.append(now)
            self._wait_s, self._not_before = _LEAST_S, now + round(_GAP_S * SECOND_NS)
            return
        self.failing_since = self.failing_since or now
        self._not_before = now + round(self._wait_s * SECOND_NS)
        self._ledger.failed(batch, self._not_before, uncertain=uncertain)
        self._wait_s = min(2.0 * self._wait_s, _MOST_S)


def told(batch: list[Message]) -> tuple[str, str]:
    """Title and body: one message as it is, many as one that counts them."""
    again = " (this may have reached you before)" if any(each.uncertain for each in batch) else ""
    urgent = "URGENT: " if any(each.urgent for each in batch) else ""
    if len(batch) == 1:
        return f"airpocket {urgent}alert{again}", batch[0].words
    lines = [each.words for each in batch[:_SHOWN]]
    if len(batch) > _SHOWN:
        lines.append(f"… and {len(batch) - _SHOWN:,} more")
    return f"airpocket {urgent}{len(batch):,} alerts{again}", "\n".join(lines)
