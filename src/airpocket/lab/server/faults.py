"""Faults on demand: a schedule of actions, and what each does to frames, connections and answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from airpocket.domain.errors import BadInput
from airpocket.domain.units import SECOND_NS
from airpocket.lab.dialects.speech import Client, Frame

What: TypeAlias = Literal[
    "ack_no_data",  # T01: a route (target) confirms and never speaks; of all routes where none is named
    "ack_no_data_to_new",  # T02: the same, for connections opened from then on
    "drop_delta",  # B01: the next `count` changes of a book are lost
    "duplicate_delta",  # B02
    "reorder_deltas",  # B03: the next change comes after the one behind it
    "crossed_book",  # a bid above the best offer, until `for_s` is over
    "silent_symbol",  # T06: nothing more of one symbol (target)
    "flap",  # T09: every connection ends right after its first message
    "ban",  # B06, T10: 418 with Retry-After, on every door
    "stamps",  # times in another unit: target "us" or "s"
    "restart",  # B07, B09: the books count anew, each venue's own way
    "disconnect",  # T08: every connection breaks without a closing frame
    "shutdown",  # T13: the venue's notice, then a planned end of all connections
    "outage",  # notice, end of all connections, and 503 while it lasts
]
_UNITS_NS = {"us": 1_000, "s": SECOND_NS}
_LASTING = (
    "ack_no_data",
    "ack_no_data_to_new",
    "crossed_book",
    "silent_symbol",
    "flap",
    "ban",
    "stamps",
    "outage",
)


@dataclass(frozen=True, slots=True)
class Action:
    """What happens at a venue `at_s` seconds (of the wire) after the start; for_s 0: for ever."""

    at_s: float
    what: What
    venue: str
    target: str = ""
    for_s: float = 0.0
    count: int = 1

    def __post_init__(self) -> None:
        if self.what not in get_args(What):
            raise BadInput(f"action '{self.what}' unknown; there are: {', '.join(get_args(What))}")
        if self.what == "stamps" and self.target not in _UNITS_NS:
            raise BadInput(f"action stamps: target '{self.target}'; one of {', '.join(_UNITS_NS)}")
        if self.what == "silent_symbol" and not self.target:
            raise BadInput("action silent_symbol: target: name the symbol")

    @property
    def unit_ns(self) -> int:
        """Of the stamps while it lasts."""
        return _UNITS_NS[self.target]

    def holds(self, since_s: float) -> bool:
        lasting = self.what in _LASTING
        return (
            lasting
            and since_s >= self.at_s
            and (not self.for_s or since_s < self.at_s + self.for_s)
        )


@dataclass
class Faults:
    """The schedule of one venue. `begin` and `done` tell what starts and ends now; `pass_on` bends frames."""

    actions: Sequence[Action]
    start: int
    _begun: int = 0
    _running: list[Action] = field(default_factory=list[Action])
    _drop: int = 0
    _twice: int = 0
    _late: int = 0
    _held: list[Frame] = field(default_factory=list[Frame])
    happened: list[Action] = field(default_factory=list[Action])

    def __post_init__(self) -> None:
        self.actions = sorted(self.actions, key=lambda action: action.at_s)

    def turn(self, now: int) -> tuple[list[Action], list[Action]]:
        """What begins now and what is over now."""
        since = (now - self.start) / SECOND_NS
        begun: list[Action] = []
        while self._begun < len(self.actions) and self.actions[self._begun].at_s <= since:
            action = self.actions[self._begun]
            self._begun += 1
            begun.append(action)
            self.happened.append(action)
            self._drop += action.count * (action.what == "drop_delta")
            self._twice += action.count * (action.what == "duplicate_delta")
            self._late += action.count * (action.what == "reorder_deltas")
            if action.what in _LASTING:
                self._running.append(action)
        over = [action for action in self._running if not action.holds(since)]
        for action in over:
            self._running.remove(action)
        return begun, over

    def running(self, what: What) -> Action | None:
        """The action of that kind which holds now."""
        return next((action for action in self._running if action.what == what), None)

    def bend(self, frames: Sequence[Frame]) -> list[Frame]:
        """Frames with links of a book lost, repeated or out of order."""
        if not (self._drop or self._twice or self._late or self._held):
            return list(frames)
        found: list[Frame] = []
        for frame in frames:
            if not frame.book:
                found.append(frame)
            elif self._drop:
                self._drop -= 1
            elif self._late:
                self._late -= 1
                self._held.append(frame)
            else:
                found.append(frame)
                if self._twice:
                    self._twice -= 1
                    found.append(frame)
                found += [held for held in self._held if held.topic == frame.topic]
                self._held = [held for held in self._held if held.topic != frame.topic]
        return found

    def muted(self, client: Client, topic: str) -> bool:
        """Whether this client hears nothing of the topic now."""
        for action in self._running:
            what = action.what
            if what in ("ack_no_data", "ack_no_data_to_new") and action.target in (
                "",
                client.route,
            ):
                if what == "ack_no_data" or client.opened >= self.start + action.at_s * SECOND_NS:
                    return True
            elif what == "silent_symbol" and action.target.lower() in topic.lower():
                return True
        return False
