"""Whose rules a lab venue follows: the dated rules of `airpocket.margin`, and what they leave to be assumed."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.errors import BadInput, MarginError
from airpocket.domain.events import FloatArray
from airpocket.domain.units import TimeNs
from airpocket.lab.exchange import feeds, pricing, procedures
from airpocket.lab.runs.worldfile import Venue
from airpocket.margin.bundled import schedules_of
from airpocket.margin.rules import RULES, VenueRules
from airpocket.margin.tiers import Schedule, SizeSlope, table_from


@dataclass(frozen=True, slots=True)
class Conduct:
    """What margin rules do not hold as numbers: procedure, mark rule, feed; times in ns.

    fund_share: largest takeover as a share of the fund. oracle_weight: of this venue's mid in Hyperliquid's
    mark. How long the basis is averaged is the lab's assumption: half a minute for Bybit (five minutes
    by its page) and a minute for OKX (not published).
    """

    procedure: int
    mark_rule: int
    feed: int
    feed_window: int = 0
    mark_every: int = 1_000_000_000
    fund_share: float = 1.0
    oracle_weight: float = 0.0


_S = 1_000_000_000
RULEBOOK: dict[str, Conduct] = {
    "binance_usdm": Conduct(
        procedures.REDUCE, pricing.MEDIAN, feeds.LATEST, _S, oracle_weight=3.0
    ),
    "binance_coinm": Conduct(procedures.REDUCE, pricing.MEDIAN, feeds.LATEST, _S),
    "bybit_linear": Conduct(
        procedures.TAKEOVER, pricing.MEDIAN, feeds.BATCHED, _S // 2, fund_share=1e9, oracle_weight=2.0
    ),
    "bybit_inverse": Conduct(
        procedures.TAKEOVER, pricing.MEDIAN, feeds.BATCHED, _S // 2, fund_share=1e9
    ),
    "okx": Conduct(procedures.TIERED, pricing.MEAN_BASIS, feeds.LATEST, _S, oracle_weight=2.0),
    "deribit": Conduct(procedures.CLIPS, pricing.EMA_BASIS, feeds.AT_ONCE),
    "hyperliquid": Conduct(procedures.VAULT, pricing.ORACLE, feeds.SILENT, mark_every=3 * _S),
    "spot": Conduct(-1, pricing.MEAN_BASIS, feeds.SILENT),
}  # fmt: skip


def rules_of(venue: Venue, start: int) -> VenueRules:
    """The margin rules in force when the world starts.

    Raises:
        BadInput: none for this kind of contract then, or a rule the lab's engine does not have.
    """
    for rules in RULES:
        named = rules.venue == venue.rules and rules.form == venue.kind
        if named and rules.valid_from <= start < rules.valid_to:
            if rules.maintenance_on != "mark":
                raise BadInput(
                    f"rules: {venue.rules} counted maintenance on entry value then; start later"
                )
            return rules
    raise BadInput(f"rules: none known for a {venue.kind} contract of {venue.rules} at the start")


def schedule_of(venue: Venue, start: int) -> Schedule:
    """The venue's maintenance schedule: a bundled one by name, or the world's own tiers.

    Raises:
        BadInput: no such schedule at the start, or tiers that contradict themselves.
    """
    at = TimeNs(start)
    if isinstance(venue.tiers, str):
        name, _, symbol = venue.tiers.partition(":")
        found = schedules_of(name, symbol, at)
        if not found:
            raise BadInput(f"tiers: none bundled as '{venue.tiers}' before the start")
        return found[-1]
    rows = {
        "floor": [tier.from_usd for tier in venue.tiers],
        "mmr": [tier.maintenance_percent / 100.0 for tier in venue.tiers],
    }
    try:
        return table_from(venue.name, venue.symbol, at, "world file", rows)
    except MarginError as error:
        raise BadInput(f"tiers: {error}") from error


def tier_rows(schedule: Schedule, usd_per_unit: float) -> tuple[FloatArray, float]:
    """(K, 3) floors (units of collateral), rates and deductions (units), and the slope per coin.

    usd_per_unit: dollars in one unit of the collateral, at the start for an inverse contract.
    """
    if isinstance(schedule, SizeSlope):
        return np.array([[0.0, schedule.mm_base, 0.0]]), schedule.slope
    floors = schedule.floor / usd_per_unit
    cuts = schedule.deduction / usd_per_unit
    return np.column_stack([floors, schedule.mmr, cuts]), 0.0
