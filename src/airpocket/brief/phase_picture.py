"""The phase diagram as SVG: R against κτ, with the lines from which bursts speed up and run, and points on it."""

from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

from airpocket.cascade.dynamics import overshoot_peak, runaway_threshold

_STEPS = 60
_NAMED = 39  # of the steps: where a line of an equal peak bears its name
_TICKS = 5
BANDS = ("ends by itself", "speeds up, then ends", "runs until the fuel ends")


@dataclass(frozen=True, slots=True)
class Pane:
    """A rectangle with its axes; values rise to the right and upwards, those outside stay on its edge."""

    left: float
    right: float
    top: float
    bottom: float
    x_most: float
    y_low: float
    y_high: float

    def x(self, value: float) -> float:
        return self.left + (self.right - self.left) * min(value / self.x_most, 1.0)

    def y(self, value: float) -> float:
        share = (value - self.y_low) / (self.y_high - self.y_low)
        return self.bottom - (self.bottom - self.top) * min(max(share, 0.0), 1.0)

    def path(self, points: list[tuple[float, float]]) -> str:
        """Straight lines through (x, y) values."""
        return "".join(
            f"{'L' if at else 'M'}{self.x(x):.1f} {self.y(y):.1f}"
            for at, (x, y) in enumerate(points)
        )

    def levels(self, suffix: str = "", *, signed: bool = False) -> str:
        """Horizontal grid lines with their values."""
        step = round_step(self.y_high - self.y_low)
        decimals = max(0, -floor(log10(step) + 1e-9))
        first, last = ceil(self.y_low / step - 1e-9), floor(self.y_high / step + 1e-9)
        return "".join(
            f'<line class="grid" x1="{self.left:g}" x2="{self.right:g}" y1="{self.y(k * step):.1f}" '
            f'y2="{self.y(k * step):.1f}"/><text class="before" x="{self.left - 5:g}" '
            f'y="{self.y(k * step) + 4:.1f}">{k * step:{"+" if signed and k else ""}.{decimals}f}{suffix}</text>'
            for k in range(first, last + 1)
        )


@dataclass(frozen=True, slots=True)
class Spot:
    """A point. kind: its style. low, high: of R; kappa_tau_low, kappa_tau_high. trail: (R, label) of further points
    at the same κτ, shift: pixels to the right, so that two ways do not hide each other.
    """

    kappa_tau: float
    reproduction: float
    label: str
    kind: str
    low: float | None = None
    high: float | None = None
    kappa_tau_low: float | None = None
    kappa_tau_high: float | None = None
    trail: tuple[tuple[float, str], ...] = ()
    shift: float = 0.0


def phase(pane: Pane, spots: list[Spot], *, peaks: tuple[float, ...] = ()) -> str:
    """The bands, the axes, and the points. peaks: also lines of an equal first peak over the first push."""
    across = [pane.x_most * k / _STEPS for k in range(_STEPS + 1)]
    growth = [(at, 1.0 + at) for at in across]
    runaway = [(at, runaway_threshold(at)) for at in across]
    floor_line, roof = (
        [(pane.x_most, 0.0), (0.0, 0.0)],
        [(pane.x_most, pane.y_high), (0.0, pane.y_high)],
    )
    drawn = "".join(
        f'<path class="{name}" d="{pane.path(points)}Z"/>'
        for name, points in (
            ("calm", growth + floor_line), ("grows", runaway + growth[::-1]), ("runs", runaway + roof),
        )
    )  # fmt: skip
    middle = 0.25 * growth[-8][1] + 0.75 * runaway[-8][1]
    heights = (0.35 * growth[-1][1], middle, 0.5 * (runaway[-1][1] + pane.y_high))
    names = "".join(
        f'<text class="band before" x="{pane.right - 6:g}" y="{pane.y(at) + 4:.1f}">{name}</text>'
        for at, name in zip(heights, BANDS, strict=True)
    )
    lines = "".join(_equal_peak(pane, peak, across) for peak in peaks)
    axes = (
        f'<text x="{pane.left:g}" y="{pane.bottom + 16:g}">κτ 0</text>'
        f'<text class="before" x="{pane.right:g}" y="{pane.bottom + 16:g}">{pane.x_most:.2g}</text>'
    )
    return (
        f"{drawn}{pane.levels()}{lines}{names}{axes}{''.join(_spot(pane, each) for each in spots)}"
    )


def _equal_peak(pane: Pane, peak: float, across: list[float]) -> str:
    """Where a burst tops out at `peak` times the first push."""
    points = [(at, _reproduction(peak, at)) for at in across]
    x, y = pane.x(points[_NAMED][0]), pane.y(points[_NAMED][1])
    return (
        f'<path class="peak" d="{pane.path(points)}"/>'
        f'<text class="peak-name" x="{x:.1f}" y="{y - 4:.1f}">{peak:g} ×</text>'
    )


def _reproduction(peak: float, kappa_tau: float) -> float:
    """R whose burst peaks at `peak`, by halving: the peak rises with R up to the runaway threshold."""
    low, high = kappa_tau, runaway_threshold(kappa_tau)
    for _ in range(40):
        middle = 0.5 * (low + high)
        found = overshoot_peak(middle, kappa_tau).peak
        if found is None or found > peak:
            high = middle
        else:
            low = middle
    return low


def _spot(pane: Pane, spot: Spot) -> str:
    x, y = pane.x(spot.kappa_tau) + spot.shift, pane.y(spot.reproduction)
    parts: list[str] = []
    if spot.low is not None and spot.high is not None:
        parts.append(_rule(x, x, pane.y(spot.low), pane.y(spot.high), spot.kind))
    if spot.kappa_tau_low is not None and spot.kappa_tau_high is not None:
        parts.append(
            _rule(pane.x(spot.kappa_tau_low), pane.x(spot.kappa_tau_high), y, y, spot.kind)
        )
    before = x > 0.5 * (pane.left + pane.right) or spot.kind == "up"
    side, away = ('class="before spot-name"', -9.0) if before else ('class="spot-name"', 9.0)
    at = y
    for value, label in spot.trail:
        here = pane.y(value)
        parts.append(f'<circle class="{spot.kind} far" cx="{x:.1f}" cy="{here:.1f}" r="3"/>')
        if abs(here - at) >= 13.0:
            parts.append(
                f'<text {side} x="{x + away:.1f}" y="{here + 4:.1f}">{escape(label)}</text>'
            )
            at = here
    parts.append(
        f'<circle class="{spot.kind}" cx="{x:.1f}" cy="{y:.1f}" r="5.5"/>'
        f'<text {side} x="{x + away:.1f}" y="{y + 4:.1f}">{escape(spot.label)}</text>'
    )
    return "".join(parts)


def _rule(x1: float, x2: float, y1: float, y2: float, kind: str) -> str:
    return f'<line class="range {kind}" x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}"/>'


def round_step(span: float) -> float:
    """A step of 1, 2 or 5 times a power of ten, about five to a span."""
    rough = span / _TICKS
    power = 10.0 ** floor(log10(rough))
    return next((m * power for m in (1.0, 2.0, 5.0) if m * power >= rough), 10.0 * power)
