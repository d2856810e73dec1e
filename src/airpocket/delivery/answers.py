"""Answers as values: what the commands print and the package's functions return."""

from os import PathLike
from pathlib import Path

from airpocket.brief.compose import compose
from airpocket.brief.levels_model import LevelsView
from airpocket.brief.levels_view import levels_view
from airpocket.brief.map_model import MapView
from airpocket.brief.map_view import map_view
from airpocket.brief.model import Brief
from airpocket.delivery.holdings import assessments_for, plans_on, stress_on
from airpocket.delivery.kept import checkpoints_of
from airpocket.domain.accounts import AccountState, Answers, LoanState
from airpocket.domain.errors import BadInput, NothingKnown
from airpocket.domain.positions import Positions
from airpocket.domain.units import DAY_NS, TimeNs, format_time, parse_interval, parse_time
from airpocket.ingest.accounts import read_positions
from airpocket.ingest.catalysts import read_catalysts
from airpocket.ingest.census.stored import accounts_of as public_accounts_of
from airpocket.ingest.census.stored import answers_through, loans_of
from airpocket.ingest.lake import Lake
from airpocket.ingest.replay import facts_of, newest
from airpocket.liquidations.records import LiquidationMap
from airpocket.pipeline import Assessment, Assessor
from airpocket.playbook.records import Plan
from airpocket.playbook.stress.records import StressTest


def brief_of(asset: str, store: str | PathLike[str], asof: str | None = None) -> Brief:
    """The brief of an asset from a store, at `asof` or at the newest price stored."""
    lake, asset = lake_at(store), asset.upper()
    now = newest(lake, asset) if asof is None else parse_time(asof)
    return compose(assessor_at(lake, asset, now).assess(now))


def map_of(
    asset: str,
    store: str | PathLike[str],
    asof: str | None = None,
    since: str | None = None,
    venue: str = "",
) -> MapView:
    """The liquidation map of an asset from a store, and how it changed since another moment.

    Args:
        asset: The coin, such as ETH.
        store: Folder of the store.
        asof: The moment, ISO 8601 with its zone; by default the newest price stored.
        since: What to compare with, a moment like `asof` or a length of time before it such as 24h.
        venue: Only this venue's contracts.

    Raises:
        BadInput: a time that can't be read, or `since` is not before `asof`.
        NothingKnown: the store has nothing of the asset, or nothing of the venue.
    """
    lake, asset = lake_at(store), asset.upper()
    now = newest(lake, asset) if asof is None else parse_time(asof)
    then = _earlier(since or "24h", now)
    # the earlier one first: the later one goes on from it
    before = assessor_at(lake, asset, then, venue).mapped(then)
    return map_view(assessor_at(lake, asset, now, venue).assess(now), then, before)


def levels_of(asset: str, store: str | PathLike[str], asof: str | None = None) -> LevelsView:
    """The roadmap of an asset from a store, at `asof` or at the newest price stored."""
    return levels_view(assessed(asset, store, asof))


def census_maps(
    asset: str, store: str | PathLike[str], venue: str, days: int
) -> list[LiquidationMap]:
    """The maps of one venue at the newest moment and each day before it, as far as they were stored.

    Raises:
        NothingKnown: the store has nothing of the asset, or nothing of the venue.
    """
    lake, asset = lake_at(store), asset.upper()
    now = newest(lake, asset)
    found: list[LiquidationMap] = []
    for day in range(days):
        at = TimeNs(now - day * DAY_NS)
        try:
            mapped = assessor_at(lake, asset, at, venue).mapped(at)
        except NothingKnown:
            if day == 0:
                raise
            break
        if isinstance(mapped, LiquidationMap):
            found.append(mapped)
    return found


def assessed(asset: str, store: str | PathLike[str], asof: str | None = None) -> Assessment:
    """What is thought of an asset from a store, at `asof` or at the newest price stored."""
    lake, asset = lake_at(store), asset.upper()
    now = newest(lake, asset) if asof is None else parse_time(asof)
    return assessor_at(lake, asset, now, "").assess(now)


def _earlier(since: str, now: TimeNs) -> TimeNs:
    try:
        then = now - parse_interval(since)
    except ValueError:
        try:
            then = parse_time(since)
        except ValueError as error:
            raise BadInput(f"--since: {error}, or 24h before the as-of time") from error
    if not then < now:
        raise BadInput(f"--since {since}: not before {format_time(now)}")
    return TimeNs(then)


def assessor_at(lake: Lake, asset: str, at: TimeNs, venue: str = "") -> Assessor:
    """All that was known at a moment, of one venue where one is named.

    Raises:
        NothingKnown: the store holds nothing of the asset, or nothing of the venue.
    """
    assessor = Assessor(asset, checkpoints=checkpoints_of(lake))
    heard: set[str] = set()
    for fact in facts_of(lake, asset, at):
        heard.add(fact.venue)
        if venue in ("", fact.venue):
            assessor.apply(fact)
    if venue and venue not in heard:
        raise NothingKnown(
            f"the store holds nothing of {asset} on '{venue}'; it holds: {', '.join(sorted(heard))}"
        )
    assessor.hear(*(each for each in public_of(lake, asset, at) if _of_venue(each, venue)))
    assessor.recall(*past_of(lake, assessor, at))
    return assessor


def _of_venue(each: AccountState | LoanState, venue: str) -> bool:
    return not venue or (isinstance(each, AccountState) and each.venue == venue)


def public_of(lake: Lake, asset: str, now: int) -> list[AccountState | LoanState]:
    """The public accounts and loans stored, as known at `now`."""
    return [*public_accounts_of(lake, now), *loans_of(lake, asset, now)]


def past_of(lake: Lake, assessor: Assessor, now: int) -> list[Answers]:
    """What public accounts said in the days that the map's picture shows, as known at `now`."""
    return answers_through(lake, now, now - (assessor.settings.map.heat_days + 1) * DAY_NS)


def plans_of(
    positions: str | PathLike[str],
    store: str | PathLike[str],
    *,
    catalysts: str | PathLike[str] | None = None,
    asof: str | None = None,
) -> list[Plan]:
    """A plan for every perpetual of a file, in its order, at `asof` or at the newest price stored of each.

    Raises:
        BadInput: a file is wrong, or a position can't exist or was opened later; names file and position.
        NothingKnown: the store has nothing on a position's asset.
    """
    file = Path(positions)
    held = read_positions(file)
    calendar = None if catalysts is None else read_catalysts(Path(catalysts))
    return plans_on(held, assessments_of(held, store, asof=asof), calendar, file.name)


def stress_tests_of(
    positions: str | PathLike[str],
    store: str | PathLike[str],
    *,
    asof: str | None = None,
) -> list[StressTest]:
    """A stress test of every account of a file, at `asof` or at the newest price stored of each coin.

    Raises:
        BadInput: the file is wrong, or something in it can't be valued; names file and account.
        NothingKnown: the store has nothing on an asset held.
    """
    file = Path(positions)
    held = read_positions(file)
    return stress_on(held, assessments_of(held, store, asof=asof), file.name)


def assessments_of(
    held: Positions, store: str | PathLike[str], *, asof: str | None = None
) -> dict[str, Assessment]:
    """What is thought of every coin held, by asset, at `asof` or at the newest price stored of each.

    Coins that only balances hold are left out where the store has nothing of them.

    Raises:
        NothingKnown: the store has nothing on the asset of a position or an option.
    """
    lake = lake_at(store)
    now = None if asof is None else parse_time(asof)
    return assessments_for(held, lambda asset: _assessed(lake, asset, now))


def lake_at(store: str | PathLike[str]) -> Lake:
    """The store in a folder.

    Raises:
        NothingKnown: there is none.
    """
    folder = Path(store)
    if not folder.is_dir():
        raise NothingKnown(f"no store at '{folder}': import data first, or run 'airpocket demo'")
    return Lake(folder)


def _assessed(lake: Lake, asset: str, asof: TimeNs | None) -> Assessment:
    now = newest(lake, asset) if asof is None else asof
    return assessor_at(lake, asset, now).assess(now)
