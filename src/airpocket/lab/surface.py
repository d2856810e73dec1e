"""Options around a simulated index: Black-76 on one smile that follows what the index has just done."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from airpocket.domain.units import HOUR_NS, MINUTE_NS, SECOND_NS, YEAR_NS
from airpocket.lab.smile import Quote, Smile, black_76, normal, normal_density

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKS = (1, 2, 4, 8)  # Fridays ahead
_STRIKES = tuple(range(-8, 9, 2))  # steps of 2.5 % from the index
_TICK_COIN = 0.0001
_MOST_TILT = 0.4
_TILT_PER_MOVE = 4.0  # a rise of a tenth makes calls dearer than puts


@dataclass(frozen=True, slots=True)
class SurfaceSettings:
    """level: thirty-day volatility at rest, fraction a year. follows: share of the implied variance that is what
    was realised lately (half-life in minutes), 0 to 1. front, tilt: of the smile. half_spread: of the mark.
    """

    level: float
    follows: float = 0.5
    half_life_min: float = 60.0
    front: float = 0.05
    tilt: float = -0.1
    half_spread: float = 0.02


@dataclass(slots=True)
class Surface:
    """The smile of one coin. `saw` every look at its index, in any unit; one a minute counts."""

    settings: SurfaceSettings
    _variance: float = field(init=False)  # realised, a year
    _middle: float = 0.0  # slow mean of the index
    _index: float = 0.0
    _at: int = 0  # ns

    def __post_init__(self) -> None:
        self._variance = self.settings.level**2

    def saw(self, index: float, now: int) -> None:
        """The index at a time, ns."""
        if index <= 0.0 or (self._at and now - self._at < MINUTE_NS):
            return
        if self._at:
            minutes = (now - self._at) / MINUTE_NS
            kept = 0.5 ** (minutes / self.settings.half_life_min)
            squared = math.log(index / self._index) ** 2 * YEAR_NS / (now - self._at)
            self._variance = kept * self._variance + (1.0 - kept) * squared
            slow = 0.5 ** (minutes / (6.0 * self.settings.half_life_min))
            self._middle = slow * self._middle + (1.0 - slow) * index
        else:
            self._middle = index
        self._index, self._at = index, now

    @property
    def smile(self) -> Smile:
        """The smile now; its wings lean to the side the index went to."""
        s = self.settings
        level = math.sqrt((1.0 - s.follows) * s.level**2 + s.follows * self._variance)
        moved = math.log(self._index / self._middle) if self._middle > 0.0 else 0.0
        tilt = max(-_MOST_TILT, min(_MOST_TILT, s.tilt + _TILT_PER_MOVE * moved))
        return Smile(level=level, front=s.front, tilt=tilt)

    @property
    def volatility_index(self) -> float:
        """Per cent a year of the thirty-day smile's middle."""
        return 100.0 * self.smile.volatility(0.0, 30.0 / 365.0)

    def chain(self, base: str, index: float, now: int) -> list[Quote]:
        """Every option of a coin at an index in USD; names as Deribit writes them, prices in coin."""
        smile, found = self.smile, list[Quote]()
        step = _round_step(index)
        for expiry in _fridays(now):
            day = f"{base}-{expiry.day}{_MONTHS[expiry.month - 1]}{expiry.year % 100:02d}"
            strikes = sorted({round(index * (1.0 + 0.025 * k) / step) * step for k in _STRIKES})
            dates = now, int(expiry.timestamp()) * SECOND_NS
            for strike in strikes:
                for call in (True, False):
                    found.append(self._quote(day, smile, dates, (index, float(strike)), call=call))
        return found

    def _quote(
        self, day: str, smile: Smile, dates: tuple[int, int], prices: tuple[float, float], *, call: bool
    ) -> Quote:  # fmt: skip
        (now, expiry), (forward, strike) = dates, prices
        years = (expiry - now) / YEAR_NS
        volatility = smile.volatility(math.log(strike / forward), years)
        root = volatility * math.sqrt(years)
        d1 = math.log(forward / strike) / root + root / 2.0
        mark = round(max(black_76(call, forward, strike, root) / forward, _TICK_COIN), 6)
        half = max(self.settings.half_spread * mark, _TICK_COIN)
        return Quote(
            instrument=f"{day}-{strike:g}-{'C' if call else 'P'}", expiry=expiry, strike=strike,
            option_type="call" if call else "put", underlying_index=day, underlying_price=round(forward, 4),
            bid=round(max(mark - half, _TICK_COIN), 4), ask=round(mark + half, 4), mark=mark,
            mark_iv=round(volatility, 4), delta=round(normal(d1) - (0.0 if call else 1.0), 5),
            vega=round(forward * normal_density(d1) * math.sqrt(years) / 100.0, 4),
            open_interest=round(1_000.0 * math.exp(-(d1**2)), 1), volume=0.0, index_price=round(forward, 4),
        )  # fmt: skip


def _fridays(now: int) -> Iterator[datetime]:
    """Expiries ahead, 08:00 UTC, at least an hour away."""
    today = datetime.fromtimestamp((now + HOUR_NS) // SECOND_NS, UTC)
    friday = today.replace(hour=8, minute=0, second=0, microsecond=0) + timedelta(
        days=(4 - today.weekday()) % 7
    )
    if friday <= today:
        friday += timedelta(days=7)
    for weeks in _WEEKS:
        yield friday + timedelta(days=7 * (weeks - 1))


def _round_step(index: float) -> int:
    """Strikes lie on round numbers: 25 for ETH at 3,000, 2,500 for BTC at 80,000."""
    return max(1, round(10 ** math.floor(math.log10(index * 0.025)) * 2.5))
