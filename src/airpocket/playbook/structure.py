"""Where a position's structure lies: zones ahead in the direction that hurts and in the one that pays, and ATRs."""

from dataclasses import dataclass

from airpocket.domain.estimates import Estimate
from airpocket.domain.units import PositionSide
from airpocket.levels.averages import atr, latest
from airpocket.levels.roadmap import Zone
from airpocket.levels.words import price_text
from airpocket.playbook.situation import Situation


@dataclass(frozen=True, slots=True)
class Shelf:
    """A zone as seen from the price: `near` is its edge towards the price, `far` the one beyond."""

    zone: Zone
    near: float
    far: float

    @property
    def words(self) -> str:
        """'resistance 1, 3,210 to 3,225 (swing high of 2025-07-14)'."""
        zone = self.zone
        reason = zone.confluence[0].label if zone.confluence else "no reason named"
        place = zone.role.replace("_", " ")
        return f"{place} {price_text(zone.low)} to {price_text(zone.high)} ({reason})"


@dataclass(frozen=True, slots=True)
class Structure:
    """Zones beyond the price each way, nearest first, and the true ranges, from the reference contract.

    against: where price goes when the position loses; a zone the price is in belongs to both sides.
    """

    side: PositionSide
    price: float
    against: tuple[Shelf, ...]
    along: tuple[Shelf, ...]
    atr_day: Estimate
    atr_4h: Estimate

    @property
    def hurts(self) -> float:
        """+1 where a rise hurts (short), −1 where a fall does (long)."""
        return 1.0 if self.side == "short" else -1.0

    def away(self, price: float) -> float:
        """How far `price` lies in the direction that hurts, quote per coin; negative: it would pay."""
        return self.hurts * (price - self.price)

    def beyond(self, price: float, pad: float) -> float:
        """`pad` further in the direction that hurts."""
        return price + self.hurts * pad

    def targets(self, noise_atr: float) -> list[tuple[float, Shelf]]:
        """Prices that pay, nearest first: near edges of zones, or far ones where the near is in the noise."""
        noise = noise_atr * (self.atr_4h.value or 0.0)
        found: list[tuple[float, Shelf]] = []
        for shelf in self.along:
            for price in (shelf.near, shelf.far):
                if -self.away(price) > noise:
                    found.append((price, shelf))
                    break
        return found

    def nearer(self, *prices: float) -> float:
        """Of prices in the direction that hurts, the one reached first."""
        return min(prices, key=self.away)


def structure_of(situation: Situation, side: PositionSide, price: float) -> Structure:
    """The roadmap's zones around `price`, seen by a position of `side`."""
    above = _shelves(situation, price, up=True)
    below = _shelves(situation, price, up=False)
    reference = situation.market.reference
    fours = reference.four_hours
    unit = f"{reference.instrument.quote} per coin"
    return Structure(
        side=side,
        price=price,
        against=above if side == "short" else below,
        along=below if side == "short" else above,
        atr_day=situation.roadmap.averages["atr_14d"],
        atr_4h=latest(
            atr(fours), fours, situation.market.now,
            name="ATR 14 of 4 h bars", unit=unit, needed=15, source=f"{reference.key} 4 h bars",
        ),
    )  # fmt: skip


def _shelves(situation: Situation, price: float, *, up: bool) -> tuple[Shelf, ...]:
    found: list[Shelf] = []
    for zone in situation.roadmap.zones:
        if up and zone.high > price:
            found.append(Shelf(zone, max(zone.low, price), zone.high))
        elif not up and zone.low < price:
            found.append(Shelf(zone, min(zone.high, price), zone.low))
    return tuple(sorted(found, key=lambda shelf: abs(shelf.near - price)))
