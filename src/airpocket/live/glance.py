"""The venues asked once, without keys: enough facts for a brief when the store holds nothing."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.events import Bar, Batch, Event, Funding, OpenInterest, Ticker
from airpocket.domain.instruments import Instrument, instruments_of
from airpocket.domain.kinds import split_name
from airpocket.domain.ports import Clock
from airpocket.domain.units import format_interval
from airpocket.domain.wire import BookChange, LiveEvent
from airpocket.ingest.ask import Ask
from airpocket.ingest.dial import Refused
from airpocket.ingest.glance import Question, read_safely
from airpocket.ingest.venues.registry import GLANCES, VENUES
from airpocket.market.books.book import Book
from airpocket.market.books.measures import bands
from airpocket.market.live import rows
from airpocket.market.live.closing import BANDS


@dataclass(frozen=True, slots=True)
class Glance:
    """What was found. `answered`: contracts with any answer; `missing`: contract or question → why not."""

    at: int  # ns, after the last answer
    batches: tuple[Batch, ...]
    answered: tuple[str, ...]
    missing: Mapping[str, str]


async def look(asset: str, ask: Ask, clock: Clock) -> Glance:
    """Ask every venue for the asset's usual contracts, all at the same time."""
    contracts = [
        c for c in instruments_of(asset) if c.venue in GLANCES and c.kind in ("spot", "linear", "inverse")
    ]  # fmt: skip
    found = await asyncio.gather(*(_of_contract(c, ask, clock) for c in contracts))
    batches: list[Batch] = []
    answered: list[str] = []
    missing: dict[str, str] = {}
    for contract, (made, faults) in zip(contracts, found, strict=True):
        batches += made
        missing.update(faults)
        if made:
            answered.append(contract.key)
    at = clock.now()
    return Glance(at, tuple(b for b in batches if len(b)), tuple(answered), missing)


async def _of_contract(
    contract: Instrument, ask: Ask, clock: Clock
) -> tuple[list[Batch], dict[str, str]]:
    questions = GLANCES[contract.venue](contract.venue, contract.symbol, clock.now())
    faults: dict[str, str] = {}
    events: list[Event | LiveEvent] = []
    answers = await asyncio.gather(*(_answer(q, ask, clock) for q in questions))
    for question, answer in zip(questions, answers, strict=True):
        if isinstance(answer, str):
            path = question.poll.url.split("?", maxsplit=1)[0].rsplit("/", maxsplit=1)[-1]
            faults[f"{contract.key} {path}"] = answer
        else:
            events += answer
    if len(faults) == len(questions):  # the venue said nothing at all: one reason will do
        faults = {contract.key: next(iter(faults.values()))}
    return _batches(contract, events), faults


async def _answer(
    question: Question, ask: Ask, clock: Clock
) -> "Sequence[Event | LiveEvent] | str":
    """Facts, or why there are none."""
    try:
        body = await ask(question.poll)
        heard = clock.now()
        if question.read is not None:
            return read_safely(question.read, body, heard)
        return VENUES[question.poll.venue].decode(body, heard, question.poll.address)
    except (Refused, UndecodableFrame) as error:
        return str(error)


def _batches(contract: Instrument, events: Sequence[Event | LiveEvent]) -> list[Batch]:
    """The events of one contract as batches by kind; of a book, what rests near the price."""
    by_kind: dict[str, list[dict[str, object]]] = {}
    for event in events:
        if event.symbol != contract.symbol:
            continue
        if isinstance(event, BookChange):
            by_kind.setdefault("depth", []).extend(_depth(contract, event))
            continue
        kind = _kind(event)
        if kind is not None:
            wanted = ("ts", "usable_from", *(c.name for c in split_name(kind)[0].columns))
            row: dict[str, object] = {name: getattr(event, name, None) for name in wanted}
            by_kind.setdefault(kind, []).append(row)
    return [
        rows.batch(kind, contract.venue, contract.symbol, _in_order(kind, made))
        for kind, made in sorted(by_kind.items())
        if made
    ]


def _kind(event: Event | LiveEvent) -> str | None:
    if isinstance(event, Bar):
        return f"bar_{format_interval(event.interval_ns)}"
    if isinstance(event, Funding):
        return "funding"
    if isinstance(event, OpenInterest):
        return "open_interest"
    if isinstance(event, Ticker):
        return "ticker"
    return None


def _in_order(kind: str, made: list[dict[str, object]]) -> list[dict[str, object]]:
    """By time, one row a moment; depth has one a band."""
    ordered = sorted(made, key=lambda row: (_int(row["ts"]), _float(row.get("percent"))))
    if kind == "depth":
        return ordered
    return list({_int(row["ts"]): row for row in ordered}.values())


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


def _float(value: object) -> float:
    return value if isinstance(value, float) else 0.0


def _depth(contract: Instrument, change: BookChange) -> list[dict[str, object]]:
    book = Book(contract.venue, contract.symbol)
    book.apply(change)
    if book.levels is None or not book.in_coin:
        return []
    return [
        {"ts": change.usable_from, "usable_from": change.usable_from, "percent": percent,
         "depth_coin": band.coin, "notional_usd": band.usd}
        for percent, band in bands(book.levels, BANDS).items()
        if band.whole
    ]  # fmt: skip
