"""The months before a drill: the bundled invented history, moved and scaled to where the world begins.

A plan needs daily ranges and swings that a world of one day has not. Prices alone are taken over: volume,
open interest and depth of another market would pass for this one's.
"""

from collections.abc import Iterator

import numpy as np

from airpocket.domain.events import Batch
from airpocket.domain.units import HOUR_NS, parse_time
from airpocket.ingest.lake import as_array
from airpocket.ingest.tables import columns_of, kind_named
from airpocket.lab import bundled_tables
from airpocket.lab.runs.worldfile import World

_CUT_NS = int(parse_time("2026-01-15T04:00Z"))  # before the history's own squeeze
_STANDS_FOR = {"sim_perp": "linear", "sim_spot": "spot"}
_PRICES = ("open", "high", "low", "close")


def past(world: World, label: str) -> Iterator[Batch]:
    """Hourly bars of the world's first linear perpetual and first spot venue, up to the world's first hour."""
    shift = world.start_ns // HOUR_NS * HOUR_NS - _CUT_NS
    for table in bundled_tables():
        kind = _STANDS_FOR.get(table.venue)
        venue = next((v for v in world.venue if v.kind == kind), None)
        if table.kind != "bar_1h" or venue is None:
            continue
        columns = {
            c.name: as_array(table.frame[c.name], c)
            for c in columns_of(kind_named(table.kind))
            if c.name != "source"
        }
        until = columns["usable_from"] <= _CUT_NS
        columns = {name: values[until] for name, values in columns.items()}
        scale = world.price_usd / float(columns["close"][-1])
        for name in columns:
            if name in ("ts", "usable_from"):
                columns[name] = columns[name] + shift
            elif name in _PRICES:
                columns[name] = columns[name] * scale
            else:
                columns[name] = np.full(len(columns[name]), np.nan)
        yield Batch(table.kind, venue.name, venue.symbol, columns, (f"{label}: invented past",))
