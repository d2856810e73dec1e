"""Which maintenance schedule a contract was under at a time: the newest of the stored and the bundled ones."""

from airpocket.domain.units import TimeNs
from airpocket.margin.bundled import schedules_of
from airpocket.margin.tiers import Schedule, tables_of
from airpocket.market.state import Contract


def tiers_in_force(contract: Contract, now: TimeNs) -> Schedule | None:
    """The newest schedule not newer than `now`, with its own as-of date; None where none is known.

    A stored table wins over a bundled one of the same date. An old table is still an answer: say its age
    (`age_days`).

    Raises:
        MarginError: a stored table contradicts itself.
    """
    venue, symbol = contract.instrument.venue, contract.instrument.symbol
    known = schedules_of(venue, symbol, now)
    stored = contract.table("tier")
    if stored is not None:
        source = ", ".join(stored.sources) or "store"
        known.extend(tables_of(venue, symbol, stored.columns, now=now, source=source))
    return max(reversed(known), key=lambda one: one.as_of, default=None)
