"""The standard pushes as inline SVG: how price runs after a push each way, and where bursts stand."""

from dataclasses import dataclass
from html import escape
from math import ceil, floor

from airpocket.brief import words
from airpocket.brief.model import Brief, PushSection, PushWay
from airpocket.brief.phase_picture import Pane, Spot, phase, round_step

_NAMES = {"up": "after buying", "down": "after selling"}
_SHIFT = 14.0
_MOST_RUNAWAYS = 3.0  # how far above the runaway line the diagram reaches at most


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Where the three panes stand: (left, right, top, bottom) each; a phone gets them one below the other."""

    name: str
    width: float
    height: float
    panes: tuple[tuple[float, float, float, float], ...]


_SHEETS = (
    _Sheet("roomy", 960, 350, ((56, 300, 66, 310), (366, 610, 66, 310), (664, 950, 66, 310))),
    _Sheet("small", 360, 850, ((52, 350, 66, 266), (52, 350, 330, 530), (36, 350, 594, 820))),
)  # fmt: skip


def pushes_picture(brief: Brief) -> str:
    """Two fans and the phase diagram, for wide and for narrow pages; nothing where no push was walked."""
    section = brief.cascade.pushes
    if section.unknown is not None or not section.ways:
        return ""
    drawn = "".join(_picture(brief, section, sheet) for sheet in _SHEETS)
    told = (
        "Modelled on priors that nobody has fitted. Fans: middle, half, eight in ten of all paths; one that gets "
        "to where map and book end stays there. Diagram: at the price (large), and where R would be once price has "
        "gone as far as a small dot says; bars are 10 to 90 %."
    )
    return f'<figure class="market">{drawn}<figcaption>{escape(told)}</figcaption></figure>'


def _picture(brief: Brief, section: PushSection, sheet: _Sheet) -> str:
    title = f"{words.plain(brief.asset)}: what a push comes to · MODELLED"
    parts = [f'<text class="head" x="8" y="20">{escape(title)}</text>']
    for way, place in zip(section.ways, sheet.panes, strict=False):
        parts.append(_fan(way, section, place))
    parts.append(_phase(section, sheet.panes[-1]))
    if brief.health.simulated:
        size = sheet.width / 8.0
        parts.append(
            f'<text class="stamp" x="{sheet.width / 2:g}" y="{sheet.height / 2 + size / 3:g}" '
            f'style="font-size:{size:g}px">SIMULATED</text>'
        )
    return (
        f'<svg class="{sheet.name}" viewBox="0 0 {sheet.width:g} {sheet.height:g}" role="img">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )


def _fan(way: PushWay, section: PushSection, place: tuple[float, float, float, float]) -> str:
    left, right, top, bottom = place
    rows = [[0.0] * 5, *way.fan]
    minutes = [0.0, *(at / 60.0 for at in section.fan_s)]
    low, high = min(min(row) for row in rows), max(max(row) for row in rows)
    step = round_step(max(high - low, 0.1))
    pane = Pane(
        left, right, top, bottom, minutes[-1], floor(low / step) * step, ceil(high / step) * step
    )
    parts = [pane.levels(" %", signed=True)]
    for inner in (0, 1):
        above = [(at, row[4 - inner]) for at, row in zip(minutes, rows, strict=True)]
        below = [(at, row[inner]) for at, row in zip(minutes, rows, strict=True)]
        parts.append(f'<path class="fan {way.direction}" d="{pane.path(above + below[::-1])}Z"/>')
    middle = [(at, row[2]) for at, row in zip(minutes, rows, strict=True)]
    parts.append(f'<path class="median {way.direction}" d="{pane.path(middle)}"/>')
    amount = words.with_unit(way.drawn_usd, words.USD)
    return (
        f'<text class="label" x="{left - 44:g}" y="{top - 18:g}">Price {_NAMES[way.direction]} '
        f"{escape(amount)} in {section.push_s:g} s</text>{''.join(parts)}"
        f'<text x="{left:g}" y="{bottom + 16:g}">0</text>'
        f'<text class="before" x="{right:g}" y="{bottom + 16:g}">{minutes[-1]:g} min</text>'
    )


def _phase(section: PushSection, place: tuple[float, float, float, float]) -> str:
    left, right, top, bottom = place
    spots = [_spot(way) for way in section.ways]
    kappa_tau = max(spot.kappa_tau for spot in spots)
    x_most = max(1.0, *(1.1 * (spot.kappa_tau_high or 0.0) for spot in spots))
    runaway = (1.0 + kappa_tau**0.5) ** 2
    roof = 1.25 * (1.0 + x_most**0.5) ** 2
    values = [value for spot in spots for value in (spot.reproduction, *(r for r, _ in spot.trail))]
    pane = Pane(
        left, right, top, bottom, x_most, 0.0,
        max(roof, min(1.1 * max(values), _MOST_RUNAWAYS * runaway)),
    )  # fmt: skip
    return (
        f'<text class="label" x="{left - 24:g}" y="{top - 18:g}">R (forced over resting) against κτ</text>'
        f"{phase(pane, spots)}"
    )


def _spot(way: PushWay) -> Spot:
    sign = "+" if way.direction == "up" else "−"
    r, kappa_tau = way.reproduction, way.kappa_tau
    return Spot(
        kappa_tau=kappa_tau.value or 0.0, reproduction=r.value or 0.0, label=way.direction,
        kind=way.direction, low=r.low, high=r.high, kappa_tau_low=kappa_tau.low,
        kappa_tau_high=kappa_tau.high,
        trail=tuple((p.reproduction, f"{sign}{p.percent:g} %") for p in way.along if p.percent > 0.0),
        shift=0.0 if way.direction == "up" else _SHIFT,
    )  # fmt: skip
