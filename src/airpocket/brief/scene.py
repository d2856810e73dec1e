"""What the interactive chart draws of a brief: candles, heatmap, levels, fan and the panes below, as plain data."""

import zlib
from base64 import b64encode
from math import isfinite

import msgspec
import numpy as np
from msgspec import Struct

from airpocket.brief import words
from airpocket.brief.fuel_model import ForcedSum
from airpocket.brief.model import Brief, Chart, HeatGrid, PriceSection
from airpocket.domain.units import HOUR_NS, SECOND_NS

_FULL = 255


class Bars(Struct, frozen=True, kw_only=True):
    """Candles of one contract in columns; open_s: seconds since 1970."""

    contract: str
    interval_s: int
    open_s: list[int]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]


class PaneLine(Struct, frozen=True, kw_only=True):
    """One line of a pane, a value a candle; None where it is not known."""

    contract: str
    spot: bool
    values: Chart


class Pane(Struct, frozen=True, kw_only=True):
    """A picture below the candles."""

    id: str
    title: str
    unit: str
    note: str
    lines: list[PaneLine]


class Band(Struct, frozen=True, kw_only=True):
    """A level zone, between two prices."""

    low: float
    high: float
    bias: str
    role: str


class Fan(Struct, frozen=True, kw_only=True):
    """Quantiles of where price goes after a push, % of the price; as brief.model.PushWay tells them."""

    direction: str
    drawn_usd: float
    fan: list[list[float]]


class Heat(Struct, frozen=True, kw_only=True):
    """The map through time. cells: base64 of zlib of one byte a cell, column after column, lowest price first.

    A byte is 255 times the root of the amount over the largest one; one with anything in it is at least 1.
    """

    time_s: list[int]
    close: list[float]
    edge: list[float]
    cells: str


class Scene(Struct, frozen=True, kw_only=True):
    """Everything that the chart needs. missing: what it lacks, and why."""

    schema: str = "airpocket.scene/2"
    asset: str
    as_of: str
    simulated: bool
    stamp: str  # over the picture; '' where nothing need be said
    price: float | None  # the last, between the candles
    bars: Bars
    panes: list[Pane]
    prints: list[ForcedSum]  # by the hour that began at open_s
    zones: list[Band]
    fans: list[Fan]
    fan_s: float
    heat: Heat | None
    missing: list[tuple[str, str]]


def scene_of(brief: Brief) -> Scene | None:
    """The scene of a brief; None where it tells fewer than two candles."""
    price = brief.price
    whole = _whole(price)
    if len(whole) < 2:
        return None
    pushes, grid = brief.cascade.pushes, brief.map.heat
    missing = [
        *([("Heatmap", brief.map.unknown or "there is no map through time")] if grid is None else []),
        *([("Fan", pushes.unknown)] if pushes.unknown else []),
        *([("Liquidations", price.chart_forced_unknown)] if price.chart_forced_unknown else []),
    ]  # fmt: skip
    return Scene(
        asset=words.plain(brief.asset), as_of=words.plain(brief.as_of), simulated=brief.health.simulated,
        stamp="SIMULATED" if brief.health.simulated else "", price=price.last.value, bars=_bars(price, whole),
        panes=_panes(price, whole), prints=price.chart_forced,
        zones=[
            Band(low=z.low, high=z.high, bias=z.bias, role=words.plain(z.role)) for z in brief.roadmap.zones
        ],
        fans=[Fan(direction=w.direction, drawn_usd=w.drawn_usd, fan=w.fan) for w in pushes.ways if w.fan],
        fan_s=pushes.fan_s[-1] if pushes.fan_s else 0.0,
        heat=None if grid is None or not grid.ts else _heat(grid),
        missing=[(what, words.plain(why)) for what, why in missing],
    )  # fmt: skip


def encoded(scene: Scene) -> str:
    """JSON that may stand within a page: no character of it begins or ends anything in HTML."""
    text = msgspec.json.encode(scene).decode()
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _whole(price: PriceSection) -> list[int]:
    """Which candles are told whole."""
    columns = (price.chart_open, price.chart_high, price.chart_low, price.chart_close)
    rows = zip(*columns, strict=False)
    return [
        at for at, row in enumerate(rows)
        if all(value is not None and isfinite(value) for value in row)
    ]  # fmt: skip


def _bars(price: PriceSection, whole: list[int]) -> Bars:
    return Bars(
        contract=words.plain(price.reference), interval_s=HOUR_NS // SECOND_NS,
        open_s=[(price.chart_ts[at] - HOUR_NS) // SECOND_NS for at in whole],
        open=_rounded(price.chart_open, whole), high=_rounded(price.chart_high, whole),
        low=_rounded(price.chart_low, whole), close=_rounded(price.chart_close, whole),
    )  # fmt: skip


def _rounded(values: Chart, whole: list[int]) -> list[float]:
    return [_short(value) for at in whole if (value := values[at]) is not None]


def _panes(price: PriceSection, whole: list[int]) -> list[Pane]:
    """Those with anything known in them."""
    told = (
        ("funding", "Funding", "% per 8 h", 100.0, price.chart_funding,
         "rate in force, brought to 8 h; above zero longs pay shorts"),
        ("interest", "Open interest", "coin", 1.0, price.chart_interest, "open positions in coin, counted once"),
    )  # fmt: skip
    panes: list[Pane] = []
    for id_, title, unit, scale, values, note in told:
        chosen = [values[at] if at < len(values) else None for at in whole]
        scaled = [None if v is None or not isfinite(v) else _short(scale * v) for v in chosen]
        if any(value is not None for value in scaled):
            line = PaneLine(contract="", spot=False, values=scaled)
            panes.append(Pane(id=id_, title=title, unit=unit, note=note, lines=[line]))
    return panes


def _heat(grid: HeatGrid) -> Heat:
    edge = np.asarray(grid.edge, np.float64)
    usd = np.asarray(grid.forced, np.float64) * np.sqrt(edge[1:] * edge[:-1])
    most = float(usd.max(initial=0.0)) or 1.0
    codes = np.round(_FULL * np.sqrt(np.clip(usd / most, 0.0, 1.0))).astype(np.uint8)
    codes[(usd > 0.0) & (codes == 0)] = 1
    return Heat(
        time_s=[ts // SECOND_NS for ts in grid.ts], close=[_short(close) for close in grid.close],
        edge=[_short(price) for price in grid.edge], cells=b64encode(zlib.compress(codes.tobytes(), 9)).decode(),
    )  # fmt: skip


def _short(value: float) -> float:
    """As many digits as a picture can show."""
    return float(f"{value:.7g}")
