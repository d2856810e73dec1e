"""Answers as values: what the commands print and the package's functions return."""

from collections.abc import Iterable
from os import PathLike
from pathlib import Path

from airpocket.brief.compose import compose
from airpocket.brief.model import Brief
from airpocket.domain.errors import NothingKnown
from airpocket.domain.events import Batch
from airpocket.domain.units import TimeNs, parse_time
from airpocket.ingest.lake import Lake
from airpocket.ingest.replay import facts_of, newest
from airpocket.pipeline import Assessor


def brief_of(asset: str, store: str | PathLike[str], asof: str | None = None) -> Brief:
    """The brief of an asset from a store, at `asof` or at the newest price stored."""
    folder = Path(store)
    if not folder.is_dir():
        raise NothingKnown(f"no store at '{folder}': import data first, or run 'airpocket demo'")
    lake, asset = Lake(folder), asset.upper()
    now = newest(lake, asset) if asof is None else parse_time(asof)
    return brief_from(asset, facts_of(lake, asset, now), now)


def brief_from(asset: str, facts: Iterable[Batch], now: TimeNs) -> Brief:
    """The brief of `facts` at `now`."""
    assessor = Assessor(asset)
    for fact in facts:
        assessor.apply(fact)
    return compose(assessor.assess(now))
