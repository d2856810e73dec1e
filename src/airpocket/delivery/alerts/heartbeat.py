"""A sign of life to somewhere outside, so that somebody hears when the watch itself has died."""

import asyncio
from collections.abc import Callable

import httpx

from airpocket.delivery.alerts.door import check_host, passage
from airpocket.delivery.alerts.rules import Pulse
from airpocket.domain.errors import BadInput
from airpocket.ingest.resolve import LookUp, system_look_up

_DEADLINE_S = 20.0


class Heartbeat:
    """Calls one address as long as the watch looks and its messages go out."""

    def __init__(
        self, pulse: Pulse, well: Callable[[], str], say: Callable[[str], None], look_up: LookUp = system_look_up
    ) -> None:  # fmt: skip
        """
        Args:
            well: '' where all is well, else why there is no sign of life to be given.
            say: takes a sentence for the terminal.

        Raises:
            BadInput: an address that may not be called; never names it, it is a secret.
        """
        self._pulse, self._well, self._say = pulse, well, say
        self._said = ""
        check_pulse(pulse, look_up)

    async def run(self) -> None:
        """Beat until cancelled; what fails is said once, and tried again."""
        while True:
            why = self._well() or await self.beat()
            if why != self._said and (why or self._said):
                self._say(f"heartbeat: {why or 'goes out again'}")
            self._said = why
            await asyncio.sleep(self._pulse.every_s)

    async def beat(self) -> str:
        """One call; '' where it was answered, else what went wrong."""
        with passage(private=self._pulse.private) as way:
            try:
                async with (
                    asyncio.timeout(_DEADLINE_S),
                    httpx.AsyncClient(trust_env=False, follow_redirects=False) as client,
                    client.stream("GET", self._pulse.url) as answer,
                ):
                    return "" if answer.is_success else f"answered {answer.status_code}"
            except TimeoutError:
                return f"no answer within {_DEADLINE_S:.0f} s"
            except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
                return way.refused or type(error).__name__  # its text may hold the address


def check_pulse(pulse: Pulse, look_up: LookUp) -> None:
    """Refuse an address that may not be called.

    Raises:
        BadInput: no https address, or one that leads into this machine or a private network.
    """
    try:
        url = httpx.URL(pulse.url)
    except httpx.InvalidURL as error:
        raise BadInput("heartbeat: its address is no URL") from error
    if url.scheme not in (("https", "http") if pulse.private else ("https",)) or not url.host:
        raise BadInput("heartbeat: its address must begin with https://")
    if not pulse.private:
        check_host("heartbeat", url.host, look_up)
