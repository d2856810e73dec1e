"""The tools and what they take; the analysis is loaded beside the handshake, and works in one thread."""

import asyncio
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import Field, ValidationError

from airpocket import __version__
from airpocket.delivery.serve.requests import HedgeBody, HeldBody, WhatIfBody
from airpocket.domain.errors import AirpocketError
from airpocket.domain.ports import Clock

if TYPE_CHECKING:
    from airpocket.delivery.mcp.reader import Reader

_ABOUT = """Forced-flow risk of crypto perpetuals: who is forced out at which prices, and how far that pushes price.

Every answer has as_of (the moment it is of, UTC), age_s (by this machine's clock), simulated (an invented market)
and figures (how many are measured, modelled, mixed or unknown). A figure has value and unit, low and high where
it has an interval, provenance and source; value null means unknown, with the reason: never read it as zero.
at_least marks a lower bound. left_off says what an answer leaves out for its size. Nothing here trades, writes or
fetches."""

Asset = Annotated[str, Field(description="the coin, such as ETH", min_length=1, max_length=20)]
Moment = Annotated[
    str,
    Field(
        description="a moment with its zone, such as 2025-10-10T20:00Z; nothing that could not be known then is "
        "used. Empty: the newest stored",
        max_length=40,
    ),
]
Holdings = Annotated[
    str,
    Field(
        description="a position file as text (TOML): [[position]] with venue, symbol, side, size_coin, "
        "entry_price, opened_at, margin_mode and leverage_x or wallet_usd; also [[option]] and [[balance]]",
        min_length=1,
        max_length=64_000,
    ),
]
_READS = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)


class Tools:
    """The tools of one store. Questions wait for one another; the connection never does."""

    def __init__(self, store: Path, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._worker = ThreadPoolExecutor(1, "airpocket")
        self._reader: Reader | None = None

    def warm(self) -> None:
        """Load the analysis while the client still says hello."""
        self._worker.submit(self._opened)

    async def brief(self, asset: Asset, asof: Moment = "") -> str:
        """The whole brief: answer, price, dollars at risk, verdict, triggers, map, cascade, flows, levels."""
        return await self._tell(lambda reader: reader.brief(asset, asof))

    async def verdict(self, asset: Asset, asof: Moment = "") -> str:
        """Which state the market is in, its triggers and cluster effects with their tells, and their record."""
        return await self._tell(lambda reader: reader.part(asset, asof, "verdict"))

    async def liquidation_map(
        self,
        asset: Asset,
        asof: Moment = "",
        venue: Annotated[str, Field(description="only this venue's", max_length=40)] = "",
        since: Annotated[
            str, Field(description="compare with then: 24h, or a moment; slower", max_length=40)
        ] = "",
    ) -> str:
        """Who is forced out at which prices: at risk by distance, clusters, thin stretches, what is exact."""
        return await self._tell(lambda reader: reader.map(asset, asof, venue, since))

    async def cascade(self, asset: Asset, asof: Moment = "") -> str:
        """What a push costs each way, where it ignites forced flow, and how far simulated paths go."""
        return await self._tell(lambda reader: reader.part(asset, asof, "cascade"))

    async def fuel(self, asset: Asset, asof: Moment = "") -> str:
        """Forced against resting dollars by distance, each way, and liquidations that venues told of."""
        return await self._tell(lambda reader: reader.fuel(asset, asof))

    async def levels(self, asset: Asset, asof: Moment = "") -> str:
        """Prices with a reason: zones, what they did before, what would confirm them."""
        return await self._tell(lambda reader: reader.levels(asset, asof))

    async def flows(self, asset: Asset, asof: Moment = "") -> str:
        """Slow drivers (ETF, stablecoins, reserves, transfers), what followed them before, and dated events."""
        return await self._tell(lambda reader: reader.flows(asset, asof))

    async def what_if(  # noqa: PLR0913, PLR0917 - one flag each
        self,
        asset: Asset,
        push_usd: Annotated[float, Field(description="dollars bought at market; negative: sold")] = 0.0,
        shock_percent: Annotated[float | None, Field(description="price jumps by this first")] = None,
        break_price: Annotated[float | None, Field(description="price jumps to this first")] = None,
        drop_depth_percent: Annotated[float, Field(description="of resting orders taken away")] = 0.0,
        venues: Annotated[list[str], Field(description="where the push is placed", max_length=20)] = [],  # noqa: B006
        minutes: Annotated[float, Field(description="how long it is followed")] = 15.0,
        asof: Moment = "",
    ) -> str:  # fmt: skip
        """What a push, a jump or a thinner book would do, walked through many simulated paths; takes seconds."""
        body = _checked(
            WhatIfBody,
            push_usd=push_usd, shock_percent=shock_percent, break_price=break_price,
            drop_depth_percent=drop_depth_percent, venues=venues, minutes=minutes,
        )  # fmt: skip
        return await self._tell(lambda reader: reader.asked("whatif", asset, asof, body))

    async def plan(self, positions: Holdings, asof: Moment = "") -> str:
        """For every perpetual held: liquidation, what a gap leaves, exits, stops, sizes."""
        body = _checked(HeldBody, toml=positions)
        return await self._tell(lambda reader: reader.held("plan", asof, body))

    async def stress(self, positions: Holdings, asof: Moment = "") -> str:
        """What every account held survives: gaps, cascades, volatility, outages; which exits come through."""
        body = _checked(HeldBody, toml=positions)
        return await self._tell(lambda reader: reader.held("stress", asof, body))

    async def hedge(
        self,
        positions: Holdings,
        gap_percent: Annotated[float, Field(description="move against it to survive")] = 15.0,
        buffer: Annotated[float, Field(description="multiple of maintenance to keep")] = 2.0,
        budget_usd: Annotated[float | None, Field(description="what it may cost at most")] = None,
        legs: Annotated[int, Field(description="the most legs of one hedge")] = 4,
        asof: Moment = "",
    ) -> str:
        """The cheapest hedges of the perpetuals held, at stored option quotes, and what they leave open."""
        body = _checked(
            HedgeBody, toml=positions, gap_percent=gap_percent, buffer=buffer, budget_usd=budget_usd, legs=legs
        )  # fmt: skip
        return await self._tell(lambda reader: reader.held("hedge", asof, body))

    async def coverage(
        self, asset: Annotated[str, Field(description="empty: all", max_length=20)] = ""
    ) -> str:
        """Which series the store holds, from when to when: look here first when something is unknown."""
        return await self._tell(lambda reader: reader.coverage(asset))

    async def _tell(self, work: Callable[["Reader"], str]) -> str:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._worker, lambda: work(self._opened()))
        except AirpocketError as error:
            raise ToolError(str(error)) from error
        except Exception as error:
            sys.stderr.write(f"airpocket mcp: {traceback.format_exc()}")
            raise ToolError("a fault of airpocket: its output on stderr tells more") from error

    def _opened(self) -> "Reader":
        if self._reader is None:
            from airpocket.delivery.mcp.reader import Reader

            self._reader = Reader(self._store, self._clock)
        return self._reader


def _checked(body: type[HeldBody] | type[WhatIfBody], **given: object) -> dict[str, Any]:
    try:
        return body.model_validate(given).model_dump(
            mode="json", exclude_none=body is not WhatIfBody
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ToolError(f"{where}: {first['msg']}" if where else first["msg"]) from error


def built(tools: Tools) -> MCPServer[Any]:
    """The server with every tool, each marked as reading only."""
    server: MCPServer[Any] = MCPServer(
        "airpocket", instructions=_ABOUT, version=__version__, log_level="WARNING"
    )
    for tool in (
        tools.brief, tools.verdict, tools.liquidation_map, tools.cascade, tools.fuel, tools.levels, tools.flows,
        tools.what_if, tools.plan, tools.stress, tools.hedge, tools.coverage,
    ):  # fmt: skip
        server.tool(annotations=_READS, structured_output=False)(tool)
    return server


def serve_stdio(store: Path, clock: Clock) -> None:
    """Speak on stdin and stdout until the client hangs up."""
    tools = Tools(store, clock)
    tools.warm()
    built(tools).run("stdio")
