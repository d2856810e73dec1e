"""Hedges as values: what `airpocket hedge` prints, from a position file and a store."""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from airpocket.delivery.answers import lake_at, public_of
from airpocket.delivery.holdings import Behind, hedges_on, perpetual_assets
from airpocket.delivery.kept import checkpoints_of
from airpocket.domain.errors import NothingKnown
from airpocket.domain.portfolio import accounts_of
from airpocket.domain.positions import Positions
from airpocket.domain.units import TimeNs, parse_time
from airpocket.ingest.accounts import read_positions
from airpocket.ingest.catalysts import read_catalysts
from airpocket.ingest.chain_file import read_chain
from airpocket.ingest.lake import Lake
from airpocket.ingest.replay import facts_of, newest
from airpocket.market.bars import Bars
from airpocket.market.state import MarketState
from airpocket.pipeline import Assessor
from airpocket.playbook.hedging.major import Major, measure
from airpocket.playbook.hedging.records import HedgeSheet
from airpocket.playbook.hedging.settings import HedgeSettings
from airpocket.playbook.situation import Situation

_LEADER, _SECOND = "BTC", "ETH"


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a sheet's facts come from; `chain` instead of the stored one."""

    store: Path
    chain: Path | None = None
    catalysts: Path | None = None
    asof: str | None = None


def hedges_of(
    positions: str | PathLike[str], sources: Sources, settings: HedgeSettings | None = None
) -> list[HedgeSheet]:
    """A sheet of hedges for every perpetual of a position file, in its order.

    Raises:
        BadInput: a file is wrong, or nothing of the chain given can be traded; names file and position.
        NothingKnown: the store has nothing on a position's asset.
    """
    file = Path(positions)
    held = read_positions(file)
    lake, asof = lake_at(sources.store), None if sources.asof is None else parse_time(sources.asof)
    found = _grounds(lake, held, asof, sources)
    chain = "" if sources.chain is None else sources.chain.name
    return hedges_on(held, found, settings or HedgeSettings(), file.name, chain)


def _grounds(
    lake: Lake, held: Positions, asof: TimeNs | None, sources: Sources
) -> dict[str, Behind]:
    hedged = perpetual_assets(held)
    beside = [asset for each in accounts_of(held) if each.positions for asset in each.assets]
    # what is stored at all is asked first: an assessment takes seconds
    moments = {asset: newest(lake, asset) for asset in dict.fromkeys((*hedged, *beside))}
    return {
        asset: _ground(lake, asset, asof or now, sources, hedged=asset in hedged)
        for asset, now in moments.items()
    }


def _ground(lake: Lake, asset: str, now: TimeNs, sources: Sources, *, hedged: bool) -> Behind:
    assessor = Assessor(asset, checkpoints=checkpoints_of(lake))
    for fact in facts_of(lake, asset, now):
        if sources.chain is None or fact.kind != "option_quote":
            assessor.apply(fact)
    if sources.chain is not None:
        assessor.apply(read_chain(sources.chain, asset, now))
    assessor.hear(*public_of(lake, asset, now))
    calendar = None if sources.catalysts is None else read_catalysts(sources.catalysts)
    assessment = assessor.assess(now)
    situation = assessment.situation(calendar)
    if not hedged:
        return Behind(situation)
    return Behind(situation, major_of(lake, situation, now), assessment.pushes())


def major_of(lake: Lake, situation: Situation, now: TimeNs) -> Major | str:
    """BTC beside everything else, ETH beside BTC."""
    asset = situation.market.asset
    name = _SECOND if asset == _LEADER else _LEADER
    bars = _hours(lake, name, now)
    return (
        bars
        if isinstance(bars, str)
        else measure(name, situation.market.reference.hours, bars, now)
    )


def _hours(lake: Lake, asset: str, now: TimeNs) -> Bars | str:
    state = MarketState(asset)
    try:
        for fact in facts_of(lake, asset, now):
            if fact.family == "bar":
                state.apply(fact)
        return state.snapshot(now).reference.hours
    except NothingKnown as error:
        return f"no prices of {asset} to measure against: {error}"
