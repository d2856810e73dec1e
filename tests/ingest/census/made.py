"""A venue in this process: a house of the lab, or answers of one's own, asked without a network."""

import asyncio
import json
from urllib.parse import urlsplit

from airpocket.delivery.virtual import in_virtual_time
from airpocket.domain.units import SECOND_NS
from airpocket.ingest.census.crawl import Census, CensusSettings
from airpocket.ingest.connection import World
from airpocket.ingest.dial import Refused
from airpocket.ingest.lake import Lake
from airpocket.ingest.world import SystemClock
from airpocket.lab.dialects.speech import Question

NOW = 1_790_000_000 * SECOND_NS


class Hands:
    """A clock that goes on when somebody sleeps."""

    def __init__(self, at=NOW):
        self.at = at

    def now(self):
        return self.at

    monotonic = now

    async def sleep(self, seconds):
        self.at += round(seconds * SECOND_NS)
        await asyncio.sleep(0)


async def no_line(url):
    raise Refused("no sockets here")


def asked_of(poll):
    return (
        json.loads(poll.body) if poll.body else {"type": urlsplit(poll.url).path.rsplit("/", 1)[-1]}
    )


class InHouse:
    """Asks the Hyperliquid of a lab's house; time stands still meanwhile."""

    def __init__(self, house):
        self.house, self.asked = house, []

    async def __call__(self, poll):
        parts = urlsplit(poll.url)
        question = Question(
            "POST" if poll.body else "GET", parts.path, parts.query, poll.body.encode()
        )
        self.asked.append(asked_of(poll))
        answer = self.house.dialects["hyperliquid"].answer(question, self.house.now)
        if answer.status != 200:
            raise Refused(f"HTTP {answer.status}", for_good=answer.status == 404)
        return answer.body


def flat(time_ms=NOW // 1_000_000):
    return {"assetPositions": [], "crossMarginSummary": {"accountValue": "10.0"}, "time": time_ms}


def holding(size="1.0", value="3000.0", coin="ETH", **more):
    leverage = {"type": "isolated", "value": 10, "rawUsd": "-2700.0"}
    return {"coin": coin, "szi": size, "entryPx": "3000.0", "positionValue": value, "marginUsed": "300.0",
            "leverage": leverage, "liquidationPx": "2755.1", "maxLeverage": 25, **more}  # fmt: skip


def owning(*positions):
    return {
        **flat(),
        "assetPositions": [{"type": "oneWay", "position": each} for each in positions],
    }


class Told:
    """A venue of one's own: `accounts` by address (a body, bytes, or an error), `board` its leaderboard."""

    def __init__(self, accounts, interest="100.0"):
        self.accounts, self.interest = accounts, interest
        self.asked = []

    async def __call__(self, poll):
        asked = asked_of(poll)
        self.asked.append(asked.get("user", asked["type"]))
        match asked["type"]:
            case "clearinghouseState":
                told = self.accounts.get(asked["user"], flat())  # nobody: flat, as the venue says
                told = told.pop(0) if isinstance(told, list) else told
                if isinstance(told, Exception):
                    raise told
                return told if isinstance(told, bytes) else json.dumps(told).encode()
            case "metaAndAssetCtxs":
                meta = {"universe": [{"name": "ETH", "szDecimals": 4}]}
                return json.dumps(
                    [meta, [{"markPx": "3000", "openInterest": self.interest}]]
                ).encode()
            case "leaderboard":
                rows = [{"ethAddress": a, "accountValue": "1"} for a in self.accounts]
                return json.dumps({"leaderboardRows": rows}).encode()
            case "vaults" | "recentTrades":
                return b"[]"
        raise Refused("HTTP 422")

    def about(self, address):
        return self.asked.count(address)


def address(number):
    return f"0x{number:040x}"


def crawled(store, ask, clock=None, addresses=(), **settings):
    """A finished census, run in this process; its clock stands at the end."""
    clock = clock or Hands()
    world = World(clock, no_line, ask, sleep=clock.sleep)
    made = Census(store, ("ETH",), world, CensusSettings(**settings), addresses)
    in_virtual_time(lambda _: made.run())  # no thread works beside a clock that leaps
    return made


def listening(store, ask, dial, enough, **settings):
    """A census with the machine's clock that listens too, stopped as soon as `enough(census)`."""

    def tell(census):
        if enough(census):
            census.stop()

    world = World(SystemClock(), dial, ask)
    made = Census(store, ("ETH",), world, CensusSettings(for_s=60.0, **settings))
    asyncio.run(made.run(tell))
    return made


def rows_of(store, kind="account"):
    return Lake(store).read(kind, "hyperliquid", "ACCOUNTS")
