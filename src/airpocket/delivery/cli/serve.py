"""`airpocket serve`: dashboard and API on this machine."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

if TYPE_CHECKING:
    from airpocket.delivery.serve.start import Plan

_PORT = 8765


def serve(  # noqa: PLR0913 - one flag each
    asset: str = "ETH",
    *,
    demo: Annotated[bool, Parameter(negative="")] = False,
    record: Annotated[bool, Parameter(negative="")] = False,
    replay: Annotated[bool, Parameter(negative="")] = False,
    store: Path = Path("store"),
    log: Path | None = None,
    speed: float | None = None,
    at: str | None = None,
    loop: Annotated[bool, Parameter(negative="")] = False,
    port: int = _PORT,
    clients: int = 20,
    through: str = "",
    drill: str = "",
    side: Literal["long", "short"] = "short",
    size: float = 50.0,
    leverage: float = 10.0,
    venue: str = "",
    seed: int = 1,
    link: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """The dashboard and its API, on loopback only, until interrupted; docs/serve.md.

    From a store alone, its newest moment is shown. With a recording that runs (--record starts one) the page
    follows it; with --replay a recorded session is played again.

    Args:
        asset: The coin, such as ETH.
        demo: The bundled SIMULATED market, recorded, from beginning to end and again.
        record: Also record the live markets into the store.
        replay: Play the store's log again instead of following it.
        store: Folder of the store.
        log: Folder of a log elsewhere, with --replay.
        speed: Of a replay: 1 is the pace at which it was heard, 60 a minute in a second. Of a drill 30 by default.
        at: Where a replay begins, with its time zone: 2025-10-10T20:00Z.
        loop: At its end a replay begins again.
        port: On 127.0.0.1; 0: any that is free.
        clients: How many websockets may be open.
        through: host:port to reach every venue through, such as a simulated market on this machine.
        drill: A world of the lab to hold a paper position in, such as squeeze: `airpocket drill` in the page.
        side: Of the drill's position.
        size: The same, coin.
        leverage: The same: notional over the margin put behind it, isolated.
        venue: The same: perpetual of the world to trade on. Default: its first.
        seed: Of the drill's world: the same seed is the same market.
        link: Print a fresh link to the server that runs on this port, and end.
    """
    from airpocket.delivery.serve import start
    from airpocket.delivery.serve.job import Drilling

    if link:
        sys.stdout.write(start.fresh_link(port) + "\n")
        return 0
    drilling = (
        Drilling(scenario=drill, venue=venue, side=side, size=size, leverage=leverage, seed=seed)
        if drill
        else None
    )
    asked = start.Asked(
        asset=asset.upper(), demo=demo, record=record, replay=replay, store=store, log=log,
        speed=(30.0 if drill else 1.0) if speed is None else speed, at=at, loop=loop, port=port,
        clients=clients, gate=through, drill=drilling,
    )  # fmt: skip
    with start.planned(asked) as plan:
        asyncio.run(start.run(plan, _say(plan)))
    return 0


def _say(plan: "Plan") -> Callable[[str], None]:
    def ready(link: str) -> None:
        from airpocket.delivery.cli.printing import printable

        if plan.label:
            sys.stderr.write(
                printable(f"{plan.label}: an invented market, marked so everywhere") + "\n"
            )
        sys.stderr.write(f"{plan.words}; token in {plan.place / 'token'}; Ctrl-C ends it\n")
        sys.stdout.write(f"{link}\n")
        sys.stdout.flush()
        sys.stderr.write(
            f"the link works once, for a minute; another: airpocket serve --link --port {plan.port}\n"
        )

    return ready
