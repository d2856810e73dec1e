"""How each venue's book changes follow one another, as the venues document it: one small function each."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

from airpocket.domain.wire import BookChange

Step: TypeAlias = Literal["apply", "old", "gap"]
Linked: TypeAlias = Literal["", "previous", "first"]
Reach: TypeAlias = Literal["whole", "snapshot", "window"]
# change, last id applied, whether a change was applied since the snapshot
Follows: TypeAlias = Callable[[BookChange, int, bool], Step]
Texts: TypeAlias = Sequence[tuple[str, str]]  # price and size as written, best first
Checksum: TypeAlias = Callable[[Texts, Texts], int]


@dataclass(frozen=True, slots=True)
class Rule:
    """`rest_snapshot`: changes wait for a snapshot that comes by REST. `depth`: levels a side to truncate to.

    `checksum`: the venue's arithmetic over both sides' wire texts.
    `reach`: how far the book is known. whole: all of it. snapshot: as deep as the snapshot was, further out
    only what was touched since. window: as many levels as the venue tells of, moving with the price.
    `depths`: the numbers of levels that may be asked for; none: any number may have been cut off.
    `linked`: by what a change follows the last once joined, where that is all there is to it: it names the
    one before it (`previous`), or its `first` id is one more.
    """

    follows: Follows
    rest_snapshot: bool = False
    depth: int | None = None
    checksum: Checksum | None = None
    reach: Reach = "window"
    depths: tuple[int, ...] = ()
    linked: Linked = ""


def rule_of(venue: str) -> Rule:
    """The rule of a venue's books; one nobody has written a rule for is taken as it comes."""
    return RULES.get(venue, Rule(unnumbered))


def binance_futures(change: BookChange, last: int, joined: bool) -> Step:
    """First `U <= lastUpdateId <= u`, then every `pu` is the `u` before."""
    first, final = change.first, change.last
    if first is None or final is None:
        return "gap"
    if final < last or (joined and final == last):
        return "old"
    if joined:
        return "apply" if change.previous == last else "gap"
    return "apply" if first <= last else "gap"


def binance_spot(change: BookChange, last: int, joined: bool) -> Step:
    """First `U <= lastUpdateId + 1 <= u`, then every `U` is one more than the `u` before."""
    first, final = change.first, change.last
    if first is None or final is None:
        return "gap"
    if final <= last:
        return "old"
    if joined:
        return "apply" if first == last + 1 else "gap"
    return "apply" if first <= last + 1 else "gap"


def counted(change: BookChange, last: int, joined: bool) -> Step:
    """Each id is one more than the one before (Bybit `u`, Kraken Futures `seq`)."""
    del joined
    if change.last is None:
        return "gap"
    if change.last <= last:
        return "old"
    return "apply" if change.last == last + 1 else "gap"


def chained(change: BookChange, last: int, joined: bool) -> Step:
    """Each change names the one before it (Deribit)."""
    del joined
    if change.last is None or change.previous is None:
        return "gap"
    if change.previous == last:
        return "apply"
    return "old" if change.last <= last else "gap"


def okx(change: BookChange, last: int, joined: bool) -> Step:
    """Chained; frames before ids came (none in book and change) rest on the checksum alone.

    Equal ids are a sign of life that changes nothing. An id below its predecessor is the venue's own
    reset: the chain goes on from it, and breaks like any other where its predecessor is not ours.
    """
    if change.last is None and change.previous is None and not last:
        return "apply"
    return chained(change, last, joined)


def unnumbered(change: BookChange, last: int, joined: bool) -> Step:
    """No ids to go by."""
    del change, last, joined
    return "apply"


def kraken_checksum(bids: Texts, asks: Texts) -> int:
    """CRC-32 of ten asks, then ten bids: price then size, without the dot and leading zeros."""
    parts = [
        text.replace(".", "").lstrip("0") for level in (*asks[:10], *bids[:10]) for text in level
    ]
    return zlib.crc32("".join(parts).encode())


def okx_checksum(bids: Texts, asks: Texts) -> int:
    """Signed CRC-32 of 25 levels, bid and ask in turn, joined by colons."""
    parts: list[str] = []
    for row in range(25):
        for side in (bids, asks):
            if row < len(side):
                parts += side[row]
    unsigned = zlib.crc32(":".join(parts).encode())
    return unsigned - (1 << 32) if unsigned >= 1 << 31 else unsigned


_BINANCE = (5, 10, 20, 50, 100, 500, 1_000, 5_000)
_BYBIT = (1, 25, 50, 100, 200, 500, 1_000)

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "binance_usdm": Rule(
            binance_futures, True, reach="snapshot", depths=_BINANCE, linked="previous"
        ),
        "binance_coinm": Rule(
            binance_futures, True, reach="snapshot", depths=_BINANCE, linked="previous"
        ),
        "binance_spot": Rule(binance_spot, True, reach="snapshot", depths=_BINANCE, linked="first"),
        "bybit_linear": Rule(counted, depths=_BYBIT),
        "bybit_inverse": Rule(counted, depths=_BYBIT),
        "bybit_spot": Rule(counted, depths=_BYBIT),
        "okx": Rule(okx, checksum=okx_checksum, depths=(1, 5, 50, 400)),
        "deribit": Rule(chained, reach="whole"),
        "hyperliquid": Rule(unnumbered, depths=(5, 20)),
        "kraken_futures": Rule(counted, reach="whole"),
        "kraken_spot": Rule(unnumbered, checksum=kraken_checksum, depths=(10, 25, 100, 500, 1_000)),
        "coinbase": Rule(unnumbered, reach="whole"),
    }
)
