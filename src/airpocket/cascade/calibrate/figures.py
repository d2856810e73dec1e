"""A calibrated figure: its estimate with interval, and how many events it stands on."""

from dataclasses import dataclass

from airpocket.domain.estimates import Estimate, known, unknown
from airpocket.domain.units import TimeNs


@dataclass(frozen=True, slots=True)
class Figure:
    """An estimate (10 to 90 %) and the number of bars, shocks or bursts behind it, whether they sufficed or not."""

    estimate: Estimate
    events: int

    @property
    def value(self) -> float | None:
        return self.estimate.value


def figure(
    value: float, spread: tuple[float, float] | None, unit: str, events: int,
    times: tuple[int, TimeNs], source: str,
) -> Figure:  # fmt: skip
    """A measured figure; without an interval it is unknown, as nobody could tell how far to trust it.

    times: when its youngest input was true, and when it is asked for.
    """
    if spread is None:
        return missing(unit, f"{source}: the draws give no interval", events)
    low, high = min(spread[0], value), max(spread[1], value)
    as_of, now = times
    return Figure(
        known(value, unit, as_of=as_of, now=now, source=source, interval=(low, high)), events
    )


def missing(unit: str, why: str, events: int = 0) -> Figure:
    """A figure that data do not give, and why."""
    return Figure(unknown(unit, why), events)
