"""Virtual time: an event loop that jumps to its next timer, and a clock that goes by it; nothing waits."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import TypeVar

from airpocket.domain.units import SECOND_NS, TimeNs

T = TypeVar("T")


class _Jump(selectors.DefaultSelector):
    """Asks for what is ready now; the time that it should have waited passes at once."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "nothing will ever happen: every task waits for another"
            self.passed += max(timeout, 0.0)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose time only timers move; an hour takes as long as its events.

    Work for threads is done at once: time would pass in leaps beside a thread, as far as the machine is slow.
    """

    def __init__(self) -> None:
        self.jump = _Jump()
        super().__init__(self.jump)

    def time(self) -> float:
        return self.jump.passed

    def run_in_executor(
        self, executor: Executor | None, func: Callable[..., T], *args: object
    ) -> "asyncio.Future[T]":
        """As asyncio's, but `func` is called here and now."""
        del executor
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done


class VirtualClock:
    """The clock of a loop: it began at `start` (UTC ns)."""

    def __init__(self, loop: VirtualLoop, start: int) -> None:
        self._loop, self._start = loop, start

    def monotonic(self) -> int:
        return SECOND_NS + round(self._loop.time() * SECOND_NS)

    def now(self) -> TimeNs:
        return TimeNs(self._start + round(self._loop.time() * SECOND_NS))


def in_virtual_time(main: Callable[[VirtualLoop], Awaitable[T]]) -> T:
    """Run `main(loop)` to its end, from second 0 on."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualLoop)

        async def run() -> T:
            return await main(loop)

        return runner.run(run())
