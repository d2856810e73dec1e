"""`airpocket watch RULES.toml`: messages when the market's state changes."""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from airpocket.delivery.alerts.courier import Notifier
    from airpocket.delivery.alerts.rules import Rules
    from airpocket.delivery.alerts.watching import Watched


def watch(
    rules: Path,
    *,
    asset: str = "ETH",
    store: Path = Path("store"),
    every: str = "1m",
    test: Annotated[bool, Parameter(negative="")] = False,
    once: Annotated[bool, Parameter(negative="")] = False,
    dry: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Alerts from rules in a file, told once an episode, until interrupted; docs/alerts.md.

    A store that a recorder fills is looked at again and again; what was told is kept beside it in alerts.db.

    Args:
        rules: The rules (TOML).
        asset: The coin, such as ETH.
        store: Folder of the store.
        every: How often it is looked at.
        test: Send one message to every service and end: 0 if all took it.
        once: One look, deliver, and end.
        dry: Print what would be sent, and send nothing.
    """
    from airpocket.delivery.alerts.rules import read_rules
    from airpocket.domain.errors import BadInput, NothingKnown
    from airpocket.domain.units import SECOND_NS, parse_interval

    found = read_rules(rules)
    notifier = _Printer() if dry else _notifier(found)
    if test:
        return asyncio.run(_test(found, notifier))
    if not store.is_dir():
        raise NothingKnown(f"no store at '{store}': airpocket record makes one")
    try:
        every_s = parse_interval(every) / SECOND_NS
    except ValueError as error:
        raise BadInput(f"--every {every}: {error}") from error
    asyncio.run(_watch(found, notifier, store, asset.upper(), every_s, once=once))
    return 0


def _notifier(found: "Rules") -> "Notifier":
    from airpocket.domain.errors import MissingExtra

    try:
        from airpocket.delivery.alerts.apprise_notifier import AppriseNotifier
    except ImportError as error:
        raise MissingExtra("watch", "alerts") from error
    return AppriseNotifier(found.services)


class _Printer:
    """Sends nothing."""

    async def send(self, service: object, title: str, body: str) -> bool:
        """Print instead."""
        from airpocket.delivery.alerts.rules import Service
        from airpocket.delivery.cli.printing import say

        assert isinstance(service, Service)
        say(f"to {service.name}: {title}")
        for line in body.splitlines():
            say(f"  {line}")
        return True


async def _test(found: "Rules", notifier: "Notifier") -> int:
    from airpocket.delivery.cli.printing import say

    failed = 0
    for service in found.services:
        try:
            async with asyncio.timeout(30.0):
                taken = await notifier.send(
                    service,
                    "airpocket test",
                    "airpocket watch can reach you here. Nothing has happened.",
                )
            why = "" if taken else "it refused the message"
        except (TimeoutError, OSError) as error:
            why = str(error) or type(error).__name__
        say(f"{service.name}: {why or 'taken'}")
        failed += bool(why)
    return 6 if failed else 0


async def _watch(
    found: "Rules", notifier: "Notifier", store: Path, asset: str, every_s: float, *, once: bool
) -> None:
    from airpocket.delivery.alerts import watch_file
    from airpocket.delivery.alerts.heartbeat import Heartbeat
    from airpocket.delivery.alerts.ledger import Ledger
    from airpocket.delivery.alerts.watching import Looker, Watch, Watched
    from airpocket.domain.errors import StoreError
    from airpocket.ingest.world import SystemClock

    clock, looker = SystemClock(), Looker(store, asset, found.positions)
    with Ledger(store / "alerts.db") as ledger:
        watching = Watch(found, ledger, notifier, looker.look, clock)
        if once:
            seen = await watching.once()
            for courier in watching.couriers:
                await courier.deliver()
            _tell(Watched(seen.look, seen.messages, ledger.unsent()))
            return
        pulse = None if found.pulse is None else Heartbeat(found.pulse, watching.ill, _say)

        def tell(seen: Watched) -> None:
            word = watch_file.Watching(
                at=clock.now(), pid=os.getpid(), every_s=every_s, waiting=seen.waiting, trouble=watching.ill()
            )  # fmt: skip
            with contextlib.suppress(StoreError):  # a full disk is told by the look itself
                watch_file.write(store, word)
            _tell(seen)

        task = asyncio.ensure_future(watching.run(every_s, tell, pulse))
        loop = asyncio.get_running_loop()
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(each, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await task
        watch_file.remove(store)


def _say(sentence: str) -> None:
    from airpocket.delivery.cli.printing import printable

    sys.stderr.write(printable(sentence) + "\n")


def _tell(watched: "Watched") -> None:
    from airpocket.delivery.cli.printing import printable

    look = watched.look
    words = look.failure or (look.brief.answer if look.brief is not None else "")
    sys.stderr.write(
        printable(f"{watched.messages} new, {watched.waiting} waiting; {words}") + "\n"
    )
