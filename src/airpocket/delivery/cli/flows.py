"""`airpocket flows`: slow drivers into the store, and what the store knows of them."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airpocket.ingest.flows.collect import Answered
    from airpocket.ingest.flows.keep import Kept

NOTHING_TOLD = 6
_SHOWN = 6


def show(
    asset: str,
    /,
    *,
    store: Path = Path("store"),
    asof: str | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """The drivers of an asset as the store knew them: signal, age, score, what followed, and the hinge.

    The flows section of the brief alone. docs/flows.md says what each figure means.

    Args:
        asset: The coin, such as ETH.
        store: Folder of the store.
        asof: The moment, with its time zone: 2025-10-10T20:00Z. Default: the newest price stored.
        as_json: Print JSON.
    """
    from rich.console import Console

    from airpocket.brief import page, terminal
    from airpocket.brief.as_json import render_struct
    from airpocket.brief.flows_view import flows_view
    from airpocket.delivery.cli.common import stored_brief

    brief = stored_brief(asset, store, asof)
    view = flows_view(brief)
    if as_json:
        sys.stdout.write(render_struct(view).decode())
        return 0
    state = "is unknown" if view.hinge.state == "unknown" else view.hinge.state
    answer = f"{brief.asset}: the hinge {state}: {view.hinge.because[0]}"
    console = Console()
    parts = [part for part in page.parts(brief, every_channel=False) if part.id == "flows"]
    sys.stdout.write(
        terminal.sheet(
            answer, page.price_line(brief), parts, simulated=brief.health.simulated,
            width=min(console.width, 120) if console.is_terminal else 100,
            colour=console.is_terminal and not console.no_color,
        )
    )  # fmt: skip
    return 0


def sources(*, as_json: Annotated[bool, Parameter(name="--json", negative="")] = False) -> int:
    """Where slow drivers can be had, on what terms, and which need a key.

    Args:
        as_json: Print JSON.
    """
    from airpocket.delivery.cli.printing import print_json, print_table
    from airpocket.ingest.flows.sources import SOURCES

    if as_json:
        names = ("name", "about", "terms", "key_env", "usual")
        print_json([{name: getattr(one, name) for name in names} for one in SOURCES.values()])
        return 0
    rows = [
        [one.name, one.about, one.terms, one.key_env or "-", "yes" if one.usual else "by name"]
        for one in SOURCES.values()
    ]
    print_table("Sources", ["name", "what", "terms", "key in", "asked"], rows, right=set())
    return 0


def collect(
    *assets: str,
    store: Path = Path("store"),
    source: Annotated[list[str] | None, Parameter(negative="", consume_multiple=True)] = None,
    config: Path | None = None,
    every: str | None = None,
    history_by_rule: Annotated[bool, Parameter(negative="")] = False,
    through: str = "",
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Ask the sources and keep what is new; a figure that changed becomes a further vintage, none is replaced.

    Everything is first known when it is first heard, old figures too, so collect daily: history grows from the
    first run on. A source in trouble is named and the others go on.

    Args:
        assets: Coins, such as ETH BTC. Default: both.
        store: Folder of the store.
        source: Only these sources (airpocket flows sources). Default: all that need no key and restrict no use, and
            those whose key is there.
        config: A TOML file that chooses sources, key variables and exchanges instead.
        every: Go on for ever, so often: 6h, 1d. Ctrl-C stops.
        history_by_rule: Of a series that the store holds nothing of, take old figures as known when they should
            have been published, not since now. Figures revised since then look into the future.
        through: host:port to reach every source through, such as a simulated one on this machine.
        as_json: Print JSON.
    """
    import asyncio
    import os

    from airpocket.domain.errors import BadInput
    from airpocket.domain.instruments import instruments_of
    from airpocket.domain.units import SECOND_NS, parse_interval
    from airpocket.ingest.ask import Asker
    from airpocket.ingest.flows.collect import LARGEST_BYTES, Outside
    from airpocket.ingest.flows.collect import collect as ask_all
    from airpocket.ingest.flows.sources import chosen, read_choice
    from airpocket.ingest.lake import Lake
    from airpocket.ingest.origin import origin_of
    from airpocket.ingest.world import SystemClock

    if source and config is not None:
        raise BadInput("--source and --config both choose sources; give one of them")
    if "://" in through:
        raise BadInput(f"--through {through}: a host and a port, without a scheme")
    coins = tuple(dict.fromkeys(asset.upper() for asset in assets)) or ("BTC", "ETH")
    for coin in coins:
        instruments_of(coin)
    try:
        every_s = None if every is None else parse_interval(every) / SECOND_NS
    except ValueError as error:
        raise BadInput(f"--every {every}: {error}") from error
    wanted = chosen(source or []) if config is None else read_choice(config)
    if not source and config is None:
        wanted = [one for one in wanted if not one.key_env or os.environ.get(one.key_env)]

    async def run() -> "list[Answered]":
        clock = SystemClock()
        asker = Asker(
            {}, clock, gate=f"http://{through}" if through else "", most_bytes=LARGEST_BYTES
        )
        try:
            outside = Outside(asker, clock, os.environ, await origin_of(through))
            while True:
                found = await ask_all(Lake(store), wanted, coins, outside, by_rule=history_by_rule)
                if every_s is None:
                    return found
                _say(found, as_json=as_json)
                await asyncio.sleep(every_s)
        finally:
            await asker.close()

    found = asyncio.run(run())
    _say(found, as_json=as_json)
    return 0 if any(not one.trouble for one in found) else NOTHING_TOLD


def add(
    *files: Path,
    store: Path = Path("store"),
    asset: str = "",
    publisher: str = "flows",
    history_by_rule: Annotated[bool, Parameter(negative="")] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Files into the store: published fund tables, single figures, transfers (CSV), calendars (TOML).

    docs/flows.md has the forms. All of a file is kept or nothing.

    Args:
        files: CSV files, or TOML files with [[catalyst]] entries.
        store: Folder of the store.
        asset: The coin of a fund table, or of a calendar that concerns one coin.
        publisher: Whose figures: flows, farside, defillama, coinmetrics, coinglass or whale_alert.
        history_by_rule: As of `flows collect`: take figures without first_seen as known by their cadence.
        as_json: Print JSON.
    """
    from airpocket.delivery.cli.printing import print_json, say
    from airpocket.domain.errors import BadInput
    from airpocket.ingest.flows.files import about, calendar_tables, read_file
    from airpocket.ingest.flows.keep import Kept, Publisher, keep
    from airpocket.ingest.lake import Lake
    from airpocket.ingest.world import SystemClock

    known = ("flows", "farside", "defillama", "coinmetrics", "coinglass", "whale_alert")
    if not files:
        raise BadInput("name a file")
    if publisher not in known:
        raise BadInput(f"--publisher {publisher}: must be one of {', '.join(known)}")
    now, lake = SystemClock().now(), Lake(store)
    done: list[dict[str, object]] = []
    for file in files:
        if file.suffix == ".toml":
            tables = calendar_tables(file, asset.upper())
            report = lake.write(tables, on_conflict="keep")
            kept, what = Kept(new=report.rows_new, unchanged=report.rows_known), "scheduled events"
            notes: Sequence[str] = ()
        else:
            told = read_file(file, asset.upper(), now)
            kept = keep(lake, Publisher(publisher, file.name, history_by_rule), told, now)
            what, notes = about(told), told.notes
        done.append({"file": str(file), "about": what, **_counted(kept), "notes": list(notes)})
        if not as_json:
            say(f"{file.name}: {what}: {_kept(kept)}")
            _say_notes(notes, kept)
    if as_json:
        print_json(done)
    return 0


def _say(found: "Sequence[Answered]", *, as_json: bool) -> None:
    from airpocket.delivery.cli.printing import print_json, say

    if as_json:
        print_json([
            {"source": one.source, "about": one.about, "trouble": one.trouble, "notes": list(one.notes),
             **_counted(one.kept)}
            for one in found
        ])  # fmt: skip
        return
    well = sum(not one.trouble for one in found)
    new, revised = sum(one.kept.new for one in found), sum(one.kept.revised for one in found)
    say(f"{well} of {len(found)} answers kept: {new:,} new figures, {revised:,} revised")
    for one in found:
        name = f"{one.source}, {one.about}" if one.about else one.source
        say(f"! {name}: {one.trouble}" if one.trouble else f"  {name}: {_kept(one.kept)}")
        _say_notes(one.notes, one.kept)


def _say_notes(notes: "Sequence[str]", kept: "Kept") -> None:
    from airpocket.delivery.cli.printing import say

    for line in notes[-_SHOWN:]:
        say(f"    {line}")
    if len(notes) > _SHOWN:
        say(f"    and {len(notes) - _SHOWN:,} notes before these")
    for line in kept.revisions[:_SHOWN]:
        say(f"    revised: {line}")
    if len(kept.revisions) > _SHOWN:
        say(f"    and {len(kept.revisions) - _SHOWN:,} smaller revisions")


def _kept(kept: "Kept") -> str:
    return f"{kept.new:,} new, {kept.revised:,} revised, {kept.unchanged:,} as told before"


def _counted(kept: "Kept") -> dict[str, object]:
    return {
        "new": kept.new, "revised": kept.revised, "unchanged": kept.unchanged,
        "revisions": list(kept.revisions),
    }  # fmt: skip
