"""Options on a run's asset as the public saw them: snapshots of the chain, from its perpetuals' index."""

import numpy as np

from airpocket.domain.events import IntArray
from airpocket.domain.units import MINUTE_NS
from airpocket.lab.exchange import journal
from airpocket.lab.exchange.state import SPOT, Market
from airpocket.lab.runs.worldfile import World
from airpocket.lab.smile import Quote
from airpocket.lab.surface import Surface
from airpocket.lab.tables import BundledTable, build

VENUE = "sim_options"


def chain_tables(world: World, m: Market, rows: IntArray, source: str) -> list[BundledTable]:
    """The table of option quotes; none where the world has no perpetual, whose index they follow."""
    book = next((k for k in range(len(world.venue)) if m.books[k].form != SPOT), None)
    if book is None:
        return []
    marks = rows[(rows[:, 0] == journal.MARK) & (rows[:, 2] == book) & (rows[:, 4] > 0)]
    surface, every = Surface(world.surface), world.options.every_min * MINUTE_NS
    told: list[tuple[int, Quote]] = []
    due = world.start_ns + every
    for at, index in marks[:, [1, 4]].tolist():
        surface.saw(float(index), at)
        if at >= due:
            due += every
            usd = index * float(m.books[book].tick_usd) / 1_000.0
            told += [(at, quote) for quote in surface.chain(world.asset, usd, at)]
    if not told:
        return []
    at = np.array([ts for ts, _ in told], dtype=np.int64)
    columns = {name: np.array([getattr(q, name) for _, q in told]) for name in Quote._fields}
    return [build("option_quote", (VENUE, f"{world.asset}-OPTIONS"), source, (at, at), columns)]
