"""`airpocket replay`: a recorded log through the same decoders again."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from airpocket.ingest.log.records import Record
    from airpocket.live.replay import Replay, Replayed

_GAPS_SHOWN = 20


def replay(
    *assets: str,
    store: Path = Path("store"),
    log: Path | None = None,
    speed: float = 0.0,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Send a recorded log through the same decoders into the same state, and say what it held.

    The journal is the hash of all events in order: equal logs give equal journals. Nothing is stored.

    Args:
        assets: Coins whose books and tapes are kept, such as ETH.
        store: Folder of the store whose log is read.
        log: Folder of a log elsewhere.
        speed: 1: at the pace it was heard, 60: a minute in a second. 0: as fast as possible.
        as_json: Print JSON.
    """
    from airpocket.domain.errors import BadInput
    from airpocket.live.replay import Replay
    from airpocket.live.session import RAW

    if speed < 0.0:
        raise BadInput("--speed can't be negative")
    if not assets:
        raise BadInput("name an asset to replay, such as ETH")
    run = Replay(tuple(asset.upper() for asset in assets))
    folder = log if log is not None else store / RAW
    found = run.run(folder, pace=_paced(speed) if speed else None)
    if as_json:
        _print_json(run, found)
    else:
        _print(run, found)
    return 3 if found.damages else 0


def _paced(speed: float) -> "Callable[[Record], None]":
    import time

    from airpocket.ingest.world import SystemClock

    clock, begun = SystemClock(), list[tuple[int, int]]()

    def wait(record: "Record") -> None:
        if not begun:
            begun.append((clock.monotonic(), record.heard))
        started, first = begun[0]
        left_ns = started + (record.heard - first) / speed - clock.monotonic()
        if left_ns > 0:
            time.sleep(left_ns / 1e9)

    return wait


def _print_json(run: "Replay", found: "Replayed") -> None:
    from airpocket.delivery.cli.printing import print_json
    from airpocket.domain.units import format_time

    print_json(
        {
            "records": found.records,
            "frames": found.frames,
            "events": found.events,
            "first": format_time(found.first) if found.first else None,
            "last": format_time(found.last) if found.last else None,
            "journal": found.journal,
            "simulated": found.simulated or None,
            "refused": found.refused,
            "damages": [f"{d.path} at {d.offset}: {d.problem}" for d in found.damages],
            "gaps": [
                {
                    "venue": gap.venue,
                    "route": gap.route,
                    "since": format_time(gap.since),
                    "until": None if gap.until is None else format_time(gap.until),
                    "cause": gap.cause,
                }
                for gap in found.gaps
            ],
            "books": [row for state in run.states.by_asset.values() for row in _books(state)],
        }
    )


def _print(run: "Replay", found: "Replayed") -> None:
    from airpocket.delivery.cli.printing import print_table, say
    from airpocket.domain.units import format_time

    if not found.records:
        say("the log holds no records yet")
        return
    if found.simulated:
        say(f"{found.simulated}: an invented market, not prices anyone traded at")
    say(
        f"{found.records:,} records, {found.frames:,} frames, {found.events:,} events,"
        f" {format_time(found.first)} to {format_time(found.last)}"
    )
    say(f"journal {found.journal}")
    for what, count in sorted(found.refused.items(), key=lambda each: -each[1])[:10]:
        say(f"not understood, {count:,} times: {what}")
    for damage in found.damages:
        say(f"damaged: {damage.path} at byte {damage.offset}: {damage.problem}")
    _print_gaps(found)
    rows = [row for state in run.states.by_asset.values() for row in _books(state)]
    if rows:
        print_table(
            "books at the end",
            ["venue", "symbol", "state", "bid", "ask", "changes", "gaps", "repeated", "reason"],
            [[_text(value) for value in row.values()] for row in rows],
            right={"bid", "ask", "changes", "gaps", "repeated"},
        )


def _print_gaps(found: "Replayed") -> None:
    from airpocket.delivery.cli.printing import print_table
    from airpocket.domain.units import format_time

    over = [gap for gap in found.gaps if gap.until is not None]
    if over:
        print_table(
            f"{len(over)} times a route was down between two connections"
            + (f", the last {_GAPS_SHOWN}" if len(over) > _GAPS_SHOWN else ""),
            ["venue", "route", "since", "until", "cause"],
            [
                [g.venue, g.route, format_time(g.since), format_time(g.until or 0), g.cause]
                for g in over[-_GAPS_SHOWN:]
            ],
            right=set(),
        )


def _books(state: object) -> list[dict[str, object]]:
    from airpocket.market.live.state import LiveState

    assert isinstance(state, LiveState)
    found: list[dict[str, object]] = []
    for (venue, symbol), market in sorted(state.markets.items()):
        book = market.book
        best = book.levels.touch() if book.levels is not None else None
        found.append(
            {
                "venue": venue, "symbol": symbol, "state": book.state, "bid": best.bid if best else None,
                "ask": best.ask if best else None, "changes": book.applied, "gaps": book.gaps,
                "repeated": book.repeated, "reason": book.reason,
            }
        )  # fmt: skip
    return found


def _text(value: object) -> str:
    return "–" if value is None else f"{value:,}" if isinstance(value, int | float) else str(value)
