"""What a store would hold of a lab run up to a moment, and what a what-if measures of it: nothing later."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from airpocket.cascade.calibrate.fit import Fitted, fit, most_told
from airpocket.domain.errors import UnknownInstrument
from airpocket.domain.events import Batch, IntArray
from airpocket.domain.instruments import instrument
from airpocket.domain.units import TimeNs
from airpocket.evaluation.observed import batch_of_table
from airpocket.lab.exchange import journal
from airpocket.lab.exchange.state import SPOT, Market
from airpocket.lab.runs.published import Listed, depth_now, depth_table, tables_of
from airpocket.lab.runs.worldfile import World
from airpocket.market.state import MarketState

_KEPT = (journal.TRADE, journal.MARK, journal.PRINT, journal.INTEREST)
_KINDS = ("trade", "bar_1m", "tape_1m", "ticker", "liquidation", "open_interest")


class Heard:
    """The public side of a run's perpetuals, as recorded and archived: single trades, minutes, marks every five
    seconds, depth by the minute, prints when the venue told them.
    """

    def __init__(self, world: World, contracts: Sequence[Listed], market: Market) -> None:
        self.asset = world.asset
        perps = [one for one in contracts if market.books[one.book].form != SPOT]
        self.contracts = [replace(one, venue=_known(world, one)) for one in perps]
        self._rows: list[IntArray] = []
        self._depth: dict[int, list[tuple[int, float, float, float]]] = {
            one.book: [] for one in self.contracts
        }

    def add(self, rows: IntArray) -> None:
        """New rows of the journal, in order."""
        self._rows.append(rows[np.isin(rows[:, 0], _KEPT)])

    def look(self, m: Market) -> None:
        """Depth as it is now."""
        for one in self.contracts:
            self._depth[one.book] += [(int(m.now), *band) for band in depth_now(m, one.book)]

    def measured(self, m: Market) -> Fitted | None:
        """As `airpocket cascade` measures what its store can tell at this moment."""
        state, trades, now = MarketState(self.asset), dict[str, Batch](), int(m.now)
        rows = np.concatenate(self._rows)
        for one in self.contracts:
            tables = tables_of(m, one, rows, _KINDS)
            tables += [depth_table(one, self._depth[one.book])] if self._depth[one.book] else []
            for table in tables:
                batch = _until(batch_of_table(table), now)
                if batch.kind == "trade":
                    trades[instrument(one.venue, one.symbol).key] = batch
                else:
                    state.apply(batch)
        market = state.snapshot(TimeNs(now))
        return most_told(fit(market, trades), market.reference.key)


def _until(batch: Batch, now: int) -> Batch:
    """What of it was usable by then."""
    told = batch.ints("usable_from") <= now
    columns = {name: array[told] for name, array in batch.columns.items()}
    return Batch(batch.kind, batch.venue, batch.symbol, columns, batch.sources)


def _known(world: World, listed: Listed) -> str:
    """A venue of the lab that writes such symbols: the market state takes no others."""
    try:
        instrument(listed.venue, listed.symbol)
    except UnknownInstrument:
        return f"sim_{world.venue[listed.book].rules.partition('_')[0]}"
    return listed.venue
