"""Rows of a file that holds many contracts: those asked for, and those whose names we know."""

from collections import Counter
from collections.abc import Sequence

import polars as pl

from airpocket.domain.errors import BadTable, UnknownInstrument
from airpocket.domain.instruments import instrument


def known_symbols(
    file: str, frame: pl.DataFrame, wanted: Sequence[str]
) -> tuple[pl.DataFrame, Counter[str]]:
    """The rows of contracts in `wanted` (empty: of all that we know), and how many went for which reason.

    Raises:
        BadTable: no row is left.
    """
    left_out: Counter[str] = Counter()
    names = frame.select("venue", "symbol").unique(maintain_order=True)
    kept: list[tuple[str, str]] = []
    for venue, symbol in names.iter_rows():
        if wanted and symbol not in wanted:
            continue
        if is_known(venue, symbol):
            kept.append((venue, symbol))
    if wanted:
        asked = frame.filter(pl.col("symbol").is_in(list(wanted)))
        left_out["contracts that 'symbols' does not name"] = frame.height - asked.height
        frame = asked
    keys = pl.DataFrame(kept, schema=["venue", "symbol"], orient="row") if kept else None
    known = frame.clear() if keys is None else frame.join(
        keys, on=["venue", "symbol"], how="semi", maintain_order="left"
    )  # fmt: skip
    left_out["contracts whose names airpocket does not know"] = frame.height - known.height
    if known.height == 0:
        asked_for = f" of {', '.join(wanted)}" if wanted else " of a contract we know"
        raise BadTable(file, f"holds no row{asked_for}")
    return known, left_out


def is_known(venue: str, symbol: str) -> bool:
    """Whether the venue writes symbols like this."""
    try:
        instrument(venue, symbol)
    except UnknownInstrument:
        return False
    return True
