"""Asks the sources once and keeps what is new: a source in trouble is named and holds nobody else up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.ports import Clock
from airpocket.ingest.ask import Ask
from airpocket.ingest.dial import Refused
from airpocket.ingest.flows.keep import Kept, Publisher, keep
from airpocket.ingest.flows.sources import Asking, Chosen, Question
from airpocket.ingest.lake import Lake

LARGEST_BYTES = 96 * 1024 * 1024  # of one answer: an exchange's holdings are 42 MB and grow


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one question; trouble: why nothing of it was kept, '' where it went well."""

    source: str
    about: str
    kept: Kept
    notes: tuple[str, ...]
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Outside:
    """How questions are asked, by which clock, with which keys by environment variable.

    label: what all rows say they came from, where the sources are simulated.
    """

    ask: Ask
    clock: Clock
    keys: Mapping[str, str]
    label: str = ""


async def collect(
    lake: Lake, wanted: Sequence[Chosen], coins: tuple[str, ...], outside: Outside, *, by_rule: bool = False
) -> list[Answered]:  # fmt: skip
    """Ask every source once; by_rule: see `keep.Publisher`. A source whose key is absent is not asked, and says so.

    Raises:
        StoreError: the store can't be written; what was kept before stays.
    """
    found: list[Answered] = []
    for one in wanted:
        key = outside.keys.get(one.key_env, "") if one.key_env else ""
        if one.key_env and not key:
            found.append(Answered(one.source.name, "", Kept(), (), f"needs a key in {one.key_env}"))
            continue
        for question in one.source.questions(
            Asking(coins, outside.clock.now(), key, one.exchanges)
        ):
            found.append(await _answered(one.source.name, question, lake, outside, by_rule=by_rule))
    return found


async def _answered(
    name: str, question: Question, lake: Lake, outside: Outside, *, by_rule: bool
) -> Answered:
    """One question asked, read and kept; a figure is seen when its answer is whole."""
    try:
        body = await outside.ask(question.poll)
        seen = outside.clock.now()
        told = question.read(body, seen)
        source = outside.label or f"{question.venue}, collected"
        kept = keep(lake, Publisher(question.venue, source, by_rule), told, seen)
    except (Refused, UndecodableFrame) as error:
        return Answered(name, question.about, Kept(), (), str(error))
    return Answered(name, question.about, kept, told.notes)
