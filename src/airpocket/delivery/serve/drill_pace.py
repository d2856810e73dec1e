"""The trader's hands in the page's drill: orders as they come, and the pace at which the market goes on."""

from threading import Condition

from airpocket.domain.errors import BadInput
from airpocket.domain.ports import Clock
from airpocket.domain.units import SECOND_NS
from airpocket.drill.orders import Order, parse

_MOST_WAITING = 100
_NAP_S, _LATE_S = 0.5, 1.0


class Pace:
    """Between two threads: the market's asks for orders and waits here, the server's gives them."""

    def __init__(self, clock: Clock, speed: float) -> None:
        """Begins paused. speed: seconds of the market in one of ours."""
        self._clock, self._changed = clock, Condition()
        self._waiting: list[Order] = []
        self._speed, self._playing = speed, False
        self._at_s, self._from_s, self._since = 0, 0.0, 0
        self._again = False
        self.over = False

    @property
    def speed(self) -> float:
        """Seconds of the market in one of ours."""
        return self._speed

    @property
    def playing(self) -> bool:
        """Whether time passes."""
        return self._playing

    # -- of the market's thread

    def orders(self, at_s: int) -> list[Order]:
        """Those given until the wall comes to this second of the market; while paused, when the first comes."""
        with self._changed:
            self._at_s = at_s
            if self._left_s(at_s) < -_LATE_S:
                self._set()  # the market was slow: it goes on from here, and does not hurry after
            while not (self._waiting or self.over) and (left_s := self._left_s(at_s)) > 0.0:
                self._changed.wait(min(left_s, _NAP_S))
            if self.over:
                return [parse("quit")]
            found, self._waiting = self._waiting, []
            return found

    def rest(self) -> bool:
        """Wait until the drill is wanted again; False: the server ends."""
        with self._changed:
            while not (self._again or self.over):
                self._changed.wait(_NAP_S)
            self._again, self._waiting, self._at_s = False, [], 0
            self._set(playing=False)
            return not self.over

    # -- of the server's thread

    def say(self, text: str) -> None:
        """An order in the words of the command.

        Raises:
            BadInput: no such order, or a hundred wait already.
        """
        order = parse(text)
        with self._changed:
            if len(self._waiting) >= _MOST_WAITING:
                raise BadInput(f"'{text}': {_MOST_WAITING} orders wait already")
            self._waiting.append(order)
            self._changed.notify_all()

    def move(self, *, playing: bool | None = None, speed: float | None = None) -> None:
        """Let time pass, or not, or at another speed."""
        with self._changed:
            self._set(playing=playing, speed=speed)
            self._changed.notify_all()

    def again(self) -> None:
        """Begin anew, once the one before is scored."""
        with self._changed:
            self._again = True
            self._changed.notify_all()

    def end(self) -> None:
        """The server ends."""
        with self._changed:
            self.over = True
            self._changed.notify_all()

    # -- with the lock held

    def _set(self, *, playing: bool | None = None, speed: float | None = None) -> None:
        self._playing = self._playing if playing is None else playing
        self._speed = self._speed if speed is None else speed
        self._from_s, self._since = float(self._at_s), self._clock.monotonic()

    def _left_s(self, at_s: int) -> float:
        """Until a second of the market is due, s of ours."""
        if not self._playing:
            return _NAP_S
        passed_s = (self._clock.monotonic() - self._since) / SECOND_NS
        return (at_s - self._from_s) / self._speed - passed_s
