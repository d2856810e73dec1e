"""How far the clocks of those who stamp have come, told by their own stamps: ours may be ahead of them."""

from dataclasses import dataclass

from airpocket.domain.wire import LiveEvent, Trade


@dataclass(slots=True)
class Stamped:
    """The latest stamp and when it was heard (ns). Before any, our own clock is believed."""

    told: int = 0
    heard: int = 0

    def hear(self, event: LiveEvent) -> bool:
        """Note an event; False where the venue did not stamp it and it bears the time we heard it."""
        if event.ts == event.usable_from and not isinstance(event, Trade):
            return False
        if event.ts > self.told:  # some messages tell of the past
            self.told, self.heard = event.ts, event.usable_from
        return True

    def at(self, now: int) -> int:
        """Their time when ours is `now`, ns."""
        return self.told + now - self.heard
