"""A what-if as SVG: the fan of paths beside the phase diagram, on which today's point stands."""

from html import escape
from math import ceil, floor, log10

from airpocket.brief import whatif_page, words
from airpocket.brief.phase_picture import Pane
from airpocket.cascade.phase import Phase
from airpocket.cascade.whatif import WhatIf

_WIDTH, _HEIGHT = 960.0, 430.0
_ALONE = (
    'xmlns="http://www.w3.org/2000/svg" style="background:#fff;color:#1b1f24;font:12px sans-serif"'
)
# Okabe-Ito: blue for the fan; green, yellow, vermilion for ends by itself, speeds up, runs away
_FAN, _CALM, _GROWS, _RUNS = "#0072b2", "#009e73", "#f0e442", "#d55e00"
_TICKS = 5


def picture(asset: str, found: WhatIf, *, simulated: bool) -> str:
    """An SVG document: how price runs after the push, and whether bursts feed themselves."""
    title = whatif_page.answer(asset, found)
    origin = words.SIMULATED if simulated else "MODELLED, mostly on priors: no forecast"
    stamp = (
        '<text x="480" y="270" text-anchor="middle" style="font-size:96px" fill-opacity="0.12">SIMULATED</text>'
        if simulated
        else ""
    )
    return (
        f'<svg {_ALONE} viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img"><title>{escape(title)}</title>'
        f'<text x="8" y="20" style="font-size:14px;font-weight:bold">{escape(title)}</text>'
        f'<text x="8" y="38" fill-opacity="0.7">{escape(whatif_page.head_line(found))}</text>'
        f'<text x="8" y="54" fill-opacity="0.7">{escape(origin)}</text>'
        f"{_fan(found)}{_phase(found.phase, trail_of(found))}{stamp}</svg>\n"
    )


def _fan(found: WhatIf) -> str:
    minutes = [0.0, *(found.fan_s / 60.0).tolist()]
    rows = [[0.0] * 5, *found.fan.tolist()]
    low, high = min(min(row) for row in rows), max(max(row) for row in rows)
    step = round_step(max(high - low, 0.1))
    pane = Pane(
        62.0, 560.0, 84.0, 380.0, minutes[-1], floor(low / step) * step, ceil(high / step) * step
    )
    parts = [_level(pane, value, f"{value:+.{decimals(step)}f} %") for value in _values(pane, step)]
    for inner, opacity in ((0, 0.18), (1, 0.32)):
        above = [(at, row[4 - inner]) for at, row in zip(minutes, rows, strict=True)]
        below = [(at, row[inner]) for at, row in zip(minutes, rows, strict=True)]
        outline = pane.path(above + below[::-1])
        parts.append(f'<path d="{outline}Z" fill="{_FAN}" fill-opacity="{opacity}"/>')
    middle = [(at, row[2]) for at, row in zip(minutes, rows, strict=True)]
    parts.append(f'<path d="{pane.path(middle)}" fill="none" stroke="{_FAN}" stroke-width="2"/>')
    pushed = found.course.push_s / 60.0 if found.push.usd else 0.0
    if 0.0 < pushed < pane.x_most:
        x = pane.x(pushed)
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{pane.top:g}" y2="{pane.bottom:g}" stroke="currentColor" '
            f'stroke-dasharray="3 3"/><text x="{x + 4:.1f}" y="{pane.top + 12:g}">the push ends</text>'
        )
    ends = f"{minutes[-1]:g} min"
    return (
        f'<text x="{pane.left:g}" y="76">Price from the start: middle, half and eight in ten of all paths</text>'
        f'{"".join(parts)}<text x="{pane.left:g}" y="398">0</text>'
        f'<text x="{pane.right:g}" y="398" text-anchor="end">{ends}</text>'
    )


def trail_of(found: WhatIf) -> list[tuple[float, float]]:
    """(κτ, R) of the moments that are known, oldest first."""
    known = [at.phase for at in found.trail if at.phase is not None]
    return [(phase.kappa_tau, phase.reproduction) for phase in known]


def diagram_ends(phase: Phase, trail: list[tuple[float, float]]) -> tuple[float, float]:
    """How far κτ and R go on the diagram."""
    ratio_most = max([1.0, *(1.6 * at for at, _ in [(phase.kappa_tau, 0.0), *trail])])
    highest = max([phase.reproduction, *(at for _, at in trail)])
    return ratio_most, max(1.25 * (1.0 + ratio_most**0.5) ** 2, 1.2 * highest)


def _phase(phase: Phase, trail: list[tuple[float, float]]) -> str:
    ratio_most, most = diagram_ends(phase, trail)
    pane = Pane(640.0, 940.0, 84.0, 380.0, ratio_most, 0.0, most)
    across = [ratio_most * k / 60.0 for k in range(61)]
    growth = [(at, 1.0 + at) for at in across]
    runaway = [(at, (1.0 + at**0.5) ** 2) for at in across]
    floor_line, roof = [(ratio_most, 0.0), (0.0, 0.0)], [(ratio_most, most), (0.0, most)]
    bands = (
        (growth + floor_line, _CALM, "ends by itself", 0.45),
        (runaway + growth[::-1], _GROWS, "speeds up, then ends", 0.85),
        (runaway + roof, _RUNS, "runs until the fuel ends", 0.97),
    )
    parts = [
        f'<path d="{pane.path(points)}Z" fill="{colour}" fill-opacity="0.35"/>'
        for points, colour, _, _ in bands
    ]
    names = ((0.5 * (1 + ratio_most), bands[0][2]), (0.5 * (growth[-6][1] + runaway[-6][1]), bands[1][2]),
             (0.93 * most, bands[2][2]))  # fmt: skip
    parts += [
        f'<text x="{pane.right - 8:g}" y="{pane.y(at) + 4:.1f}" text-anchor="end">{name}</text>'
        for at, name in names
    ]
    step = round_step(most)
    parts += [_level(pane, value, f"{value:.{decimals(step)}f}") for value in _values(pane, step)]
    x, y = pane.x(phase.kappa_tau), pane.y(phase.reproduction)
    if trail:
        way = pane.path([*trail, (phase.kappa_tau, phase.reproduction)])
        parts.append(f'<path d="{way}" fill="none" stroke="#000" stroke-width="1.5"/>')
        parts += [
            f'<circle cx="{pane.x(k):.1f}" cy="{pane.y(r):.1f}" r="3" fill="#000" fill-opacity="0.6"/>'
            for k, r in trail
        ]
    parts.append(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="#000" stroke="#fff" stroke-width="2"/>'
        f'<text x="{x + 10:.1f}" y="{y + 4:.1f}" style="font-weight:bold">S {phase.squeeze:.2f}</text>'
    )
    return (
        f'<text x="{pane.left:g}" y="76">R (forced over resting) against κτ</text>'
        f'{"".join(parts)}<text x="{pane.left:g}" y="398">κτ 0</text>'
        f'<text x="{pane.right:g}" y="398" text-anchor="end">{ratio_most:.2g}</text>'
    )


def _level(pane: Pane, value: float, label: str) -> str:
    y = pane.y(value)
    return (
        f'<line x1="{pane.left:g}" x2="{pane.right:g}" y1="{y:.1f}" y2="{y:.1f}" stroke="currentColor" '
        f'stroke-opacity="0.15"/><text x="{pane.left - 6:g}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
    )


def _values(pane: Pane, step: float) -> list[float]:
    first, last = ceil(pane.y_low / step - 1e-9), floor(pane.y_high / step + 1e-9)
    return [k * step for k in range(first, last + 1)]


def round_step(span: float) -> float:
    """A step of 1, 2 or 5 times a power of ten, about five to a span."""
    rough = span / _TICKS
    power = 10.0 ** floor(log10(rough))
    return next((m * power for m in (1.0, 2.0, 5.0) if m * power >= rough), 10.0 * power)


def decimals(step: float) -> int:
    """Decimals that tell multiples of a step apart."""
    return max(0, -floor(log10(step) + 1e-9))
