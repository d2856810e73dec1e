"""How far our clock is from a venue's: the offset of one exchange of messages, and its own uncertainty.

The offset is the server's time less the middle of the round trip; the true one lies within half the round
trip of it (Mills, RFC 5905, with one server stamp for two). The exchange with the shortest round trip of
several is the one to believe.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

from airpocket.domain.errors import UndecodableFrame
from airpocket.ingest.feed import Poll
from airpocket.ingest.values import BadValue, rfc3339_ns, stamp_ns

_SAMPLES = 8
_DRIFT = 100e-6  # of a poor quartz
_TIME_URLS = {
    "binance_usdm": "https://fapi.binance.com/fapi/v1/time",
    "binance_coinm": "https://dapi.binance.com/dapi/v1/time",
    "binance_spot": "https://api.binance.com/api/v3/time",
    "bybit_linear": "https://api.bybit.com/v5/market/time",
    "bybit_inverse": "https://api.bybit.com/v5/market/time",
    "bybit_spot": "https://api.bybit.com/v5/market/time",
    "okx": "https://www.okx.com/api/v5/public/time",
    "deribit": "https://www.deribit.com/api/v2/public/get_time",
    "kraken_spot": "https://api.kraken.com/0/public/Time",
    "kraken_futures": "https://futures.kraken.com/derivatives/api/v3/tickers",
    "coinbase": "https://api.exchange.coinbase.com/time",
}
_POSTED = Poll(
    "hyperliquid", "https://api.hyperliquid.xyz/info", (), 600.0, '{"type":"exchangeStatus"}', 20
)
# Venue → the question for its time.
TIMES: Mapping[str, Poll] = MappingProxyType(
    {name: Poll(name, url, (), every_s=600.0) for name, url in _TIME_URLS.items()}
    | {_POSTED.venue: _POSTED}
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One exchange; all in ns: when we asked, when we heard, and the venue's time in between."""

    sent: int
    heard: int
    server: int

    @property
    def round_trip_ms(self) -> float:
        return (self.heard - self.sent) / 1e6

    @property
    def offset_ms(self) -> float:
        """The venue's clock less ours."""
        return (self.server - (self.sent + self.heard) / 2.0) / 1e6

    @property
    def error_ms(self) -> float:
        """The offset is known to within this."""
        return self.round_trip_ms / 2.0


@dataclass(frozen=True, slots=True)
class Skew:
    """A venue's clock less ours, ms: known to within `error_ms`. `samples`: exchanges it rests on."""

    venue: str
    offset_ms: float
    error_ms: float
    samples: int

    @property
    def least_ms(self) -> float:
        """Our clock is off by at least this, whatever the network did; 0 where it may be right."""
        return max(abs(self.offset_ms) - self.error_ms, 0.0)


class SkewEstimate:
    """One venue's clock against ours, from asking it and from what it sends.

    Of the last eight exchanges the best is the one with the smallest error, which grows with age by the
    drift a clock may have. A live message is a bound: it was not heard before it was stamped, so the
    venue is ahead by at least stamp less heard.
    """

    def __init__(self, venue: str) -> None:
        self._venue = venue
        self._samples: deque[tuple[int, Sample]] = deque(maxlen=_SAMPLES)
        self._bound: tuple[int, float] | None = None

    def add(self, sample: Sample, at: int) -> None:
        """One exchange, over at `at` (monotonic ns)."""
        self._samples.append((at, sample))

    def message(self, lag_s: float, at: int) -> None:
        """The smallest lag (heard less stamped) of the messages just heard."""
        self._bound = (at, -1_000.0 * lag_s)

    def stepped(self, by_s: float) -> None:
        """Our clock was set: what was measured before is off by as much, and no more than that."""
        by_ns = int(by_s * 1e9)
        self._samples = deque(
            ((at, Sample(s.sent + by_ns, s.heard + by_ns, s.server)) for at, s in self._samples),
            maxlen=_SAMPLES,
        )
        self._bound = None

    def at(self, now: int) -> Skew | None:
        """The estimate at `now` (monotonic ns); None before the first exchange."""
        if not self._samples:
            return None
        aged = [(s.offset_ms, s.error_ms + _DRIFT * (now - at) / 1e6) for at, s in self._samples]
        offset, error = min(aged, key=lambda each: each[1])
        low, high = offset - error, offset + error
        if self._bound is not None:
            at, bound = self._bound
            low = max(low, bound - _DRIFT * (now - at) / 1e6)
            high = max(high, low)  # a stamp ahead of all we measured: believe the stamp
        return Skew(self._venue, (low + high) / 2.0, (high - low) / 2.0, len(self._samples))


class _Answer(Struct):
    """The venues' time answers laid over one another."""

    server_time: int | str | None = field(name="serverTime", default=None)
    time: Annotated[int, Meta(ge=0)] | None = None
    epoch: float | None = None
    iso: str | None = None
    data: Any = None
    result: Any = None


_DECODER = msgspec.json.Decoder(_Answer)


def server_time(body: bytes) -> int:
    """The time in a venue's answer, ns.

    Raises:
        UndecodableFrame: there is none in it.
    """
    try:
        answer = _DECODER.decode(body)
        return _time(answer)
    except (msgspec.DecodeError, UnicodeDecodeError, BadValue) as error:
        raise UndecodableFrame(f"no time in the answer: {error}") from error


def _time(answer: _Answer) -> int:
    if isinstance(answer.server_time, str):
        return rfc3339_ns(answer.server_time, "serverTime")
    for value in (answer.server_time, answer.time, answer.result):
        if isinstance(value, int):
            return stamp_ns(value, "time")
    if answer.iso is not None:
        return rfc3339_ns(answer.iso, "iso")
    match answer:
        case _Answer(data=[{"ts": str(text)}]) if text.isascii() and text.isdigit():
            return stamp_ns(int(text[:19]), "ts")
        case _Answer(result={"unixtime": int(seconds)}):
            return stamp_ns(seconds, "unixtime", "s")
        case _:
            raise BadValue("none of the known fields")
