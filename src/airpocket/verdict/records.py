"""What the state machine says: a state with its direction and reasons, and how it came there."""

from typing import Literal, TypeAlias

from msgspec import Struct

from airpocket.domain.tells import Graded, Tell

Direction: TypeAlias = Literal["up", "down"]
State: TypeAlias = Literal[
    "quiet", "armed", "ignition", "squeeze on", "exhaustion", "retrace", "consolidation"
]


class Transition(Struct, frozen=True, kw_only=True):
    """One change of state: at the end of which hour (ns), from what to what, and why, with figures."""

    at: int
    direction: Direction
    before: State
    after: State
    because: list[str]


class Verdict(Graded, frozen=True, kw_only=True):
    """The state machine's word (M7), as a graded reading with a direction and a past.

    state: one of `State`, or `unknown`. direction: up where shorts are squeezed, down where longs are
    flushed; None while quiet both ways or unknown. since: ns. other: what the other direction is at.
    would_change: sentences with the prices that would move it on. path: the last days' changes of the
    shown direction. missing: what would sharpen it and is not here. ahead: how near the next pockets are,
    both ways, and whether they would run.
    """

    direction: Direction | None
    since: int | None
    other: str
    would_change: list[str]
    path: list[Transition]
    missing: list[str]
    ahead: list[Tell]
