"""Asking a venue over REST: within its budget, never redirected, a ban obeyed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias
from urllib.parse import urlsplit

import httpx

from airpocket.domain.ports import Clock
from airpocket.ingest.bans import Bans
from airpocket.ingest.dial import Refused, refusal, through_gate
from airpocket.ingest.feed import Poll
from airpocket.ingest.pace import Budget
from airpocket.ingest.resolve import Resolve, Resolver

_TIMEOUT_S = 10.0
_MOST_BYTES = 16 * 1024 * 1024
# Snapshots after a storm of losses must not eat the whole budget, nor come all at once.
_SHARE = 0.5
_BURST_S = 10.0

Ask: TypeAlias = Callable[[Poll], Awaitable[bytes]]


class Asker:
    """One client for all venues; `async with` closes it. Calling it asks one question.

    Raises:
        Refused: no answer, or an answer other than 200; says how long to stay away.
    """

    def __init__(
        self,
        budgets: dict[str, int],
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        *,
        gate: str = "",
        resolve: Resolve | None = None,
        bans: Bans | None = None,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        """
        Args:
            budgets: REST weight a minute by venue.
            bans: who wants to be left alone already; None: nobody.
            gate: reach every venue through this address.
            resolve: names into public addresses, asked first where there is no gate.
            most_bytes: of one answer; a longer one is refused.
        """
        self._clock, self._sleep, self._gate = clock, sleep, gate
        self._resolve, self._most_bytes = resolve or Resolver(), most_bytes
        self._client = httpx.AsyncClient(
            timeout=_TIMEOUT_S, follow_redirects=False, trust_env=False
        )
        now = clock.monotonic()
        self._budgets = {
            venue: Budget(per_minute * _SHARE / 60.0, per_minute * _SHARE / 60.0 * _BURST_S, now)
            for venue, per_minute in budgets.items()
        }
        self.bans = bans or Bans(clock)

    async def __call__(self, poll: Poll) -> bytes:
        await self._wait(poll)
        try:
            answer = await self._body(poll)
        except (httpx.HTTPError, OSError) as error:
            raise Refused(f"no answer: {error or type(error).__name__}") from error
        except Refused as refused:
            if refused.wait_s > 0.0:
                self.bans.bar(poll.venue, refused.wait_s)
            raise
        return answer

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    async def _wait(self, poll: Poll) -> None:
        """Until the budget allows the question and no ban forbids it; a ban may come while we wait."""
        budget = self._budgets.get(poll.venue)
        while True:
            while (banned_s := self.bans.wait_s(poll.venue)) > 0.0:
                await self._sleep(banned_s)
            now = self._clock.monotonic()
            wait_s = budget.wait_s(float(poll.weight), now) if budget is not None else 0.0
            if wait_s <= 0.0:
                return
            await self._sleep(wait_s)
            if self.bans.wait_s(poll.venue) <= 0.0:
                return

    async def _body(self, poll: Poll) -> bytes:
        method = "POST" if poll.body else "GET"
        url = through_gate(poll.url, self._gate)
        if not self._gate:
            await self._resolve(urlsplit(url).hostname or "")
        headers = dict(poll.headers)
        if poll.body:
            headers["Content-Type"] = "application/json"
        content = poll.body.encode() if poll.body else None
        async with self._client.stream(method, url, content=content, headers=headers) as found:
            if found.status_code != 200:
                raise refusal(found.status_code, found.headers)
            parts: list[bytes] = []
            size = 0
            async for part in found.aiter_bytes():
                size += len(part)
                if size > self._most_bytes:
                    raise Refused(f"an answer of more than {self._most_bytes:,} bytes")
                parts.append(part)
        return b"".join(parts)
