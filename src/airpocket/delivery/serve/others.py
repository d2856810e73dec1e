"""Coins beside the server's own, where somebody holds them: assessed of the same moment, from the same store."""

from airpocket.delivery.ground import Ground
from airpocket.domain.units import TimeNs
from airpocket.ingest.lake import Lake
from airpocket.pipeline import Assessment

MOST_COINS = 4  # of one account; the first question about each takes as long as a first edition


class Others:
    """Owns the state of each such coin, so that later questions are quick."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self._grounds: dict[str, Ground] = {}
        self._found: dict[str, Assessment] = {}

    def of(self, asset: str, now: TimeNs) -> Assessment:
        """What was thought of a coin at a moment.

        Raises:
            NothingKnown: the store holds nothing of it.
        """
        found = self._found.get(asset)
        if found is None or found.market.now != now:
            if asset not in self._grounds and len(self._grounds) >= 2 * MOST_COINS:
                oldest = next(iter(self._grounds))
                del self._grounds[oldest]
                self._found.pop(oldest, None)
            ground = self._grounds.get(asset) or Ground(self.lake, asset)
            found = ground.at(now).assess(now)
            self._grounds[asset], self._found[asset] = ground, found
        return found
