"""The driver table (M19): every slow driver with its times, its score, what followed, and what turns the hinge."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from msgspec import convert

from airpocket.domain.catalysts import Catalyst, ahead, option_expiries
from airpocket.domain.estimates import PERCENT, PERCENT_YEAR, USD, Estimate, unknown
from airpocket.domain.events import FloatArray
from airpocket.domain.flows import FlowSeries
from airpocket.domain.kinds import split_name
from airpocket.domain.tells import Graded
from airpocket.domain.units import DAY_NS, HOUR_NS, format_time
from airpocket.market.state import Market
from airpocket.market.vintages import Vintages, best, names_of, total
from airpocket.signals import drivers
from airpocket.signals.driver_records import (
    NO_HISTORY,
    CatalystRow,
    DriverRow,
    DriverTable,
    Relation,
)
from airpocket.signals.drivers import DriverSettings
from airpocket.signals.relation import RelationSettings, excludes_zero, relation
from airpocket.signals.transfers import Whales, whales
from airpocket.signals.turning import turning

_EXPIRY_COINS = ("BTC", "ETH")
_DVOL = FlowSeries("dvol", "implied volatility of 30 days", "level", (PERCENT_YEAR,), "day",
                   DAY_NS + HOUR_NS, 1e4)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TableSettings:
    """Of the table: the drivers', the relation's, how far ahead events are listed and how long pictures are."""

    drivers: DriverSettings = field(default_factory=DriverSettings)
    relation: RelationSettings = field(default_factory=RelationSettings)
    ahead_days: int = 45
    picture_days: int = 180


@dataclass(frozen=True, slots=True)
class Measured:
    """One driver before it is written down.

    readings, first: (n,) the driver's figure on each day of its series, by what is told now and by what was told
    first; empty where there is no series. `what`: the noun for its absence.
    """

    id: str
    title: str
    implication: str
    label: str
    unit: str
    what: str
    refs: tuple[str, ...]
    series: Vintages | None
    readings: FloatArray
    first: FloatArray


def driver_table(
    market: Market, flows: Sequence[Graded], asks: tuple[Estimate, Estimate], settings: TableSettings
) -> DriverTable:  # fmt: skip
    """The table at `market.now`. flows: the four graded rows; asks: depth above within 1 %, and its thinning."""
    s = settings
    graded = {row.id: row for row in flows}
    measured = _measured(market, s.drivers)
    rows = [_written(each, graded.get(each.id), market, s) for each in measured]
    rows.insert(3, _carry(graded["funding_basis"]))
    rows += [_whale_row(whales(market)), _depth_row(asks)]
    found = {each.id: each for each in measured}
    turns, sentence, needed = turning(
        flows[0], flows[1], (found["etf_creations"].readings, found["stablecoin_issuance"].readings)
    )
    return DriverTable(
        rows=rows, turns=turns, turning=sentence, needed=needed, catalysts=_catalysts(market, s),
        notes=_notes(rows),
    )  # fmt: skip


def _measured(market: Market, s: DriverSettings) -> list[Measured]:
    hours = market.reference.hours
    etf, supply = best(market, drivers.ETF_NAMES), drivers.supply_of(market)
    reserve, stable = drivers.reserves(market), total(market, "stablecoin_reserve")
    custody, dvol = best(market, ("custody",)) or total(market, "custody"), dvol_of(market)

    def both(
        series: Vintages | None, of: Callable[[Vintages, FloatArray], FloatArray]
    ) -> tuple[FloatArray, FloatArray]:
        if series is None:
            return np.empty(0), np.empty(0)
        return of(series, series.values), of(series, series.first_values)

    def sums(series: Vintages, values: FloatArray) -> FloatArray:
        return drivers.recent_sums(series, values, s.recent)

    def week(series: Vintages, values: FloatArray) -> FloatArray:
        return drivers.changes(series, values, 7)

    def month(series: Vintages, values: FloatArray) -> FloatArray:
        return drivers.changes(series, values, 30)

    def moved(series: Vintages, values: FloatArray) -> FloatArray:
        return drivers.coin_moved_usd(series, values, hours, 7)

    def level(series: Vintages, values: FloatArray) -> FloatArray:
        return values

    return [
        Measured("etf_creations", "ETF creations", "rising creations are persistent spot buying",
                 f"net, {s.recent} trading days", USD, "ETF flows", ("M14", "M19"), etf, *both(etf, sums)),
        Measured("stablecoin_issuance", "Stablecoin issuance", "positive issuance is dry powder",
                 "supply, 7 d", PERCENT, "stablecoin supply", ("M15", "M19"), supply, *both(supply, week)),
        Measured("exchange_reserves", "Exchange reserves", "declining reserves are a tighter float",
                 "coin, 30 d", PERCENT, "exchange reserve", ("M16", "M19"), reserve, *both(reserve, month)),
        Measured("exchange_netflow", "Exchange netflow", "coin sent to exchanges can be sold there",
                 "to exchanges, 7 d", USD, "exchange reserve", ("M16",), reserve, *both(reserve, moved)),
        Measured("exchange_stablecoins", "Stablecoins on exchanges", "dollars on exchanges can buy at once",
                 "tokens, 7 d", PERCENT, "stablecoin balance of exchanges", ("M15",), stable,
                 *both(stable, week)),
        Measured("custody", "Custody", "coin in custody is off the market", "coin, 30 d", PERCENT,
                 "custody holding", ("M16",), custody, *both(custody, month)),
        Measured("implied_volatility", "Implied volatility (DVOL)",
                 "high: moves are priced in and hedges dear; low: they are cheap", "close",
                 PERCENT_YEAR, "DVOL", ("M19",), dvol, *both(dvol, level)),
    ]  # fmt: skip


def dvol_of(market: Market) -> Vintages | None:
    """The volatility index at each UTC day's end, where any interval of it is stored."""
    for contract in market.contracts:
        for kind, table in sorted(contract.tables.items()):
            if not kind.startswith("vol_index"):
                continue
            end = table.ints("ts") + split_name(kind)[1]
            whole = end % DAY_NS == 0
            if not whole.any():
                continue
            close, seen = table.floats("close")[whole], table.ints("usable_from")[whole]
            return Vintages(
                series=_DVOL, name="dvol", publisher=contract.key, units=(PERCENT_YEAR,),
                event=end[whole] - DAY_NS, published=np.full(len(close), -1), values=close, seen=seen,
                first_values=close, first_seen=seen, now=market.now,
            )  # fmt: skip
    return None


_STATES = {
    "exchange_netflow": (-1.0, "coin leaves exchanges", "coin moves to exchanges"),
    "exchange_stablecoins": (
        1.0,
        "stablecoins on exchanges grow",
        "stablecoins on exchanges shrink",
    ),
    "custody": (1.0, "custody accumulates", "custody shrinks"),
}


def _written(one: Measured, graded: Graded | None, market: Market, s: TableSettings) -> DriverRow:
    series = one.series
    signal = drivers.newest(series, one.readings, one.unit, one.what)
    state, because = (graded.state, graded.because[0]) if graded else _judged(one, signal, s)
    told = _tested(one, market, s)
    ts, values = ([], []) if series is None else _history(series, s.picture_days)
    return DriverRow(
        id=one.id, title=one.title, implication=one.implication, state=state, because=because,
        label=one.label, signal=signal, score=drivers.scored(series, one.readings, s.drivers, one.what),
        event=None if series is None else format_time(int(series.event[-1])),
        published=_moment(None if series is None else int(series.published[-1])),
        first_seen=None if series is None else format_time(int(series.seen[-1])),
        standing="none" if series is None else series.standing,
        source="" if series is None else series.source,
        revised=0 if series is None else int(series.revised.sum()),
        relation=told if isinstance(told, Relation) else None,
        record=told if isinstance(told, str) else recorded(told),
        refs=list(one.refs), parts=_parts(one, market, s.drivers),
        history_unit="" if series is None else " and ".join(series.units), history_ts=ts, history=values,
    )  # fmt: skip


def _judged(one: Measured, signal: Estimate, s: TableSettings) -> tuple[str, str]:
    """The state of a driver that is graded here: by its sign, or DVOL by its score."""
    if signal.value is None:
        return "unknown", signal.unknown or ""
    if one.id == "implied_volatility":
        against = drivers.scored(one.series, one.readings, s.drivers, one.what)
        if against.value is None:
            return "unknown", against.unknown or ""
        high = against.value >= s.relation.at_sd
        low = against.value <= -s.relation.at_sd
        state = "high" if high else "low" if low else "usual"
        return state, f"{against.value:+.1f} sd from its year"
    sign, yes, no = _STATES[one.id]
    return ("supportive", yes) if sign * signal.value > 0.0 else ("not supportive", no)


def _tested(one: Measured, market: Market, s: TableSettings) -> Relation | str:
    if one.series is None:
        return f"{NO_HISTORY}: none is stored"
    known_at = np.maximum.accumulate(one.series.first_seen)
    return relation(known_at, one.first, market.reference.hours, market.now, s.relation)


def recorded(found: Relation) -> str:
    """A relation in one sentence."""
    told: list[str] = []
    for name, count, each in (
        ("high", found.high_days, found.after_high),
        ("low", found.low_days, found.after_low),
    ):
        if each.value is None or each.low is None or each.high is None:
            told.append(f"after {name} readings: {each.unknown}")
        else:
            clear = "" if excludes_zero(each) else ", no clear difference"
            told.append(
                f"after {count} {name} readings {each.value:+.1f} points against other days"
                f" ({each.low:+.1f} to {each.high:+.1f}{clear})"
            )
    return f"{found.horizon_days} d later, {found.days} readings: {'; '.join(told)}"


def _moment(time: int | None) -> str | None:
    return None if time is None or time < 0 else format_time(time)


def _parts(one: Measured, market: Market, s: DriverSettings) -> dict[str, Estimate]:
    """By fund or exchange, where the whole is told by part."""
    if one.id == "etf_creations":
        found: dict[str, Estimate] = {}
        for name in names_of(market, "etf_net_flow"):
            series = best(market, (name,))
            if series is not None and not name.endswith(":total"):
                sums = drivers.recent_sums(series, series.values, s.recent)
                found[name.partition(":")[2]] = drivers.newest(series, sums, USD, name)
        return found
    if one.id == "exchange_reserves":
        told = {n: best(market, (n,)) for n in names_of(market, "exchange_reserve")}
        return {
            name.partition(":")[2]: drivers.newest(v, v.values, "coin", name)
            for name, v in told.items()
            if v is not None
        }
    return {}


def _history(series: Vintages, days: int) -> tuple[list[int], list[float | None]]:
    """The newest figures for a picture; a day that is absent breaks the line."""
    ts: list[int] = []
    values: list[float | None] = []
    for at, value, hole in zip(
        series.event.tolist(), series.values.tolist(), series.gap_before().tolist(), strict=True
    ):
        if at < series.now - days * DAY_NS:
            continue
        if hole and ts:
            ts.append(ts[-1] + DAY_NS)
            values.append(None)
        ts.append(at)
        values.append(value)
    return ts, values


def _carry(graded: Graded) -> DriverRow:
    lead = graded.tells[0].estimate if graded.tells else unknown(PERCENT, graded.because[0])
    return DriverRow(
        id=graded.id, title=graded.title, implication=graded.implication, state=graded.state,
        because=graded.because[0], label=graded.tells[0].label if graded.tells else "", signal=lead,
        score=unknown("sd", "scored among the regimes"), event=None, published=None, first_seen=_seen(lead),
        standing="current" if lead.known else "none", source=lead.source, revised=0, relation=None,
        record="not tested here", refs=graded.refs, parts={}, history_unit="", history_ts=[], history=[],
    )  # fmt: skip


def _whale_row(found: Whales) -> DriverRow:
    return DriverRow(
        id="whale_transfers", title="Whale transfers", state=found.state, because=found.because,
        implication="stablecoins sent to exchanges and L2s can buy; coin sent there can be sold",
        label="stablecoins to exchanges and L2s, 24 h", signal=found.stable, score=found.score,
        event=_moment(found.newest), published=None, first_seen=_moment(found.seen),
        standing=found.standing, source=found.source, revised=0, relation=None,
        record=f"{NO_HISTORY}: {found.days} days of transfers are stored", refs=["M17"],
        parts={"coin to exchanges, 24 h": found.coin}, history_unit="", history_ts=[], history=[],
    )  # fmt: skip


def _depth_row(asks: tuple[Estimate, Estimate]) -> DriverRow:
    depth, thinner = asks
    state, because = "unknown", depth.unknown or thinner.unknown or ""
    if thinner.value is not None:
        thin = thinner.value < 0.0
        state = "supportive" if thin else "not supportive"
        because = f"{abs(thinner.value):.0f} % {'less' if thin else 'more'} than usual at this hour"
    return DriverRow(
        id="ask_depth", title="Asks within 1 %", state=state, because=because,
        implication="thin asks let the same buying move price further", label="resting, now", signal=depth,
        score=unknown("sd", "held against the hour of the week instead"), event=None, published=None,
        first_seen=_seen(depth), standing="current" if depth.known else "none", source=depth.source,
        revised=0, relation=None, record=f"{NO_HISTORY}: books of the past are too short", refs=["M18"],
        parts={}, history_unit="", history_ts=[], history=[],
    )  # fmt: skip


def _seen(estimate: Estimate) -> str | None:
    return None if estimate.as_of is None else format_time(estimate.as_of)


def stored_catalysts(market: Market) -> list[Catalyst]:
    """Scheduled events as they were known at `market.now`."""
    found: list[Catalyst] = []
    for contract in market.contracts:
        table = contract.table("catalyst")
        if table is None:
            continue
        columns = [table.texts(n) for n in ("event_kind", "name", "confidence")]
        for known_from, due, kind, name, sure in zip(
            table.ints("ts"), table.ints("due"), *columns, strict=True
        ):
            if known_from <= due:
                told = {"time": int(due), "known_from": int(known_from), "kind": str(kind)}
                told |= {"name": str(name), "confidence": str(sure)}
                found.append(convert(told, Catalyst))
    return found


def _catalysts(market: Market, s: TableSettings) -> list[CatalystRow]:
    within = s.ahead_days * DAY_NS
    told = stored_catalysts(market)
    if market.asset in _EXPIRY_COINS and not market.simulated:
        told += option_expiries(market.now, within)
    return [
        CatalystRow(
            time=format_time(each.time), hours=(each.time - market.now) / HOUR_NS, kind=each.kind,
            name=each.name, confidence=each.confidence, known_from=format_time(each.known_from),
        )
        for each in ahead(told, market.now, within)
    ]  # fmt: skip


def _notes(rows: list[DriverRow]) -> list[str]:
    notes: list[str] = []
    late = [f"{row.title} ({row.standing})" for row in rows if row.standing in ("late", "stale")]
    if late:
        notes.append(f"Overdue by their own cadence: {', '.join(late)}.")
    revised = [f"{row.title}: {row.revised}" for row in rows if row.revised]
    if revised:
        notes.append(
            f"Figures changed after they were first told: {', '.join(revised)}. Scores use the newest figures,"
            " records the first."
        )
    return notes
