"""The market picture as inline SVG: price among its zones, volume profile, open interest and funding."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, isfinite, log10

from airpocket.brief import words
from airpocket.brief.model import Brief, Chart
from airpocket.domain.estimates import Estimate
from airpocket.domain.units import DAY_NS, day_of
from airpocket.levels.roadmap import VolumeProfile, Zone

_TOP, _PRICE_HEIGHT = 62.0, 280.0
_LOWER_HEIGHT, _GAP = 70.0, 40.0
_INTEREST_TOP = _TOP + _PRICE_HEIGHT + _GAP
_FUNDING_TOP = _INTEREST_TOP + _LOWER_HEIGHT + _GAP
_BOTTOM = _FUNDING_TOP + _LOWER_HEIGHT
_HEIGHT = _BOTTOM + 30.0
_REACH = 0.8  # how far past the closes a zone may stretch the price axis, in their range
_NAME_STEP = 14.0


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Where things stand from left to right; a phone gets its own sheet, so that text stays readable."""

    name: str
    width: float
    left: float  # of the plot; the value axis stands before it
    right: float
    profile: float  # width of the volume profile
    letters: int  # longest zone name
    days: int  # at most so many dates

    @property
    def names(self) -> float:
        return self.right + self.profile + 14


_SHEETS = (
    _Sheet(name="roomy", width=960, left=80, right=706, profile=96, letters=24, days=8),
    _Sheet(name="small", width=360, left=68, right=226, profile=30, letters=14, days=3),
)


@dataclass(frozen=True, slots=True)
class _Pane:
    """A rectangle with its own value axis."""

    sheet: _Sheet
    top: float
    height: float
    low: float
    high: float

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.top + self.height * (1.0 - min(max(share, 0.0), 1.0))


def market_picture(brief: Brief) -> str:
    """Closes with the zones around them, volume by price, OI in coin and funding in force (% per 8 h).

    Drawn twice, for wide and for narrow pages; the style sheet shows one. A sentence when there are
    no closes to draw.
    """
    closes = _finite(brief.price.chart_close)
    if len(brief.price.chart_ts) < 2 or not closes:
        return "<p>no picture: fewer than two closes are known</p>"
    drawn = "".join(_picture(brief, closes, sheet) for sheet in _SHEETS)
    beyond = _beyond(brief.roadmap.zones, _price_pane(brief, closes, _SHEETS[0]))
    return f'<figure class="market">{drawn}{beyond}</figure>'


def _picture(brief: Brief, closes: list[float], sheet: _Sheet) -> str:
    price, pane = brief.price, _price_pane(brief, closes, sheet)
    funding: Chart = [None if rate is None else 100 * rate for rate in price.chart_funding]
    origin = "SIMULATED" if brief.health.simulated else "MEASURED"
    lower = (
        ("interest", "open interest, coin", price.chart_interest, _INTEREST_TOP),
        ("funding", "funding in force, % per 8 h", funding, _FUNDING_TOP),
    )
    body = [
        _watermark(sheet) if brief.health.simulated else "",
        _zones(brief.roadmap.zones, pane),
        _dates(price.chart_ts, sheet),
        _frame(pane, f"close, quote per coin · {origin}", price.last.value),
        _profile(brief.roadmap.profile, pane),
        _line(price.chart_ts, price.chart_close, pane, "price"),
        _last(price.last, pane),
        *(_lower(price.chart_ts, each, sheet, origin) for each in lower),
    ]
    title = f"{brief.asset} on {price.reference}, as of {words.moment(brief.as_of)}"
    told = _text(8, 20, title, "head") + "".join(body)
    return (
        f'<svg class="{sheet.name}" viewBox="0 0 {sheet.width:g} {_HEIGHT:g}" role="img">'
        f"<title>{_safe(title)}</title><desc>{_safe(_described(brief, closes))}</desc>{told}</svg>"
    )


def _described(brief: Brief, closes: list[float]) -> str:
    """What the picture shows, for those who can't see it."""
    simulated = f"{words.SIMULATED}. " if brief.health.simulated else ""
    zones = ", ".join(
        f"{words.name(zone.role)} {words.price(zone.low)} to {words.price(zone.high)}"
        for zone in sorted(brief.roadmap.zones, key=lambda zone: -zone.high)
    )
    return (
        f"{simulated}Closes between {words.price(min(closes))} and {words.price(max(closes))}; last "
        f"{words.figure(brief.price.last)}. Zones from the highest: {zones or 'none'}. "
        "Beneath: open interest and funding on the same time axis."
    )


def _price_pane(brief: Brief, closes: list[float], sheet: _Sheet) -> _Pane:
    """The closes, the last price, and the zones near enough to be drawn without flattening them."""
    shown = [*closes, brief.price.last.value] if brief.price.last.value is not None else closes
    low, high = min(shown), max(shown)
    reach = _REACH * (high - low) or 0.01 * abs(high) or 1.0
    near = [z for z in brief.roadmap.zones if z.high >= low - reach and z.low <= high + reach]
    bottom = max(low - reach, min([low, *(zone.low for zone in near)]))
    top = min(high + reach, max([high, *(zone.high for zone in near)]))
    margin = 0.06 * (top - bottom) or reach
    return _Pane(sheet, _TOP, _PRICE_HEIGHT, bottom - margin, top + margin)


def _finite(values: Chart) -> list[float]:
    return [value for value in values if value is not None and isfinite(value)]


def _x(at: int, times: Sequence[int], sheet: _Sheet) -> float:
    share = (at - times[0]) / max(times[-1] - times[0], 1)
    return sheet.left + (sheet.right - sheet.left) * share


def _line(times: Sequence[int], values: Chart, pane: _Pane, name: str) -> str:
    """A path that breaks where a value is not known."""
    path: list[str] = []
    pen = "M"
    for at, value in zip(times, values, strict=True):
        if value is None or not isfinite(value):
            pen = "M"
            continue
        path.append(f"{pen}{_x(at, times, pane.sheet):.1f} {pane.y(value):.1f}")
        pen = "L"
    return f'<path class="{name}" d="{"".join(path)}"/>'


def _frame(pane: _Pane, label: str, taken: float | None = None) -> str:
    """Value axis with round numbers (none where `taken` has its own label), and the pane's title."""
    sheet = pane.sheet
    ticks, decimals = _round_values(pane.low, pane.high, max(3, int(pane.height / 40)))
    marks = [
        f'<line class="grid" x1="{sheet.left:g}" x2="{sheet.right:g}" '
        f'y1="{pane.y(tick):.1f}" y2="{pane.y(tick):.1f}"/>'
        + _text(sheet.left - 6, pane.y(tick) + 4, _tick(tick, decimals), "tick before")
        for tick in ticks
        if taken is None or abs(pane.y(tick) - pane.y(taken)) > _NAME_STEP
    ]
    return "".join(marks) + _text(8, pane.top - 8, label, "label")


def _round_values(low: float, high: float, about: int) -> tuple[list[float], int]:
    """Round values between the ends (1, 2 or 5 times a power of ten apart), and the decimals they need."""
    rough = (high - low) / about
    power = floor(log10(rough))
    step = next(size * 10.0**power for size in (1, 2, 5, 10) if size * 10.0**power >= rough * 0.999)
    count = range(ceil(low / step), floor(high / step) + 1)
    return [at * step for at in count], max(0, -floor(log10(step * 1.001)))


def _tick(value: float, decimals: int) -> str:
    if abs(value) >= 1e6:
        return f"{value / 1e6:,.{max(0, decimals + 6) if decimals else 2}f} mn"
    return f"{value + 0.0:,.{decimals}f}"


def _lower(
    times: Sequence[int], row: tuple[str, str, Chart, float], sheet: _Sheet, origin: str
) -> str:
    """A pane under the price; its zero line is drawn when zero lies inside."""
    name, label, values, top = row
    have = _finite(values)
    if not have:
        return _text(8, top - 8, f"{label}: unknown", "label")
    low, high = min(have), max(have)
    margin = 0.1 * (high - low) or 0.1 * abs(high) or 1.0
    pane = _Pane(sheet, top, _LOWER_HEIGHT, low - margin, high + margin)
    zero = ""
    if pane.low < 0 < pane.high:
        at = f"{pane.y(0.0):.1f}"
        zero = f'<line class="zero" x1="{sheet.left:g}" x2="{sheet.right:g}" y1="{at}" y2="{at}"/>'
    return _frame(pane, f"{label} · {origin}") + zero + _line(times, values, pane, name)


def _dates(times: Sequence[int], sheet: _Sheet) -> str:
    """A line per UTC midnight, as many of them dated as there is room for."""
    first = times[0] - times[0] % DAY_NS + DAY_NS
    days = range(first, times[-1], DAY_NS)
    every = max(1, ceil(len(days) / sheet.days))
    marks: list[str] = []
    for place, day in enumerate(days):
        x = _x(day, times, sheet)
        marks.append(
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP:g}" y2="{_BOTTOM:g}"/>'
        )
        if place % every == 0:
            marks.append(_text(x, _BOTTOM + 18, day_of(day)[5:], "tick middle"))
    return "".join(marks) + _text(sheet.right + 12, _BOTTOM + 18, "UTC", "tick")


def _zones(zones: list[Zone], pane: _Pane) -> str:
    """Bands of the zones inside the picture, each named at the right with a line to its band."""
    sheet, end = pane.sheet, pane.sheet.right + pane.sheet.profile + 6
    inside = [zone for zone in zones if zone.high >= pane.low and zone.low <= pane.high]
    inside.sort(key=lambda zone: -(zone.low + zone.high))
    middles = [(pane.y(zone.high) + pane.y(zone.low)) / 2 for zone in inside]
    drawn = (
        [_text(sheet.width - 4, pane.top - 8, "zones · MODELLED", "label before")] if inside else []
    )
    for zone, middle, name_y in zip(inside, middles, _apart(middles, pane), strict=True):
        top, height = pane.y(zone.high), pane.y(zone.low) - pane.y(zone.high)
        bias = _safe(zone.bias)
        drawn.append(
            f'<rect class="zone {bias}" x="{sheet.left:g}" width="{end - sheet.left:g}" y="{top:.1f}" '
            f'height="{max(height, 2):.1f}"/><path class="lead {bias}" d="M{end:g} {middle:.1f}'
            f'L{sheet.names - 3:g} {name_y:.1f}"/>'
        )
        drawn.append(
            _text(sheet.names, name_y + 4, _zone_name(zone, sheet), f"zone-name {zone.bias}")
        )
    return "".join(drawn)


def _apart(wanted: list[float], pane: _Pane) -> list[float]:
    """Heights for names, from top to bottom, near where they are wanted and not on top of each other."""
    places: list[float] = []
    for want in wanted:
        places.append(max(want, places[-1] + _NAME_STEP) if places else max(want, pane.top + 6))
    limit = pane.top + pane.height
    for at in reversed(range(len(places))):
        places[at] = min(places[at], limit)
        limit = places[at] - _NAME_STEP
    return places


def _zone_name(zone: Zone, sheet: _Sheet) -> str:
    name = words.name(zone.role)
    if len(name) > sheet.letters:
        for long, short in (
            ("immediate", "near"),
            ("resistance", "res."),
            ("discovery trigger", "discovery"),
        ):
            name = name.replace(long, short)
    return name if len(name) <= sheet.letters else name[: sheet.letters - 1] + "…"


def _beyond(zones: list[Zone], pane: _Pane) -> str:
    """Zones too far away to be drawn, in words."""
    outside = [zone for zone in zones if zone.high < pane.low or zone.low > pane.high]
    named = ", ".join(
        f"{words.name(z.role)} {words.signed_percent(z.distance_percent)}" for z in outside
    )
    return (
        f"<figcaption>{_safe(f'Zones beyond the picture: {named}')}</figcaption>" if outside else ""
    )


def _profile(profile: VolumeProfile | None, pane: _Pane) -> str:
    """Volume by price as bars right of the price, on the same value axis."""
    sheet = pane.sheet
    if profile is None or len(profile.prices) < 2:
        return ""
    rows = zip(profile.prices, profile.volume, strict=True)
    shown = [(at, size) for at, size in rows if pane.low < at < pane.high and isfinite(size)]
    most = max((size for _, size in shown), default=0.0)
    if most <= 0:
        return ""
    step = abs(pane.y(profile.prices[1]) - pane.y(profile.prices[0])) or 2.0
    thick = min(max(0.8 * step, 0.6), 12.0)
    bars = "".join(
        f'<rect class="bar" x="{sheet.right + 4:g}" y="{pane.y(at) - thick / 2:.1f}" '
        f'width="{sheet.profile * size / most:.1f}" height="{thick:.1f}"/>'
        for at, size in shown
    )
    note = f"volume, {profile.window}" if sheet.name == "roomy" else "volume"
    return bars + _text(sheet.right + 4, pane.top + pane.height + 15, note, "tick")


def _last(last: Estimate, pane: _Pane) -> str:
    """The last price as a dashed line with its figure on the axis."""
    sheet = pane.sheet
    if last.value is None:
        return _text(sheet.left + 6, pane.top + 14, "last price unknown", "label")
    y = pane.y(last.value)
    return (
        f'<line class="now" x1="{sheet.left:g}" x2="{sheet.right:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<circle class="last" cx="{sheet.right:g}" cy="{y:.1f}" r="4"/>'
        f'<rect class="last" x="1" y="{y - 9:.1f}" width="{sheet.left - 3:g}" height="18" rx="3"/>'
        + _text(sheet.left - 6, y + 4, words.price(last.value), "tag before")
    )


def _watermark(sheet: _Sheet) -> str:
    size = (sheet.right - sheet.left) / 7
    middle = (sheet.left + sheet.right) / 2
    return (
        f'<text class="stamp" x="{middle:g}" y="{_TOP + _PRICE_HEIGHT / 2 + size / 3:g}" '
        f'style="font-size:{size:g}px">SIMULATED</text>'
    )


def _safe(text: str) -> str:
    return escape(words.plain(text))


def _text(x: float, y: float, text: str, name: str) -> str:
    return f'<text class="{_safe(name)}" x="{x:.1f}" y="{y:.1f}">{_safe(text)}</text>'
