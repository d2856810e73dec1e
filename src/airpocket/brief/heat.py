"""The heatmap of the liquidation map as inline SVG: where positions would be forced out, through time."""

import struct
import zlib
from base64 import b64encode
from html import escape
from math import log
from typing import NamedTuple

from airpocket.brief import words
from airpocket.brief.model import Brief, HeatGrid, MapSection
from airpocket.domain.estimates import Provenance
from airpocket.domain.units import DAY_NS, day_of

_WIDTH, _HEIGHT = 960.0, 420.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 80.0, 860.0, 52.0, 380.0
_ALONE = (
    'xmlns="http://www.w3.org/2000/svg" style="background:#fff;color:#1b1f24;font:12px sans-serif"'
)
# Okabe-Ito: vermilion for shorts above, blue for longs below
_SHORT, _LONG = (213, 94, 0), (0, 114, 178)
_ALL_PERCENT = 99.9


def heat_picture(brief: Brief) -> str:
    """Forced notional by price and hour under the closes; a sentence when there is no map to draw."""
    grid = brief.map.heat
    if grid is None or len(grid.ts) < 2:
        return "<p>no heatmap: there is no map through time</p>"
    named = _Named(brief.asset, brief.as_of, brief.health.simulated)
    return f'<figure class="market heat still">{_svg(grid, named)}</figure>'


def heat_file(section: MapSection, asset: str, as_of: str, *, simulated: bool) -> str:
    """The picture as an SVG document of its own.

    Raises:
        ValueError: there is no map through time.
    """
    grid = section.heat
    if grid is None or len(grid.ts) < 2:
        raise ValueError(section.unknown or "there is no map through time")
    return _svg(grid, _Named(asset, as_of, simulated), _ALONE) + "\n"


class _Named(NamedTuple):
    """What the picture is of."""

    asset: str
    as_of: str
    simulated: bool


def _svg(grid: HeatGrid, named: _Named, attributes: str = "") -> str:
    asset = words.plain(named.asset)
    kind = heat_provenance(grid)
    title = f"{asset}: forced notional by price, {kind}, as of {words.moment(named.as_of)}"
    origin = "SIMULATED" if named.simulated else kind.upper()
    stamp = (
        f'<text class="stamp" x="{(_LEFT + _RIGHT) / 2:g}" y="{(_TOP + _BOTTOM) / 2 + 30:g}" '
        'text-anchor="middle" opacity=".3" style="font-size:96px">SIMULATED</text>'
        if named.simulated
        else ""
    )
    image = b64encode(_png(_pixels(grid))).decode()
    path = "".join(
        f"{'L' if at else 'M'}{_x(grid, ts):.1f} {_y(grid, close):.1f}"
        for at, (ts, close) in enumerate(zip(grid.ts, grid.close, strict=True))
    )
    return (
        f'<svg {attributes} viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img">'
        f"<title>{escape(title)}</title><desc>{escape(_described(grid))}</desc>"
        f'<text class="head" x="8" y="20">{escape(title)}</text>'
        f'<text class="label" x="8" y="37">shorts above the price (orange), longs below (blue); '
        f"denser colour: more coin · {origin}</text>"
        f'<image x="{_LEFT:g}" y="{_TOP:g}" width="{_RIGHT - _LEFT:g}" height="{_BOTTOM - _TOP:g}" '
        f'preserveAspectRatio="none" style="image-rendering:pixelated" '
        f'href="data:image/png;base64,{image}"/>'
        f'{_axes(grid)}{_exact(grid)}<path class="price" fill="none" stroke="currentColor" d="{path}"/>'
        f"{stamp}</svg>"
    )


def heat_provenance(grid: HeatGrid) -> Provenance:
    """Of the picture as a whole: measured where every column is all held by accounts, modelled where none is."""
    if not any(grid.exact_percent):
        return "modelled"
    return "measured" if min(grid.exact_percent) >= _ALL_PERCENT else "mixed"


def exact_spans(grid: HeatGrid) -> list[tuple[int, int, float]]:
    """First and last column of each run in which accounts were known, and what they held on average, %."""
    spans: list[tuple[int, int, float]] = []
    first = 0
    for at, share in enumerate([*grid.exact_percent, 0.0]):
        if share > 0.0:
            continue
        if at > first:
            held = grid.exact_percent[first:at]
            spans.append((first, at - 1, sum(held) / len(held)))
        first = at + 1
    return spans


def _exact(grid: HeatGrid) -> str:
    """A line along the foot where accounts were known, with the share that they held."""
    y = _BOTTOM + 3
    drawn: list[str] = []
    for first, last, share in exact_spans(grid):
        begin, end = (
            _x(grid, grid.ts[first]),
            max(_x(grid, grid.ts[last]), _x(grid, grid.ts[first]) + 3),
        )
        drawn.append(
            f'<line class="exact" x1="{begin:.1f}" x2="{end:.1f}" y1="{y:g}" y2="{y:g}" stroke="currentColor" '
            f'stroke-width="3"><title>accounts known: {share:.0f} % of what is shown</title></line>'
        )
    return "".join(drawn)


def _described(grid: HeatGrid) -> str:
    known = sum(share > 0.0 for share in grid.exact_percent)
    held = f" In {known} of them accounts were known: the line at the foot." if known else ""
    return (
        f"{len(grid.ts)} columns to {day_of(grid.ts[-1])}, prices {words.price(grid.edge[0])} to "
        f"{words.price(grid.edge[-1])}; last close {words.price(grid.close[-1])}.{held}"
    )


def _x(grid: HeatGrid, ts: int) -> float:
    return _LEFT + (_RIGHT - _LEFT) * (ts - grid.ts[0]) / max(grid.ts[-1] - grid.ts[0], 1)


def _y(grid: HeatGrid, price: float) -> float:
    share = log(price / grid.edge[0]) / log(grid.edge[-1] / grid.edge[0])
    return _BOTTOM - (_BOTTOM - _TOP) * min(max(share, 0.0), 1.0)


def _axes(grid: HeatGrid) -> str:
    """Signed distances from the last close at the right, prices at the left, days below."""
    marks: list[str] = []
    for percent in (-15, -10, -5, -3, 0, 3, 5, 10, 15):
        price = grid.close[-1] * (1.0 + percent / 100.0)
        if not grid.edge[0] * 0.999 <= price <= grid.edge[-1] * 1.001:
            continue
        y = _y(grid, price)
        label = "now" if percent == 0 else f"{percent:+d} %"
        marks.append(
            f'<line class="grid" x1="{_LEFT:g}" x2="{_RIGHT:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="tick" x="{_RIGHT + 6:g}" y="{y + 4:.1f}">{label}</text>'
            f'<text class="tick before" text-anchor="end" x="{_LEFT - 6:g}" y="{y + 4:.1f}">'
            f"{words.price(price)}</text>"
        )
    first = grid.ts[0] - grid.ts[0] % DAY_NS + DAY_NS
    for place, day in enumerate(range(first, grid.ts[-1], DAY_NS)):
        if place % 2 == 0:
            marks.append(
                f'<text class="tick middle" text-anchor="middle" x="{_x(grid, day):.1f}" '
                f'y="{_BOTTOM + 18:g}">{day_of(day)[5:]}</text>'
            )
    return "".join(marks)


def _pixels(grid: HeatGrid) -> list[bytes]:
    """RGBA rows from the highest price down; opacity by the root of the amount, so small ones show."""
    most = sorted(amount for column in grid.forced for amount in column if amount > 0)
    full = most[int(0.995 * (len(most) - 1))] if most else 1.0
    rows: list[bytes] = []
    for row in range(len(grid.edge) - 2, -1, -1):
        middle = (grid.edge[row] * grid.edge[row + 1]) ** 0.5
        pixels = bytearray()
        for column, close in zip(grid.forced, grid.close, strict=True):
            colour = _SHORT if middle > close else _LONG
            opacity = min(1.0, (column[row] / full) ** 0.5)
            pixels += bytes((*colour, round(235 * opacity)))
        rows.append(bytes(pixels))
    return rows


def _png(rows: list[bytes]) -> bytes:
    """RGBA rows as a PNG (ISO/IEC 15948: signature, IHDR, one IDAT, IEND)."""
    width, height = len(rows[0]) // 4, len(rows)
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in chunks)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
