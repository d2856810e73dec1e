"""`airpocket doctor`: what works on this machine, and what to do about what does not."""

from pathlib import Path
from typing import Annotated, NamedTuple

from cyclopts import Parameter

_NEEDED = ("numpy", "numba", "polars", "duckdb", "msgspec", "websockets", "httpx", "rich")
_EXTRAS = {"ccxt": "airpocket backfill"}
_SKEW_WARN_MS = 500.0


class Check(NamedTuple):
    """One finding: ok, note, or fault; and what it means."""

    what: str
    state: str
    detail: str


def doctor(
    *,
    store: Path = Path("store"),
    offline: Annotated[bool, Parameter(negative="")] = False,
    through: str = "",
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Check packages, store, disk, clock and which venues answer; exit status 1 when something is at fault.

    Args:
        store: Folder of the store.
        offline: Ask no venue.
        through: host:port to reach every venue through.
        as_json: Print JSON.
    """
    import asyncio

    checks = [*_packages(), *_storage(store)]
    if not offline:
        checks += asyncio.run(_venues(through))
    if as_json:
        from airpocket.delivery.cli.printing import print_json

        print_json([check._asdict() for check in checks])
    else:
        from airpocket.delivery.cli.printing import print_table

        faults = sum(check.state == "fault" for check in checks)
        title = f"{faults} faults" if faults else "nothing is at fault"
        print_table(
            title, ["what", "state", "detail"], [list(check) for check in checks], right=set()
        )
    return 1 if any(check.state == "fault" for check in checks) else 0


def _packages() -> list[Check]:
    import sys
    from importlib.metadata import PackageNotFoundError, version

    found = [Check("python", "ok", sys.version.split()[0])]
    for name in _NEEDED:
        try:
            found.append(Check(name, "ok", version(name)))
        except PackageNotFoundError:
            found.append(Check(name, "fault", "not installed: install airpocket again"))
    for name, use in _EXTRAS.items():
        try:
            found.append(Check(name, "ok", version(name)))
        except PackageNotFoundError:
            found.append(Check(name, "note", f"not installed: only {use} needs it"))
    return found


def _storage(store: Path) -> list[Check]:
    import os

    from airpocket.ingest.space import room_at

    place = store if store.exists() else store.absolute().parent
    if not place.exists():
        return [Check("store", "fault", f"{store.absolute().parent} does not exist")]
    room = room_at(place)
    notes = room.notes()
    state = "fault" if room.is_short else "note" if notes else "ok"
    told = [f"{room.free_bytes / 1e9:,.1f} GB free at {place}", *notes]
    found = [Check("disk", state, "; ".join(told))]
    if not os.access(place, os.W_OK):
        return [*found, Check("store", "fault", f"{place} can't be written")]
    if not store.exists():
        return [
            *found,
            Check("store", "note", f"{store} does not exist yet: import or record makes it"),
        ]
    return [*found, *_contents(store)]


def _contents(store: Path) -> list[Check]:
    from airpocket.domain.errors import AirpocketError
    from airpocket.ingest.lake import Lake
    from airpocket.live.session import RAW

    found: list[Check] = []
    try:
        damages = Lake(store).verify()
        state = "fault" if damages else "ok"
        text = f"{damages[0].path}: {damages[0].problem}" if damages else "every file intact"
        found.append(Check("store", state, text))
        if (store / RAW).is_dir():
            found.append(_raw_log(store / RAW))
    except AirpocketError as error:
        found.append(Check("store", "fault", str(error)))
    return found


def _raw_log(folder: Path) -> Check:
    """Whether the log is whole, and how often a route was down in it."""
    from airpocket.ingest.log import reader
    from airpocket.ingest.log.gaps import Gaps

    gaps = Gaps()
    log = reader.verify(folder, gaps.take)
    if log.damages:
        first = log.damages[0]
        more = f"; {len(log.damages) - 1} more" if len(log.damages) > 1 else ""
        return Check("raw log", "fault", f"{first.path}: {first.problem}{more}")
    down_s = [(gap.until - gap.since) / 1e9 for gap in gaps.all() if gap.until is not None]
    told = f"{log.records:,} records, {log.sealed} sealed files, {log.segments} open"
    if down_s:
        told += f"; routes were down {len(down_s)} times, for {max(down_s):,.0f} s at most"
    return Check("raw log", "ok", told)


async def _venues(gate: str) -> list[Check]:
    """Whether each venue answers, and how far our clock is from its."""
    import asyncio

    from airpocket.ingest.ask import Asker
    from airpocket.ingest.skew import TIMES
    from airpocket.ingest.world import SystemClock

    clock = SystemClock()
    asker = Asker({}, clock, gate=f"http://{gate}" if gate else "")
    try:
        return list(await asyncio.gather(*(_answers(name, asker, clock) for name in sorted(TIMES))))
    finally:
        await asker.close()


async def _answers(name: str, asker: "object", clock: "object") -> Check:
    from airpocket.domain.errors import UndecodableFrame
    from airpocket.ingest.ask import Asker
    from airpocket.ingest.dial import Refused
    from airpocket.ingest.skew import TIMES, Sample, server_time
    from airpocket.ingest.world import SystemClock

    assert isinstance(asker, Asker)
    assert isinstance(clock, SystemClock)
    sent = clock.now()
    try:
        body = await asker(TIMES[name])
        heard = clock.now()
        sample = Sample(sent, heard, server_time(body))
    except Refused as refused:
        return Check(name, "note", f"not reachable from here: {refused}")
    except UndecodableFrame as error:
        return Check(name, "note", f"answers, but not with its time: {error}")
    state = "fault" if abs(sample.offset_ms) - sample.error_ms > _SKEW_WARN_MS else "ok"
    return Check(
        name, state,
        f"answers in {sample.round_trip_ms:,.0f} ms; its clock is {sample.offset_ms:+,.0f} ms from ours,"
        f" ± {sample.error_ms:,.0f} ms",
    )  # fmt: skip
