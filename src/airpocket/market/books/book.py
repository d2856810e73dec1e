"""One market's book: live while every change follows the last, untrusted from the first that does not."""

from collections import deque
from typing import Literal, TypeAlias

from airpocket.domain.depth import DepthColumns, Ints, Tops
from airpocket.domain.units import SECOND_NS
from airpocket.domain.wire import BookChange
from airpocket.market.books.ladder import Ladder, Touch
from airpocket.market.books.rules import Checksum, Rule, Step, rule_of, unnumbered
from airpocket.market.books.run import run

BookState: TypeAlias = Literal["empty", "syncing", "live", "untrusted", "delisted"]

_MOST_WAITING = 4_096  # changes kept until their snapshot comes
_CRC = 0xFFFFFFFF  # a checksum's bits, whether written with a sign or without
_MOST_SUMMED = 25  # levels a side, of any venue's checksum
_MOST_OLD = 1_000  # changes in a row older than the book: then the venue counts anew
_CROSSED_NS = SECOND_NS  # crossed for longer: not a passing moment of the matching engine


class Book:
    """Takes changes in the order heard; nothing it is given makes it raise.

    empty: nothing came. syncing: changes wait for their snapshot. untrusted: a change is missing, the
    checksum or the prices contradict themselves; its levels are not shown until a snapshot mends it.
    """

    def __init__(self, venue: str, symbol: str, *, depth: int | None = None) -> None:
        """Args: depth: levels a side that were subscribed, where the venue truncates to them."""
        self.venue, self.symbol = venue, symbol
        self._rule: Rule = rule_of(venue)
        self._depth = depth if depth is not None else self._rule.depth
        self._levels = Ladder()
        self._state: BookState = "empty"
        self._reason = "no book came yet"
        self._last: int = 0
        self._joined = False
        self._resumable = False
        self._old = 0  # in a row
        self._wrong = ""
        self._waiting: deque[BookChange] = deque(maxlen=_MOST_WAITING)
        self._crossed_since: int | None = None
        self._unheard = False  # silent for longer than is normal since its last change
        self.in_coin = True
        self.connection = ""
        self.ts = self.heard = 0  # of the last change applied, ns
        self.applied = self.repeated = self.gaps = self.checked = 0
        self.restarts = 0  # of the venue's service, as it declares them
        self.ignored = self.dropped = 0  # not this book's, or after it was delisted; waited in vain

    @property
    def state(self) -> BookState:
        """Where the book stands; a crossed book is not to be trusted."""
        if self._state == "live" and self._crossed_since is not None:
            return "untrusted"
        return self._state

    @property
    def reason(self) -> str:
        """Why it is not live; '' when it is."""
        if self._state == "live" and self._crossed_since is not None:
            best = self._levels.touch()
            return f"crossed: bid {best.bid:g} at or above ask {best.ask:g}" if best else "crossed"
        return self._reason

    @property
    def auditable(self) -> bool:
        """Whether a snapshot asked for by REST tells it anything: it is live, and its changes are numbered."""
        return self._rule.rest_snapshot and self.state == "live"

    @property
    def pending_since(self) -> int | None:
        """When it began to wait for its first snapshot, or for a change to prove that none is missing (ns).

        None where it does not wait: it is live, or known to be wrong.
        """
        if self._state == "syncing" and not self.applied:
            return self._waiting[0].usable_from if self._waiting else None
        return self.heard if self._state == "untrusted" and self._resumable else None

    def is_behind(self, snapshot: BookChange) -> bool:
        """Whether a snapshot tells of more than the book has heard; only where changes are numbered."""
        return snapshot.last is not None and snapshot.last > self._last

    @property
    def levels(self) -> Ladder | None:
        """The levels of a live book; None while it can't be trusted."""
        return self._levels if self.state == "live" else None

    @property
    def wants_snapshot(self) -> bool:
        """Whether only a new snapshot can help."""
        if self._state == "live":
            since = self._crossed_since
            return since is not None and self.heard - since > _CROSSED_NS
        return self._state in ("syncing", "untrusted") and not self._resumable

    def distrust(self, reason: str, *, for_good: bool = False) -> None:
        """Changes may be missing from here on, as after a lost connection.

        Where changes are numbered, the next one tells whether any is: then the book goes on, unless it is
        wrong in itself: `for_good`, until a snapshot mends it.
        """
        if self._state in ("live", "syncing"):
            numbered = self._rule.follows is not unnumbered
            self._resumable = self._state == "live" and numbered and not for_good
            self._state, self._reason = "untrusted", reason
            self._waiting.clear()

    def unheard(self) -> None:
        """Silent for longer than is normal: without numbers or a sum the next change can't tell what is missing."""
        self._unheard = self._rule.follows is unnumbered and self._rule.checksum is None

    def restart(self, reason: str) -> None:
        """What stands here no longer means what it did, as after a change of the contract's size or tick."""
        if self._state != "delisted":
            self._state, self._reason, self._resumable = "untrusted", reason, False
            self._waiting.clear()

    def apply(self, change: BookChange) -> None:
        """Take one change or snapshot; of another contract or after the delisting it is only counted."""
        if self._state == "delisted" or (change.venue, change.symbol) != (self.venue, self.symbol):
            self.ignored += 1
            return
        if self._unheard and not change.snapshot:
            self.distrust("changes may be missing: it was silent for too long, and counts none")
        if change.snapshot:
            self._replace(change)
        elif self._state == "live":
            self._follow(change)
        elif self._resumable:
            self._resume(change)
        elif self._rule.rest_snapshot:
            self._wait(change)
        else:
            self.dropped += 1  # its snapshot comes in the same stream, after it

    def run(self, columns: DepthColumns, heard: Ints, start: int, tops: Tops) -> int:
        """Apply many changes of this market from `start`, as `apply` would one by one → where it stopped.

        heard: (n,) ns. Fills `tops`. It stops before the first change that needs `apply`, which may be the
        one at `start`, and after one that left the book crossed or not to be trusted.
        """
        rule = self._rule
        plain = self._depth is None and rule.checksum is None and rule.linked and self.in_coin
        if (
            not plain
            or not self._joined
            or self._state != "live"
            or self._crossed_since is not None
        ):
            return start
        at, notable = run(self._levels, columns, start, self._last, rule.linked, tops)
        if at > start:
            self._last, self._old = int(columns.last[at - 1]), 0
            self.applied += at - start
            self.ts, self.heard = int(columns.ts[at - 1]), int(heard[at - 1])
        if notable:
            self._judge()
        return at

    def _replace(self, change: BookChange) -> None:
        if (
            change.last == 1
            and not change.bids
            and not change.asks
            and self.venue.startswith("bybit")
        ):
            self._state, self._reason = "delisted", "the venue no longer lists it"
            self._levels.clear()
            return
        if self._state == "live" and self._is_stale_snapshot(change):
            self.repeated += 1
            return
        self.restarts += (
            self._state == "live" and change.last == 1 and self.venue.startswith("bybit")
        )
        self._levels.clear()
        self._put(change)
        self._bound(change)
        self._last, self._old = change.last or 0, 0
        self._joined, self.in_coin = False, change.in_coin
        self._state, self._reason, self._resumable = "live", "", False
        self._applied(change)
        waiting = list(self._waiting)
        self._waiting.clear()
        for each in waiting:
            self._old = 0  # many that waited may be older than the snapshot
            if self._state == "live":
                self._follow(each)
            else:
                self._wait(each)

    def _resume(self, change: BookChange) -> None:
        """After a lost connection: the first change that is not old either follows or proves a loss."""
        old = self._rule.follows(change, self._last, self._joined) == "old"
        if old and not self._counts_anew(change):
            self.repeated += 1
            return
        self._resumable, self._state, self._reason = False, "live", ""
        self._follow(change)

    def _is_stale_snapshot(self, change: BookChange) -> bool:
        """A REST answer older than what the changes have built since, the book being sound."""
        return (
            self._rule.rest_snapshot and self._joined and self._crossed_since is None
            and change.last is not None and change.last < self._last
        )  # fmt: skip

    def _wait(self, change: BookChange) -> None:
        if self._state == "empty":
            self._state, self._reason = "syncing", "changes wait for their snapshot"
        self.dropped += len(self._waiting) == _MOST_WAITING  # the oldest goes
        self._waiting.append(change)

    def _follow(self, change: BookChange) -> None:
        step: Step = self._rule.follows(change, self._last, self._joined)
        if step == "old" and not self._counts_anew(change):
            self.repeated += 1
            return
        if step != "apply":
            self.gaps += 1
            self._state, self._reason = "untrusted", self._broken(change, step)
            if self._rule.rest_snapshot:
                self._wait(change)
            return
        self._old = 0
        self._put(change)
        if change.last is not None:
            self._last = change.last
        self._joined = True
        self._applied(change)

    def _counts_anew(self, change: BookChange) -> bool:
        """A lower id told later than the book, or many in a row: no repetition but an undeclared reset."""
        self._old += 1
        # before it is joined, a snapshot by REST may be ahead of the changes that still come
        sure = self._joined or not self._rule.rest_snapshot
        later = sure and change.ts > self.ts and change.last != self._last
        return later or self._old > _MOST_OLD

    def _broken(self, change: BookChange, step: Step) -> str:
        came = f"{change.first} to {change.last}" if change.first is not None else f"{change.last}"
        if step == "old":
            return f"ids run backwards: after {self._last} came {came}"
        if self._rule.rest_snapshot and not self._joined:
            return f"the snapshot is too old: it ends at {self._last}, the changes begin at {came}"
        follows = f", which follows {change.previous}" if change.previous is not None else ""
        return f"a change is missing: after {self._last} came {came}{follows}"

    def _bound(self, change: BookChange) -> None:
        """How far the new snapshot tells, by the venue's rule."""
        rule, levels = self._rule, self._levels
        for side in (levels.bids, levels.asks):
            if rule.reach == "snapshot" and len(side) in rule.depths:
                side.edge = side.worst()
        if rule.reach == "window":
            held = max(len(change.bids), len(change.asks), 1)
            window = self._depth or min((n for n in rule.depths if n >= held), default=held)
            levels.bids.window = levels.asks.window = window

    def _outrun(self, best: Touch | None) -> str:
        """Whether the price left what the snapshot told: between there and here levels may be unseen."""
        levels = self._levels
        if best is None:
            return ""
        low, high = levels.bids.edge, levels.asks.edge
        if (low is not None and best.bid < low) or (high is not None and best.ask > high):
            return f"the price left the snapshot's range of {low or 0:g} to {high or 0:g}"
        return ""

    def _put(self, change: BookChange) -> None:
        """Set the levels, and how they were written; what falls out of the venue's depth goes."""
        levels = self._levels
        _, self._wrong = levels.apply(change.bids, change.asks)
        if not self._wrong and (change.bid_texts or change.ask_texts):
            levels.bids.write(change.bids, change.bid_texts)
            levels.asks.write(change.asks, change.ask_texts)
        if self._depth is not None:
            levels.bids.keep(self._depth)
            levels.asks.keep(self._depth)

    def _applied(self, change: BookChange) -> None:
        self.applied += 1
        self._unheard = False
        self.ts, self.heard = change.ts, change.heard or change.usable_from
        # without a checksum to compare the book is unverified, not wrong
        if not self._judge() and self._rule.checksum is not None and change.checksum is not None:
            self._check_sum(self._rule.checksum, change.checksum)

    def _judge(self) -> str:
        """After a change: what is wrong with the book, '' if nothing is; a crossed one is noted."""
        best = self._levels.touch()
        self._wrong = self._wrong or self._outrun(best)
        if self._wrong:
            self._state, self._reason = "untrusted", self._wrong
            return self._wrong
        if best is not None and best.bid >= best.ask:
            if self._crossed_since is None:
                self._crossed_since = self.heard
        else:
            self._crossed_since = None
        return ""

    def _check_sum(self, arithmetic: Checksum, told: int) -> None:
        bids = self._levels.bids.top_texts(_MOST_SUMMED)
        asks = self._levels.asks.top_texts(_MOST_SUMMED)
        if bids is None or asks is None:
            return
        self.checked += 1
        found = arithmetic(bids, asks)
        if found & _CRC != told & _CRC:
            self._state = "untrusted"
            self._reason = f"checksum {found} where the venue has {told}"
