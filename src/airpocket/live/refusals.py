"""Frames that were not understood: counted by venue, channel and field; too many make a channel degraded."""

import re
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from airpocket.domain.channels import ChannelName
from airpocket.domain.errors import UndecodableFrame, UnknownMessage
from airpocket.domain.units import SECOND_NS
from airpocket.ingest.log.records import Record
from airpocket.ingest.peek import channel_of, wire_channel
from airpocket.market.pulse import PulseStatus

_EXAMPLES = 20
_MOST_REASONS = 500  # what a venue says may vary without end, what we count must not
_WINDOW_NS = 60 * SECOND_NS
_MOST_SHARE = 0.001
_FEWEST = 5  # refusals in the window: one slip is no drift
_IN_A_ROW = 3  # of a channel that speaks rarely: none understood in between
_KEPT = 10_000
# These venues tell of forced closes within their trades.
_FORCED_IN_TRADES = ("deribit", "kraken_futures")

_PATH = re.compile(r"`(\$[^`]*)`")
_VARYING = re.compile(r"'[^']*'|\"[^\"]*\"|[-+]?\d[\d.,e+-]*")


@dataclass(slots=True)
class _Watch:
    """Of one (venue, channel): when frames were refused, and how many messages were understood when."""

    refused: deque[int] = field(default_factory=lambda: deque[int](maxlen=_KEPT))
    understood: deque[tuple[int, int]] = field(default_factory=deque[tuple[int, int]])
    in_a_row: int = 0
    ill: bool = False


class Refusals:
    """Owner of what was not understood. `counts`: by (venue, 'channel: reason'); `examples`: the newest.

    `unknown`: kinds of messages that are new to us, by (venue, what); they are no fault of a channel.
    """

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.unknown: Counter[tuple[str, str]] = Counter()
        self.examples: deque[tuple[str, str, bytes]] = deque(maxlen=_EXAMPLES)
        self._watches: dict[tuple[str, ChannelName], _Watch] = {}

    def refuse(self, record: Record, error: UndecodableFrame) -> ChannelName | None:
        """Count one frame; the channel it belonged to, None if that can't be told."""
        word = wire_channel(record.body, record.about if record.kind == "rest" else "")
        reason = (
            f"{word}: {_plain(record.venue, str(error))}"
            if word
            else _plain(record.venue, str(error))
        )
        _count(self.counts, (record.venue, reason))
        self.examples.append((record.venue, str(error), record.body[:400]))
        if isinstance(error, UnknownMessage):
            _count(self.unknown, (record.venue, str(error).removeprefix(f"{record.venue}: ")))
            return None
        channel = channel_of(word)
        if channel is not None:
            watch = self._watches.setdefault((record.venue, channel), _Watch())
            watch.refused.append(record.monotonic or record.heard)
            watch.in_a_row += 1
        return channel

    def judge(self, statuses: Iterable[PulseStatus], now: int) -> Mapping[tuple[str, str], str]:
        """(venue, channel) → why it can't be trusted: more than 0.1 % of the last minute was refused.

        Args: now: ns of the clock that never steps, by which the records were heard.
        """
        heard: Counter[tuple[str, str]] = Counter()
        for status in statuses:
            heard[status.venue, status.channel] += status.messages
        found: dict[tuple[str, str], str] = {}
        for (venue, channel), watch in self._watches.items():
            reason = _judged(watch, heard[venue, channel], now)
            if reason:
                found[venue, channel] = reason
                if channel == "trades" and venue in _FORCED_IN_TRADES:
                    found[venue, "liquidations"] = reason
        return found


def _judged(watch: _Watch, messages: int, now: int) -> str:
    since = watch.understood
    if since and messages > since[-1][1]:
        watch.in_a_row = 0
    if not since or now - since[-1][0] >= SECOND_NS:
        since.append((now, messages))
    while len(since) > 1 and since[1][0] <= now - _WINDOW_NS:
        since.popleft()
    while watch.refused and watch.refused[0] < now - _WINDOW_NS:
        watch.refused.popleft()
    refused, good = len(watch.refused), messages - since[0][1]
    share = refused / (refused + good) if refused else 0.0
    if refused >= _FEWEST and share > _MOST_SHARE:
        return f"{share:.1%} of its frames in the last minute were not understood"
    if watch.in_a_row >= _IN_A_ROW:
        return f"its last {watch.in_a_row} frames were not understood"
    return ""


def _plain(venue: str, message: str) -> str:
    """The reason without what varies from frame to frame: field and rule stay, values go."""
    text = message.removeprefix(f"{venue}: ")
    path = _PATH.search(text)
    rule = _VARYING.sub("…", text[: path.start()] if path else text)[:80].rstrip(" -")
    return f"{path[1][:60]}: {rule.removesuffix(' - at')}" if path else rule


def _count(counts: Counter[tuple[str, str]], key: tuple[str, str]) -> None:
    if key not in counts and len(counts) >= _MOST_REASONS:
        key = (key[0], "other reasons")
    counts[key] += 1
