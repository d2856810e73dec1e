"""Whether a store and its log hold what venues said or what a simulated market said: never both.

A gate is no venue: nothing that comes through one is certified, so all of it counts as simulated.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from airpocket.domain.errors import StoreConflict, StoreDamaged, StoreError
from airpocket.domain.simulated import is_simulated, labelled
from airpocket.ingest import disk

if TYPE_CHECKING:
    from airpocket.ingest.log.records import Record

NOTE = "simulated.json"  # in the log's folder; its absence says: real
PATH = "/airpocket/origin"  # where the lab's server says what it is
_WAIT_S = 3.0
_MOST_BYTES = 4_096


class _Note(Struct, frozen=True):
    simulated: str


async def origin_of(gate: str) -> str:
    """The label of everything heard through a gate (host:port): its own where it tells one; '' without a gate."""
    if not gate:
        return ""
    import httpx

    try:
        async with httpx.AsyncClient(timeout=_WAIT_S, trust_env=False) as client:
            found = await client.get(f"http://{gate}{PATH}")
        if found.status_code == 200 and len(found.content) <= _MOST_BYTES:
            return labelled(msgspec.json.decode(found.content, type=_Note).simulated)
    except (httpx.HTTPError, httpx.InvalidURL, msgspec.MsgspecError):
        pass  # a gate that says nothing of itself is a gate all the same
    return labelled(f"heard through {gate}, not from the venues")


def label_of(log: Path) -> str:
    """What a log folder says of its recordings: a label, or '' where they are real.

    Raises:
        StoreDamaged: the note can't be read.
    """
    path = log / NOTE
    try:
        return labelled(msgspec.json.decode(path.read_bytes(), type=_Note).simulated)
    except FileNotFoundError:
        return ""
    except (OSError, msgspec.MsgspecError) as error:
        raise StoreDamaged(f"{path}: {error}") from error


def claim(store: Path, log: Path, label: str) -> None:
    """Before a recording: refuse a store of the other sort, and note durably that this one is simulated.

    Raises:
        StoreConflict: the store or its log holds real data and this is simulated, or the other way round.
        StoreError: the note can't be written.
    """
    noted = label_of(log)
    if label and not noted and _holds_records(log):
        raise StoreConflict(
            f"{log} holds recordings of real venues; record a simulated market into a store of its own"
        )
    if noted and not label:
        raise StoreConflict(
            f"{log} holds a simulated market ({noted}); record real venues into a store of their own"
        )
    sources = _sources_in(store)
    if sources and bool(label) != any(map(is_simulated, sources)):
        has, wanted = ("real", "simulated") if label else ("simulated", "real")
        raise StoreConflict(
            f"{store} holds {has} data; record {wanted} markets into a store of their own"
        )
    if label and not noted:
        note(log, label)


def note(log: Path, label: str) -> None:
    """Note durably that all of a log is simulated.

    Raises:
        StoreError: the note can't be written.
    """
    try:
        disk.make_folder(log)
        disk.put(log / NOTE, msgspec.json.encode(_Note(label)) + b"\n")
        disk.sync_folder(log)
    except OSError as error:
        raise StoreError(f"{log / NOTE}: cannot be written: {error}") from error


def told_by(record: "Record") -> str:
    """The label that a marker of a log carries, '' for any other record."""
    if record.kind != "marker" or b'"simulated"' not in record.body:
        return ""
    try:
        return labelled(str(json.loads(record.body)["simulated"]))
    except (ValueError, KeyError, TypeError):
        return ""


def _sources_in(store: Path) -> set[str]:
    """None where the store can't be read: it takes no row either, and a recording does not wait for it."""
    from airpocket.ingest.lake import Lake

    try:
        return {source for series in Lake(store).series() for source in series.sources}
    except StoreError:
        return set()


def _holds_records(log: Path) -> bool:
    from airpocket.ingest.log import sealed
    from airpocket.ingest.log.segment import segments_in

    return log.is_dir() and bool(segments_in(log) or sealed.load(log))
