"""A running market: made from a world and a seed, moved on in virtual time, its journal handed out in order."""

import hashlib
from collections.abc import Iterator

import numpy as np

from airpocket.domain.events import IntArray
from airpocket.lab.exchange.draws import other_key
from airpocket.lab.exchange.state import COLUMNS, Market, copy_of
from airpocket.lab.runs.loop import VENUE_CLOCK, WORLD, advance, heapify
from airpocket.lab.runs.making import draft, first_wakes, market_of
from airpocket.lab.runs.opening import open_positions
from airpocket.lab.runs.population import populate
from airpocket.lab.runs.worldfile import World


class Session:
    """One market and its virtual clock; time only moves when asked.

    The same world and seed give the same journal, bit for bit, however the time is cut into calls.
    """

    def __init__(self, world: World, seed: int) -> None:
        if not 0 <= seed < 2**63:
            raise ValueError(f"seed must lie between 0 and 2^63 - 1, not {seed}")
        self.world, self.seed = world, seed
        made = draft(world, seed)
        people = populate(made)
        self.market: Market = market_of(made)
        open_positions(made, self.market, people)
        first_wakes(self.market, people.spread_ns, (WORLD, VENUE_CLOCK))
        heapify(self.market)
        self._digest = hashlib.blake2b(digest_size=16)

    @property
    def now(self) -> int:
        """Virtual time, ns."""
        return int(self.market.now)

    @property
    def end(self) -> int:
        """When the world ends, ns."""
        return self.world.start_ns + round(self.world.hours * 3_600) * 1_000_000_000

    @property
    def events(self) -> int:
        """Wake-ups, orders and cancellations so far."""
        return int(self.market.events)

    @property
    def hash(self) -> str:
        """Of the whole journal so far, 32 hex digits."""
        return self._digest.copy().hexdigest()

    def fork(self, chance: int = 0) -> "Session":
        """A second market that goes on from here; what is done to one does not touch the other.

        chance: 0: the draws to come are this one's too; any other number: others.
        """
        twin = Session.__new__(Session)
        twin.world, twin.seed = self.world, self.seed
        twin.market, twin._digest = copy_of(self.market), self._digest.copy()
        twin.market.actors["key"] ^= np.uint64(other_key(chance))
        return twin

    def until(self, time: int) -> Iterator[IntArray]:
        """Moves to `time` (ns) and yields the journal's new rows, (n, COLUMNS) each, in order."""
        while True:
            done = advance(self.market, time)
            yield self._drained()
            if done:
                return

    def _drained(self) -> IntArray:
        count = int(self.market.logged)
        assert count <= len(self.market.log), "one actor wrote more than SPARE rows"
        rows = self.market.log[:count].copy()
        self.market.logged = 0
        self._digest.update(np.ascontiguousarray(rows, dtype="<i8").tobytes())
        assert rows.shape[1] == COLUMNS
        return rows
