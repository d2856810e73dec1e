"""How often one may knock: backoff with full jitter, and a budget that refills with time. Time is data."""

from dataclasses import dataclass
from random import Random

from airpocket.domain.units import SECOND_NS


@dataclass(frozen=True, slots=True)
class BackoffSettings:
    """Waits grow from `first_s` by `factor` to `most_s`; `proof_s` of data starts them afresh."""

    first_s: float = 0.5
    factor: float = 2.0
    most_s: float = 60.0
    proof_s: float = 30.0


class Backoff:
    """The wait before each attempt, drawn evenly between nothing and the present bound.

    Full jitter (Brooker, "Exponential backoff and jitter", 2015): many clients that fall together do not
    come back together. Connecting proves nothing; only `proof_s` of data starts the waits afresh.
    """

    def __init__(self, settings: BackoffSettings, random: Random) -> None:
        self._settings, self._random = settings, random
        self.attempts = 0

    def next_s(self) -> float:
        """Seconds to wait before the next attempt; the first is made at once."""
        s = self._settings
        bound = min(s.first_s * s.factor ** max(self.attempts - 1, 0), s.most_s)
        wait = 0.0 if self.attempts == 0 else self._random.uniform(bound / 10.0, bound)
        self.attempts = min(self.attempts + 1, 64)
        return wait

    def worked(self, data_s: float) -> None:
        """A session brought data for `data_s` seconds."""
        if data_s >= self._settings.proof_s:
            self.attempts = 1


class Budget:
    """A token bucket: `per_s` units a second, at most `most` saved up."""

    def __init__(self, per_s: float, most: float, now: int) -> None:
        self._per_s, self._most = per_s, most
        self._held, self._at = most, now

    def wait_s(self, units: float, now: int) -> float:
        """Take units and return the seconds to wait before using them; `now` in monotonic ns."""
        self._held = min(self._most, self._held + max(now - self._at, 0) / SECOND_NS * self._per_s)
        self._at = max(now, self._at)
        self._held -= units
        return max(-self._held / self._per_s, 0.0)
