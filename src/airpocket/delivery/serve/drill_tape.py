"""A drill's seconds as tape messages: the price and the minutes of its one contract."""

from collections import deque
from threading import Lock

import msgspec

from airpocket.delivery.serve.models import ForcedPrint, RunningBar, Tape, TapePrice
from airpocket.domain.units import MINUTE_NS, SECOND_NS, format_time
from airpocket.drill.market import Second

_MINUTES = 120


class DrillTape:
    """Between two threads: the market's puts seconds in, the server's tells what is new."""

    def __init__(self, contract: str = "") -> None:
        """Args: contract: venue:symbol."""
        self._contract, self._lock = contract, Lock()
        self._second: Second | None = None
        self._bar: RunningBar | None = None
        self._closed: deque[RunningBar] = deque(maxlen=_MINUTES)
        self._forced: list[ForcedPrint] = []
        self._new: list[RunningBar] = []
        self._told: Second | None = None

    def take(self, second: Second) -> None:
        """A second of the market."""
        open_s = (second.at - 1) // MINUTE_NS * MINUTE_NS // SECOND_NS
        with self._lock:
            bar = self._bar
            if bar is not None and bar.open_s != open_s:
                self._closed.append(bar)
                self._new.append(bar)
                bar = None
            self._bar = _with(bar, self._contract, open_s, second)
            self._second = second
            self._forced += _prints(self._contract, second)

    def tell(self, speed: float, *, whole: bool) -> tuple[int, bytes] | None:
        """(ns, message) since the last one, or all of it; None where nothing is new."""
        with self._lock:
            second = self._second
            if second is None or (second is self._told and not whole):
                return None
            self._told = second
            closed = list(self._closed) if whole else self._new
            forced, self._forced, self._new = self._forced, [], []
            tape = Tape(
                at=format_time(second.at), reference=self._contract, prices=[_price(self._contract, second)],
                bar=self._bar, closed=closed, forced=forced, cvd={}, speed=speed,
            )  # fmt: skip
        return second.at, msgspec.json.encode(tape)


def _with(bar: RunningBar | None, contract: str, open_s: int, second: Second) -> RunningBar:
    """The minute with one more second in it."""
    last = second.last
    if bar is None:
        return RunningBar(
            contract=contract, open_s=open_s, open=last, high=last, low=last, close=last,
            volume=second.volume_coin, taker_buy=second.taker_buy_coin,
        )  # fmt: skip
    return msgspec.structs.replace(
        bar, high=max(bar.high, last), low=min(bar.low, last), close=last,
        volume=bar.volume + second.volume_coin, taker_buy=bar.taker_buy + second.taker_buy_coin,
    )  # fmt: skip


def _price(contract: str, second: Second) -> TapePrice:
    return TapePrice(
        contract=contract, last=second.last, mark=second.mark, index=None, bid=second.bid, ask=second.ask,
        at=format_time(second.at),
    )  # fmt: skip


def _prints(contract: str, second: Second) -> list[ForcedPrint]:
    """What feeds told of all linear venues in this second, at the price of the one traded."""
    sides = (("buy", second.forced_buy_usd), ("sell", second.forced_sell_usd))
    return [
        ForcedPrint(
            time_s=second.at / SECOND_NS, contract=contract, side="buy" if side == "buy" else "sell",
            price=second.last, usd=usd, sample=True,
        )
        for side, usd in sides if usd > 0.0
    ]  # fmt: skip
