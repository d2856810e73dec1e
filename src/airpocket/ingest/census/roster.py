"""Whom to ask next: every address met, the new ones first, holders again sooner than the flat. Time is data."""

import heapq
from dataclasses import dataclass

from airpocket.domain.units import SECOND_NS


@dataclass(frozen=True, slots=True)
class RosterSettings:
    """again_s, flat_again_s: how long an answer lasts, of who holds something and of who does not.

    tries: how often in a row an account is asked before it is left for `later_s`.
    """

    again_s: float = 900.0
    flat_again_s: float = 21_600.0
    tries: int = 3
    later_s: float = 900.0


class Roster:
    """Owner of the queue of accounts. Times are ns of any one clock."""

    def __init__(self, settings: RosterSettings | None = None) -> None:
        self._settings = settings or RosterSettings()
        self._queue: list[tuple[int, int, str]] = []
        self._number = 0
        self._due: dict[str, int] = {}  # 0: never asked
        self._failed: dict[str, int] = {}
        self.asked: set[str] = set()  # in this run

    def __len__(self) -> int:
        return len(self._due)

    def __contains__(self, account: str) -> bool:
        return account in self._due

    def meet(self, account: str, asked_at: int = 0, *, holds: bool = False) -> bool:
        """An address heard of, with when it was last asked; False where it was known."""
        if account in self._due:
            return False
        self._put(account, 0 if asked_at == 0 else asked_at + self._lasts(holds=holds))
        return True

    def next(self, now: int) -> str | None:
        """The account to ask now; it is out of the queue until `told` or `failed`. None: nobody is due."""
        while self._queue and self._queue[0][0] <= now:
            due, _, account = heapq.heappop(self._queue)
            if self._due.get(account) == due:
                return account
        return None

    def wait_s(self, now: int) -> float | None:
        """Seconds until somebody is due; None: nobody waits."""
        return max(self._queue[0][0] - now, 0) / SECOND_NS if self._queue else None

    def told(self, account: str, now: int, *, holds: bool) -> None:
        """An account answered."""
        self._failed.pop(account, None)
        self.asked.add(account)
        self._put(account, now + self._lasts(holds=holds))

    def put_back(self, account: str, now: int) -> None:
        """An account was not asked after all: the venue wants to be left alone for a while."""
        self._put(account, now)

    def failed(self, account: str, now: int) -> bool:
        """An account gave no readable answer; True where it is left for later."""
        count = self._failed.get(account, 0) + 1
        given_up = count >= self._settings.tries
        self._failed[account] = 0 if given_up else count
        self._put(account, now + round(self._settings.later_s * SECOND_NS) if given_up else now)
        return given_up

    def _lasts(self, *, holds: bool) -> int:
        s = self._settings
        return round((s.again_s if holds else s.flat_again_s) * SECOND_NS)

    def _put(self, account: str, due: int) -> None:
        self._number += 1
        self._due[account] = due
        heapq.heappush(self._queue, (due, self._number, account))
