"""`airpocket census ASSET…`: what Hyperliquid's accounts hold, into a store."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from airpocket.ingest.census.crawl import Census


def census(
    *assets: str,
    store: Path = Path("store"),
    for_: Annotated[str | None, Parameter(name="--for")] = None,
    addresses: Path | None = None,
    lists: bool = True,
    through: str = "",
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """What the public accounts of Hyperliquid hold, into the store; no keys.

    Anyone may ask there for anyone. Addresses come from the venue's leaderboard and vaults, from trades (recorded
    ones, and live ones with --for) and from a file. Half of the venue's budget is used: about five accounts a
    second. Ctrl-C stops in good order; the next run goes on where it ended.

    Args:
        assets: Coins whose trades are listened to and whose coverage is told, such as ETH BTC.
        store: Folder of the store.
        for_: Go on for so long: 30s, 10m, 2h; holders are asked again each quarter of an hour. Default: until
            every account met was asked once.
        addresses: A file of further addresses, one a line; # begins a remark.
        lists: Ask for the leaderboard (25 MB) and the vaults too.
        through: host:port to reach the venue through, such as a simulated market on this machine.
        as_json: Print JSON instead of the summary.
    """
    import asyncio
    import signal

    from airpocket.domain.errors import BadInput
    from airpocket.domain.instruments import instruments_of
    from airpocket.domain.units import SECOND_NS, parse_interval
    from airpocket.ingest.ask import Asker
    from airpocket.ingest.census.crawl import Census, CensusSettings
    from airpocket.ingest.census.sources import read_addresses
    from airpocket.ingest.connection import World
    from airpocket.ingest.dial import websocket_dial
    from airpocket.ingest.origin import claim, origin_of
    from airpocket.ingest.venues.hyperliquid.accounts import VENUE, WEIGHT_PER_MINUTE
    from airpocket.ingest.world import SystemClock

    if not assets:
        raise BadInput("name an asset, such as ETH")
    if "://" in through:
        raise BadInput(f"--through {through}: a host and a port, without a scheme")
    try:
        for_s = None if for_ is None else parse_interval(for_) / SECOND_NS
    except ValueError as error:
        raise BadInput(f"--for {for_}: {error}") from error
    symbols = tuple(
        contract.symbol
        for asset in assets
        for contract in instruments_of(asset.upper())
        if contract.venue == VENUE and contract.kind == "linear"
    )
    given = [] if addresses is None else read_addresses(addresses)

    async def run() -> "Census":
        clock, label = SystemClock(), await origin_of(through)
        claim(store, store / "raw", label)
        asker = Asker(
            {VENUE: WEIGHT_PER_MINUTE}, clock, gate=f"http://{through}" if through else "",
            most_bytes=64 * 1024 * 1024,
        )  # fmt: skip
        world = World(clock, websocket_dial(f"ws://{through}" if through else ""), asker)
        settings = CensusSettings(for_s=for_s, lists=lists)
        found = Census(store, symbols, world, settings, given, label)
        loop = asyncio.get_running_loop()
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(each, found.stop)
        try:
            await found.run(_Progress(sys.stderr.isatty()).tell)
        finally:
            await asker.close()
        return found

    _summary(asyncio.run(run()), store, as_json=as_json)
    return 0


class _Progress:
    """A line on stderr: rewritten each second on a terminal, once a minute elsewhere."""

    def __init__(self, terminal: bool) -> None:
        self._terminal, self._calls = terminal, 0

    def tell(self, census: "Census") -> None:
        """Say how it goes; called ten times a second."""
        self._calls += 1
        if self._calls % (10 if self._terminal else 600) != 1:
            return
        line = _line(census)
        sys.stderr.write(f"\r\x1b[K{line}" if self._terminal else line + "\n")
        sys.stderr.flush()


def _line(census: "Census") -> str:
    tally = census.tally
    covered = ", ".join(f"{symbol} {_covered(census, symbol)}" for symbol in census.symbols)
    return (
        f"{len(census.roster):,} accounts known, {tally.asked:,} asked, {tally.holding:,} hold something;"
        f" of open interest: {covered}"
    )


def _covered(census: "Census", symbol: str) -> str:
    found = census.tally.coverage(symbol)
    return (
        "not told"
        if found is None
        else f"{100 * found[0]:.1f} % long, {100 * found[1]:.1f} % short"
    )


def _summary(census: "Census", store: Path, *, as_json: bool) -> None:
    from airpocket.delivery.cli.printing import print_json, print_table, say

    tally = census.tally
    if as_json:
        print_json({
            "known": len(census.roster), "asked": tally.asked, "holding": tally.holding,
            "rows_kept": tally.rows_kept, "met": tally.met, "troubles": tally.troubles,
            "first": tally.first, "last": tally.last,
            "contracts": {symbol: _figures(census, symbol) for symbol in census.symbols},
        })  # fmt: skip
        return
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    say(_line(census))
    rows: list[list[str]] = []
    for symbol in census.symbols:
        long, short, interest, *shares = _figures(census, symbol).values()
        coin = ["not told" if each is None else f"{each:,.1f}" for each in (long, short, interest)]
        percent = ["not told" if each is None else f"{100 * each:.1f} %" for each in shares]
        rows.append([symbol, *coin, *percent])
    columns = [
        "contract",
        "long coin",
        "short coin",
        "open interest",
        "longs covered",
        "shorts covered",
    ]
    print_table("Held by the accounts asked", columns, rows, right=set(columns[1:]))
    if tally.met:
        met = ", ".join(f"{count:,} by {origin}" for origin, count in tally.met.most_common())
        say(f"met for the first time: {met}")
    for trouble, count in tally.troubles.most_common(10):
        say(f"! {trouble}" + (f", {count:,} times" if count > 1 else ""))
    say(f"{tally.rows_kept:,} rows new in {store}; airpocket map shows what they say")


def _figures(census: "Census", symbol: str) -> dict[str, float | None]:
    tally = census.tally
    covered = tally.coverage(symbol)
    return {
        "long_coin": tally.long_coin.get(symbol, 0.0),
        "short_coin": tally.short_coin.get(symbol, 0.0),
        "interest_coin": tally.interest_coin.get(symbol),
        "long_covered": None if covered is None else covered[0],
        "short_covered": None if covered is None else covered[1],
    }
