"""`airpocket record`: live markets into a store."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from airpocket.live.session import Session


def record(
    *assets: str,
    venue: Annotated[tuple[str, ...], Parameter(negative="", consume_multiple=True)] = (),
    store: Path = Path("store"),
    for_: Annotated[str | None, Parameter(name="--for")] = None,
    through: str = "",
) -> int:
    """Record live markets until stopped: every raw frame, and each minute's facts.

    No keys are needed. Ctrl-C stops in good order; after a crash, start again. Frames go to the raw log
    in STORE/raw, minutes to the store that every other command reads.

    Args:
        assets: Coins, such as ETH BTC.
        venue: Only these venues; airpocket venues lists them.
        store: Folder of the store.
        for_: Stop after so long: 30s, 10m, 2h. Default: when told.
        through: host:port to reach every venue through, such as a simulated market on this machine.
    """
    import asyncio
    import signal

    from airpocket.delivery.warmup import compiling
    from airpocket.domain.errors import BadInput
    from airpocket.domain.units import SECOND_NS, parse_interval
    from airpocket.ingest.world import SystemClock
    from airpocket.live.feeds import feeds_of
    from airpocket.live.session import Session, SessionSettings
    from airpocket.live.warm import warm_up

    try:
        for_s = None if for_ is None else parse_interval(for_) / SECOND_NS
    except ValueError as error:
        raise BadInput(f"--for {for_}: {error}") from error
    named = tuple(asset.upper() for asset in assets)
    settings = SessionSettings(gate=through, for_s=for_s)
    session = Session(store, named, feeds_of(named, venue), SystemClock(), settings)

    async def run() -> None:
        loop = asyncio.get_running_loop()
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(each, session.stop)
        await session.run(_Progress(sys.stderr.isatty()).tell)

    with compiling():
        warm_up()
    asyncio.run(run())
    _summary(session, store)
    return 0


class _Progress:
    """A line on stderr: rewritten each second on a terminal, once a minute elsewhere."""

    def __init__(self, terminal: bool) -> None:
        self._terminal, self._calls = terminal, 0
        self._clear = "\r\x1b[K" if terminal else ""

    def tell(self, session: "Session") -> None:
        """Say how it goes."""
        from airpocket.delivery.cli.printing import printable

        if session.recorder is None:
            return
        for text in session.tidings():
            sys.stderr.write(f"{self._clear}{printable(text)}\n")
        self._calls += 1
        if not self._terminal and self._calls % 60 != 1:
            return
        line = _line(session)
        sys.stderr.write(f"\r\x1b[K{line}" if self._terminal else line + "\n")
        sys.stderr.flush()


def _line(session: "Session") -> str:
    health = session.health()
    states = [channel.state for channel in health.channels]
    return (
        f"{health.records:,} records, {states.count('live')} of {len(states)} channels live,"
        f" {sum(health.refused.values()):,} frames not understood, {session.rows_kept:,} rows stored"
    )


def _summary(session: "Session", store: Path) -> None:
    from airpocket.delivery.cli.printing import print_table, say

    health = session.health()
    if health.simulated:
        say(f"{health.simulated}: an invented market, marked so in the log and in every row")
    say(_line(session))
    silent = [c for c in health.channels if c.messages == 0]
    if silent:
        print_table(
            "channels that never brought a message",
            ["venue", "symbol", "channel", "reason"],
            [[c.venue, c.symbol, c.channel, c.reason] for c in silent],
            right=set(),
        )
    for what, count in sorted(health.refused.items(), key=lambda each: -each[1])[:10]:
        say(f"not understood, {count:,} times: {what}")
    for news in health.news:
        say(f"new in the messages of {news.venue}: {f'{news.channel} {news.what}'.strip()}")
    for line in session.alarms:
        say(f"! {line}")
    say(f"raw frames in {store / 'raw'}; airpocket replay reads them again")
