"""Maintenance schedules: tier tables with their date and source, and the size-sloped rule of Deribit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from airpocket.domain.errors import MarginError
from airpocket.domain.events import ColumnArray, FloatArray
from airpocket.domain.units import DAY_NS, TimeNs, day_of

# Venues print amounts rounded; a table whose steps miss continuity by more than this is wrong.
CONTINUITY = 1e-6  # of the maintenance margin at the edge


def deductions(
    floor: Sequence[float] | FloatArray, mmr: Sequence[float] | FloatArray
) -> FloatArray:
    """(K,) amounts that make maintenance continuous: c_0 = 0, c_k = c_{k-1} + floor_k (m_k - m_{k-1}).

    floor: (K,) lower edges in the table's currency; mmr: (K,) maintenance rates, fractions.
    """
    low, rate = np.asarray(floor, dtype=np.float64), np.asarray(mmr, dtype=np.float64)
    if low.shape != rate.shape or low.ndim != 1 or not len(low):
        raise MarginError(f"tiers: {len(low)} floors and {len(rate)} rates; they belong together")
    return np.concatenate([[0.0], np.cumsum(low[1:] * np.diff(rate))])


@dataclass(frozen=True, slots=True, eq=False)
class TierTable:
    """The tiers of one contract as of a date; maintenance = notional × mmr − deduction of its tier.

    floor, cap, mmr, deduction, max_leverage: (K,), K ≥ 1. Edges and deductions are in `currency`: the
    quote of a linear contract, the coin of an inverse one. A tier holds from above its floor up to and
    with its cap. The last cap may be infinite and a max_leverage NaN: not published.

    Raises:
        MarginError: the table contradicts itself; the message names the tier.
    """

    venue: str
    symbol: str
    as_of: TimeNs
    source: str
    currency: str
    floor: FloatArray
    cap: FloatArray
    mmr: FloatArray
    deduction: FloatArray
    max_leverage: FloatArray

    def __post_init__(self) -> None:
        columns = (self.floor, self.cap, self.mmr, self.deduction, self.max_leverage)
        count = len(self.floor)
        if count == 0 or any(column.shape != (count,) for column in columns):
            raise self._wrong(
                f"columns of {[len(column) for column in columns]} rows; all need as many, at least 1"
            )
        if self.floor[0] != 0.0:
            raise self._wrong(f"the first floor is {self.floor[0]:g}, not 0")
        self._check(
            "floor and mmr must be numbers", np.isfinite(self.floor) & np.isfinite(self.mmr)
        )
        self._check("cap must be above floor", self.cap > self.floor)
        self._check("mmr must lie between 0 and 1", (self.mmr > 0.0) & (self.mmr < 1.0))
        self._check("max_leverage must be positive", ~(self.max_leverage <= 0.0))
        self._check("floor must be the cap below", _pairs(self.floor[1:] == self.cap[:-1]))
        self._check("mmr must rise from tier to tier", _pairs(np.diff(self.mmr) > 0.0))
        off = np.abs(self.deduction - deductions(self.floor, self.mmr))
        steady = off <= CONTINUITY * np.maximum(self.floor * self.mmr, 1e-9)
        self._check("deduction must keep maintenance continuous", steady)

    def __len__(self) -> int:
        return len(self.floor)

    def _check(self, promise: str, holds: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> None:
        if not holds.all():
            raise self._wrong(f"tier {int(np.argmin(holds)) + 1}: {promise}")

    def _wrong(self, problem: str) -> MarginError:
        return MarginError(f"tiers of {self.venue} {self.symbol} as of {self.day}: {problem}")

    @property
    def day(self) -> str:
        """The date the table was true, YYYY-MM-DD."""
        return day_of(self.as_of)

    @property
    def top_cap(self) -> float:
        """The largest notional the table speaks of, in `currency`; inf where not published."""
        return float(self.cap[-1])

    def age_days(self, now: int) -> float:
        """How old the table is at `now`, days."""
        return (now - self.as_of) / DAY_NS

    def tier_of(self, notional: float) -> int:
        """Index of the tier that holds a notional in `currency`.

        Raises:
            MarginError: negative, no number, or above the last cap.
        """
        if not 0.0 <= notional <= self.top_cap:
            raise MarginError(
                f"notional {notional:,.8g} {self.currency} is outside the tiers of {self.venue} "
                f"{self.symbol} as of {self.day}: 0 to {self.top_cap:,.8g}"
            )
        return max(0, int(np.searchsorted(self.floor, notional, side="left")) - 1)

    def rate_at(self, notional: float) -> tuple[float, float]:
        """(mmr, deduction) in force at a notional; above the last cap the last tier goes on."""
        tier = max(0, int(np.searchsorted(self.floor, notional, side="left")) - 1)
        return float(self.mmr[tier]), float(self.deduction[tier])

    def maintenance(self, notional: float) -> float:
        """Maintenance margin of a notional, both in `currency`; raises as `tier_of` does."""
        k = self.tier_of(notional)
        return float(notional * self.mmr[k] - self.deduction[k])

    def max_leverage_at(self, notional: float) -> float | None:
        """The largest leverage the venue grants at a notional; None where not published."""
        leverage = float(self.max_leverage[self.tier_of(notional)])
        return None if np.isnan(leverage) else leverage


def _pairs(
    holds: "np.ndarray[tuple[int], np.dtype[np.bool_]]",
) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """A promise about neighbours, told of the upper of the two."""
    return np.concatenate([[True], holds])


@dataclass(frozen=True, slots=True)
class SizeSlope:
    """Deribit's rule: rate = base + slope × size in coin, both for initial and maintenance margin.

    im_base, mm_base: fractions; slope: fraction per coin. Maintenance in coin = rate × size.
    """

    venue: str
    symbol: str
    as_of: TimeNs
    source: str
    im_base: float
    mm_base: float
    slope: float

    @property
    def day(self) -> str:
        """The date the rule was true, YYYY-MM-DD."""
        return day_of(self.as_of)

    def age_days(self, now: int) -> float:
        """How old the rule is at `now`, days."""
        return (now - self.as_of) / DAY_NS

    def mmr_of(self, size_coin: float) -> float:
        """Maintenance rate of a size, fraction."""
        return self.mm_base + self.slope * size_coin

    def imr_of(self, size_coin: float) -> float:
        """Initial rate of a size, fraction; its inverse is the largest leverage."""
        return self.im_base + self.slope * size_coin


Schedule: TypeAlias = TierTable | SizeSlope


def table_from(
    venue: str, symbol: str, as_of: TimeNs, source: str, rows: Mapping[str, Sequence[float]], *,
    currency: str = "USDT", top_cap: float = np.inf,
) -> TierTable:  # fmt: skip
    """A table from its floors and rates; caps are the next floors.

    rows: `floor` and `mmr`, and where known `deduction` (else made continuous) and `max_leverage` (else
    unknown).
    """
    floor, mmr = (np.asarray(rows[name], dtype=np.float64) for name in ("floor", "mmr"))
    deduction = rows.get("deduction")
    leverage = rows.get("max_leverage")
    return TierTable(
        venue, symbol, as_of, source, currency, floor,
        cap=np.append(floor[1:], top_cap),
        mmr=mmr,
        deduction=deductions(floor, mmr) if deduction is None else np.asarray(deduction, np.float64),
        max_leverage=np.full(len(floor), np.nan) if leverage is None else np.asarray(leverage, np.float64),
    )  # fmt: skip


def tables_of(
    venue: str, symbol: str, columns: Mapping[str, ColumnArray], *, now: TimeNs, source: str = "store"
) -> list[TierTable]:  # fmt: skip
    """The tier tables among stored `tier` rows that were usable at `now`, oldest first.

    columns: those of the kind `tier` with ts and usable_from. Rows of one ts are one table; it counts
    only when every row of it was usable.

    Raises:
        MarginError: a table contradicts itself.
    """
    ts = np.asarray(columns["ts"], dtype=np.int64)
    usable_from = np.asarray(columns["usable_from"], dtype=np.int64)
    tables: list[TierTable] = []
    for as_of in np.unique(ts):
        rows = np.flatnonzero(ts == as_of)
        if usable_from[rows].max() > now or as_of > now:
            continue
        rows = rows[np.argsort(np.asarray(columns["tier"])[rows], kind="stable")]
        numbers = {
            name: np.asarray(columns[name], dtype=np.float64)[rows]
            for name in ("notional_floor", "notional_cap", "mmr", "deduction", "max_leverage")
        }
        tables.append(
            TierTable(
                venue,
                symbol,
                TimeNs(int(as_of)),
                source,
                str(columns["currency"][rows[0]]),
                numbers["notional_floor"],
                numbers["notional_cap"],
                numbers["mmr"],
                numbers["deduction"],
                numbers["max_leverage"],
            )
        )
    return tables
