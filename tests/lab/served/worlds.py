"""Small worlds with every venue, made from the example's own sections; and a listener that plays the adapters."""

import copy
from collections import defaultdict
from pathlib import Path
from urllib.parse import urlsplit

from airpocket.domain.instruments import instrument
from airpocket.domain.units import SECOND_NS
from airpocket.ingest.venues.registry import FEEDS, VENUES
from airpocket.lab.dialects.speech import Close, Question
from airpocket.lab.runs.worldcheck import check
from airpocket.lab.runs.worldfile import decoded, raw_world
from airpocket.lab.server.house import House
from airpocket.market.live.state import LiveState

BASE = Path(__file__).resolve().parents[3] / "examples" / "worlds" / "four_venues.toml"
WIRE = 1_790_000_034 * SECOND_NS  # the wire's clock at the start: 54 s into a minute
TIERS = [{"from_usd": 0.0, "maintenance_percent": 0.5}]
# name, rules, kind, lot
FIRST = (
    ("sim_coinbase", "spot", "spot", 0.001), ("sim_okx", "okx", "linear", 0.001),
    ("sim_deribit", "deribit", "inverse", 1.0), ("sim_coinm", "binance_coinm", "inverse", 10.0),
)  # fmt: skip
SECOND = (
    ("sim_bybit_spot", "spot", "spot", 0.001), ("sim_okx_spot", "spot", "spot", 0.001),
    ("sim_bybit_inverse", "bybit_inverse", "inverse", 1.0), ("sim_okx_inverse", "okx", "inverse", 10.0),
    ("sim_deribit_linear", "deribit", "linear", 0.001),
)  # fmt: skip


def world(more=FIRST, *, without=(), flow=0.0, halted=None, leverage=50.0):
    """Spot, Binance, Bybit, Hyperliquid and the venues of `more`; flow: market orders, million USD a minute."""
    raw = copy.deepcopy(raw_world(BASE))
    by_name = {venue["name"]: venue for venue in raw["venue"]}
    for name, rules, kind, lot in more:
        like = copy.deepcopy(by_name["sim_spot" if kind == "spot" else "sim_bybit"])
        like.pop("informed", None)
        like |= {"name": name, "rules": rules, "kind": kind, "lot": lot}
        if kind != "spot":
            like |= {"tiers": TIERS, "max_leverage_x": 50.0}
        by_name[name] = like
    raw["venue"] = [venue for name, venue in by_name.items() if name not in without]
    for venue in raw["venue"]:
        if "traders" in venue:
            mix = min(leverage, venue["max_leverage_x"])
            venue["traders"] |= {
                "count": 60,
                "leverage": [[mix, 1.0]],
                "long_entry_percent": [-0.5, 1.5],
            }
    names = {venue["name"] for venue in raw["venue"]}
    raw["arbitrage"] = [pair for pair in raw["arbitrage"] if set(pair["between"]) <= names]
    phase = {"from_h": 0.0, "flow_usd_m_per_min": flow}
    raw["phase"] = [phase] if halted is None else [phase, *halted]
    made = decoded("test", raw)
    check("test", made)
    return made


class Listener:
    """The shipped feeds of a house's venues: subscribes as they do, decodes with the shipped decoders."""

    def __init__(self, house, venues=()):
        self.house, self.state = house, LiveState("ETH")
        self.events = defaultdict(list)
        self.frames = defaultdict(list)
        self.clients = {}
        symbols = defaultdict(list)
        for contract in house.contracts:
            symbols[contract.venue].append(contract.symbol)
        self.feeds = {
            v: FEEDS[v](tuple(s)) for v, s in symbols.items() if not venues or v in venues
        }

    def subscribe(self):
        for venue, feed in self.feeds.items():
            dialect = self.house.dialects[venue]
            for number, socket in enumerate(feed.sockets):
                parts = urlsplit(socket.url)
                assert parts.netloc in dialect.hosts
                client = dialect.open(parts.path, parts.query, self.house.now)
                name = f"{socket.route}#{number}"
                self.clients[venue, name] = client
                for text in socket.hello:
                    self.take(venue, name, dialect.hear(client, text, self.house.now))

    def take(self, venue, name, said):
        for text in said:
            assert not isinstance(text, Close), text
            self.frames[venue].append(text)
            self.decode(venue, name, text.encode(), "")

    def decode(self, venue, name, body, address):
        for event in VENUES[venue].decode(body, self.house.now, address):
            self.events[venue].append(event)
            self.state.apply(event, name)

    def ask(self, venue, poll):
        parts = urlsplit(poll.url)
        dialect = self.house.dialects[venue]
        question = Question(
            "POST" if poll.body else "GET", parts.path, parts.query, poll.body.encode()
        )
        answer = dialect.answer(question, self.house.now)
        assert answer.status == 200, (poll, answer)
        self.decode(venue, "rest #1", answer.body, poll.address)

    def run(self, seconds, on_slice=None):
        """Let the wire go on; snapshots are asked for where a book wants one."""
        for told in self.house.until(self.house.now + round(seconds * SECOND_NS)):
            if told.venue not in self.feeds:
                continue
            dialect = self.house.dialects[told.venue]
            shown = set()
            for frame in told.frames:
                for (venue, name), client in list(self.clients.items()):
                    if venue == told.venue and frame.topic in client.topics:
                        text = dialect.envelope(client, frame, told.now)
                        if text:
                            self.take(venue, name, [text])
                            shown.add(frame.book)
            for key in self.state.wanting():
                if key[0] == told.venue and key[1] in self.feeds[key[0]].snapshots:
                    self.ask(key[0], self.feeds[key[0]].snapshots[key[1]])
            if on_slice is not None:
                on_slice(told, shown - {""})

    def book(self, venue):
        """The recorder's books of a venue by symbol."""
        return {
            symbol: m.book for (whose, symbol), m in self.state.markets.items() if whose == venue
        }

    def of(self, venue, kind):
        return [e for e in self.events[venue] if e.__struct_config__.tag == kind]


def began(house):
    house.begin(WIRE)
    return house


def opened(world_, seed=1, speed=1.0, **more):
    return began(House(world_, seed, speed, **more))


def coin_of(contract, lots, tick):
    """What a size is in coin, by the contract's own terms."""
    return (
        abs(lots) * contract.lot / (tick * contract.tick_usd if contract.form == "inverse" else 1.0)
    )


def base_of(venue, symbol):
    return instrument(venue, symbol).base
