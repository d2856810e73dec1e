"""Binance's depth frames read compiled, alone or in bulk: what is written just as the venue writes it.

Everything else (another order or form, unknown or repeated fields, more digits than a float holds) is left to
the typed shapes, whose answer this reader never differs from: a test holds the two against each other.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpocket.domain.depth import DepthColumns, Floats, Ints, Level, Levels
from airpocket.domain.kernel import inlined, kernel

_OPEN, _CLOSE, _QUOTE, _COMMA, _DOT, _ZERO, _COLON, _END, _AT = 91, 93, 34, 44, 46, 48, 58, 125, 64
_EXACT = 2**53  # whole numbers a float holds without loss; powers of ten up to 10^22 are exact too
_TENS = 10.0 ** np.arange(23)
_DIGITS = 17  # of a number, its dot counted: such a whole number never overflows
# fields by number; the first six are whole numbers
_EVENT, _TRADED, _FIRST, _LAST, _PREVIOUS, _FAMILY, _SYMBOL, _KIND, _BIDS, _ASKS = range(10)
_NEEDED = (
    1 << _EVENT | 1 << _FIRST | 1 << _LAST | 1 << _SYMBOL | 1 << _KIND | 1 << _BIDS | 1 << _ASKS
)
_HEAD = np.frombuffer(b'{"stream":"', np.uint8)
_DATA = np.frombuffer(b'","data":{', np.uint8)
_DEPTH = np.frombuffer(b"depthUpdate", np.uint8)
_SHORTEST_LEVEL = len('["1","1"]')
_LONGEST_SYMBOL = 64
# Behind the last frame: no loop runs past it, and what runs past its own frame's end is refused there.
_PADDING = bytes(64)
# what is told of a frame, by column: the whole numbers, the time of the event made ns; where things end
_BIDS_END, _ASKS_END, _FROM, _TO = range(6, 10)
_TOLD = 10
_Bytes = NDArray[np.uint8]


class Change(NamedTuple):
    """What one depth frame says. ts: ns; previous −1 where unsaid; family: `st`, 0 where unsaid."""

    symbol: str
    family: int
    ts: int
    first: int
    last: int
    previous: int
    bids: tuple[Level, ...] | Levels
    asks: tuple[Level, ...] | Levels


def read_one(frame: bytes) -> Change | None:
    """One frame; None: it needs the typed shapes."""
    most = len(frame) // _SHORTEST_LEVEL + 1
    price, size, told = np.empty(most), np.empty(most), np.empty(_TOLD, np.int64)
    if not _read_one(
        np.frombuffer(frame + _PADDING, np.uint8), 0, len(frame), told, price, size, 0
    ):
        return None
    ts, _, first, last, previous, family, b, a, start, end = told.tolist()
    return Change(
        frame[start:end].decode(), family, ts, first, last, previous,
        Levels(price[:b], size[:b]), Levels(price[b:a], size[b:a]),
    )  # fmt: skip


def read_all(frames: Sequence[bytes], symbol: str, family: int) -> DepthColumns:
    """The frames of one market in order; `read` is False where one needs the typed shapes.

    family: the `st` that this market's frames may bear beside 0. Sizes as written.
    """
    ends = np.cumsum([len(frame) for frame in frames], dtype=np.int64)
    buffer = np.frombuffer(b"".join((*frames, _PADDING)), np.uint8)
    most = buffer.size // _SHORTEST_LEVEL + 1
    price, size = np.empty(most), np.empty(most)
    read, told = np.zeros(len(frames), np.bool_), np.empty((len(frames), _TOLD), np.int64)
    name = np.frombuffer(symbol.encode(), np.uint8)
    used = _read_all(buffer, ends, name, family, read, told, price, size)
    ts, first, last, previous, bids_end, asks_end = (
        np.ascontiguousarray(told[:, k])
        for k in (_EVENT, _FIRST, _LAST, _PREVIOUS, _BIDS_END, _ASKS_END)
    )
    return DepthColumns(
        read, ts, first, last, previous, bids_end, asks_end, price[:used], size[:used]
    )


@kernel
def _same(buffer: _Bytes, at: int, text: _Bytes) -> bool:
    same = True
    for k in range(text.size):
        same = same and buffer[at + k] == text[k]
    return same


@inlined
def _whole(buffer: _Bytes, at: int) -> tuple[int, int]:
    """A JSON whole number below 10^18 → (value, where it ends); ends at −1 if it is none."""
    start, value, digit = at, 0, buffer[at] ^ _ZERO
    while digit <= 9 and at - start <= 18:
        value = value * 10 + digit
        at += 1
        digit = buffer[at] ^ _ZERO
    if at == start or at - start > 18 or (buffer[start] == _ZERO and at - start > 1):
        return 0, -1
    return value, at


@inlined
def _decimal(buffer: _Bytes, at: int) -> tuple[float, int]:
    """A plain decimal up to its closing quote → (value, past the quote); ends at −1 if it is none.

    Exact: both parts of the quotient are floats without loss.
    """
    start, first = at, buffer[at] ^ _ZERO
    if first > 9:
        return 0.0, -1
    at += 1
    whole, digit = first, buffer[at] ^ _ZERO
    while digit <= 9:
        whole = whole * 10 + digit
        at += 1
        digit = buffer[at] ^ _ZERO
    dot, value = at, float(whole)
    if buffer[at] == _DOT:
        at += 1
        digit = buffer[at] ^ _ZERO
        while digit <= 9:
            whole = whole * 10 + digit
            at += 1
            digit = buffer[at] ^ _ZERO
        decimals = at - dot - 1
        if decimals == 0 or decimals > _DIGITS:
            return 0.0, -1
        value = whole / _TENS[decimals]
    padded = (first == 0) & (
        dot - start > 1
    )  # 007; | and & as a branch a test would cost more than they do
    if (buffer[at] != _QUOTE) | (whole >= _EXACT) | (at - start > _DIGITS) | padded:
        return 0.0, -1
    return value, at + 1


@inlined
def _levels(buffer: _Bytes, at: int, price: Floats, size: Floats, used: int) -> tuple[int, int]:
    """[["p","q"],…] → (levels used in all, where it ends); ends at −1 if it is anything else."""
    if buffer[at] != _OPEN:
        return used, -1
    at += 1
    if buffer[at] == _CLOSE:
        return used, at + 1
    while buffer[at] == _OPEN and buffer[at + 1] == _QUOTE:
        price[used], at = _decimal(buffer, at + 2)
        if at < 0 or buffer[at] != _COMMA or buffer[at + 1] != _QUOTE or price[used] < 1e-18:
            return used, -1
        size[used], at = _decimal(buffer, at + 2)
        if at < 0 or buffer[at] != _CLOSE:
            return used, -1
        used += 1
        at += 1
        if buffer[at] == _CLOSE:
            return used, at + 1
        if buffer[at] != _COMMA:
            return used, -1
        at += 1
    return used, -1


@inlined
def _field(buffer: _Bytes, at: int) -> tuple[int, int]:
    """'"name":' → (which field, where its value begins); −1 if it is not one of ours."""
    if buffer[at] != _QUOTE:
        return -1, -1
    first, second = buffer[at + 1], buffer[at + 2]
    if second == _QUOTE and buffer[at + 3] == _COLON:
        names = (69, 84, 85, 117, 0, 0, 115, 101, 98, 97)  # E T U u . . s e b a
        for k in range(10):
            if names[k] == first:
                return k, at + 4
    if buffer[at + 3] == _QUOTE and buffer[at + 4] == _COLON:
        if first == 112 and second == 117:  # pu
            return _PREVIOUS, at + 5
        if first == 115 and second == 116:  # st
            return _FAMILY, at + 5
    return -1, -1


@kernel
def _stamp(value: int) -> int:
    """Milliseconds → ns; −1: let the typed shapes say."""
    if 1_300_000_000_000 <= value < 4_000_000_000_000:
        return value * 1_000_000
    return -1


@kernel
def _text_end(buffer: _Bytes, at: int) -> int:
    """Where plain ASCII text ends, at its closing quote; −1 if it is anything else."""
    while buffer[at] != _QUOTE:
        if buffer[at] < 32 or buffer[at] > 126 or buffer[at] == 92:
            return -1
        at += 1
    return at


@kernel
def _begin(buffer: _Bytes, at: int, end: int) -> int:
    """Past '{"stream":"…","data":{'; −1 if the frame begins otherwise."""
    if end - at < 40 or not _same(buffer, at, _HEAD):
        return -1
    at = _text_end(buffer, at + _HEAD.size)
    return at + _DATA.size if at >= 0 and _same(buffer, at, _DATA) else -1


@kernel
def _lower(byte: int) -> int:
    return byte + 32 if 65 <= byte <= 90 else byte


@kernel
def _labelled(buffer: _Bytes, at: int, start: int, stop: int) -> bool:
    """Whether the stream's label at `at`, up to its @, is the symbol that lies from `start` to `stop`."""
    if buffer[at + stop - start] != _AT:
        return False
    same = stop > start
    for k in range(stop - start):
        same = same and _lower(buffer[at + k]) == _lower(buffer[start + k])
    return same


@kernel
def _text(buffer: _Bytes, at: int) -> tuple[int, int]:
    """Plain ASCII text in quotes → (where it begins, where its closing quote is); −1 if it is none."""
    if buffer[at] != _QUOTE:
        return -1, -1
    close = _text_end(buffer, at + 1)
    if close < 0 or close - at - 1 > _LONGEST_SYMBOL:
        return -1, -1
    return at + 1, close


@inlined
def _value(
    which: int, buffer: _Bytes, at: int, told: Ints, price: Floats, size: Floats, used: int
) -> tuple[int, int]:
    """One field's value into `told` → (levels used in all, where it ends); ends at −1 if it is another form."""
    if which <= _FAMILY:
        told[which], at = _whole(buffer, at)
        return used, at
    if which >= _BIDS:
        used, at = _levels(buffer, at, price, size, used)
        told[_BIDS_END if which == _BIDS else _ASKS_END] = used
        return used, at
    start, close = _text(buffer, at)
    if which == _SYMBOL:
        told[_FROM], told[_TO] = start, close
    elif close - start != _DEPTH.size or not _same(buffer, start, _DEPTH):
        return used, -1
    return used, (close + 1 if close >= 0 else -1)


@inlined
def _read_one(
    buffer: _Bytes, at: int, end: int, told: Ints, price: Floats, size: Floats, used: int
) -> bool:
    """One frame into `told` (by column) and the levels after `used`; False: it needs the typed shapes.

    The buffer goes on behind `end`, which only the last step looks at: reading that ran past it ends elsewhere.
    """
    told[_TRADED], told[_PREVIOUS], told[_FAMILY] = 0, -1, 0
    seen, label = 0, at + _HEAD.size
    at = _begin(buffer, at, end)
    while at >= 0:
        which, at = _field(buffer, at)
        # a field said twice, or the asks before the bids, is not how it is written
        if which < 0 or seen >> which & 1 or (which == _ASKS and not seen >> _BIDS & 1):
            return False
        seen |= 1 << which
        used, at = _value(which, buffer, at, told, price, size, used)
        if at < 0 or buffer[at] != _COMMA:
            break
        at += 1
    if at < 0 or buffer[at] != _END or buffer[at + 1] != _END or at + 2 != end:
        return False
    told[_EVENT] = _stamp(told[_TRADED] if told[_TRADED] else told[_EVENT])
    whole = seen & _NEEDED == _NEEDED and told[_LAST] >= told[_FIRST] and told[_EVENT] > 0
    # under another label it is an error, which the slow way names
    return whole and _labelled(buffer, label, told[_FROM], told[_TO])


@kernel
def _read_all(  # noqa: PLR0913, PLR0917 - a kernel takes its arrays one by one
    buffer: _Bytes, ends: Ints, name: _Bytes, family: int, read: NDArray[np.bool_], told: Ints,
    price: Floats, size: Floats,
) -> int:  # fmt: skip
    """Every frame; one that can't be read here takes no levels. Returns how many levels there are."""
    used = start = 0
    for i in range(ends.size):
        row = told[i]
        read[i] = (
            _read_one(buffer, start, ends[i], row, price, size, used)
            and row[_TO] - row[_FROM] == name.size
            and _same(buffer, row[_FROM], name)
            and row[_FAMILY] in (0, family)
        )
        if read[i]:
            used = row[_ASKS_END]
        else:
            row[:_BIDS_END] = -1
            row[_BIDS_END] = row[_ASKS_END] = used
        start = ends[i]
    return used
