"""Binance: spot, USD-M with its routes, COIN-M, as venues.md §3.1 has them; frames as of November 2026."""

from collections.abc import Sequence
from typing import Any

from airpocket.domain.units import MINUTE_NS, SECOND_NS
from airpocket.lab.dialects.binance_rest import ANSWERS, Teller, pair_of
from airpocket.lab.dialects.contract import Contract
from airpocket.lab.dialects.ledger import Candle, Ledger, Print, View
from airpocket.lab.dialects.speech import (
    MS100,
    Answer,
    Client,
    Close,
    Dialect,
    Frame,
    Manners,
    Question,
    Said,
    answered,
    changed_quote,
    drained,
    grouped,
    read,
    rows_text,
    texts,
    written,
)

# Streams of the USD-M routes since 2026-04-23. The address without a route serves public streams alone,
# whatever it confirms.
_PUBLIC = ("bookTicker", "depth", "rpiDepth", "trade")
_QUARTER_S = SECOND_NS // 4
_HOSTS = {
    "binance_spot": (
        "stream.binance.com:9443",
        "stream.binance.com",
        "data-stream.binance.vision",
        "api.binance.com",
    ),
    "binance_usdm": ("fstream.binance.com", "fapi.binance.com"),
    "binance_coinm": ("dstream.binance.com", "dapi.binance.com"),
}
_SPOT = Manners(
    messages=5, ping_every_s=20.0, pong_within_s=60.0, life_s=86_400.0, arrivals=300, weight=6_000,
    used_header="X-MBX-USED-WEIGHT-1M",
)  # fmt: skip
_FUTURES = Manners(
    messages=10, ping_every_s=180.0, pong_within_s=600.0, life_s=86_400.0, weight=2_400,
    pool="binance_futures", used_header="X-MBX-USED-WEIGHT-1M",
)  # fmt: skip


class Binance(Dialect):
    """One of the three markets."""

    def __init__(self, name: str, contracts: Sequence[Contract]) -> None:
        super().__init__(name, contracts)
        self.hosts = _HOSTS[name]
        self.manners = _SPOT if name == "binance_spot" else _FUTURES
        self.spot = name == "binance_spot"
        self.step = 1 if self.spot else 3  # ids are shared by many symbols of the futures, and jump
        self.family = 2 if name == "binance_coinm" else 1
        self.views = {symbol: View(ledger) for symbol, ledger in self.by_symbol.items()}
        self.base = dict.fromkeys(self.by_symbol, 1_000_000_000)
        self.told = dict.fromkeys(self.by_symbol, 0)  # change number of the last diff

    def open(self, path: str, query: str, now: int) -> Client | int:
        route, _, kind = path.strip("/").rpartition("/")
        if kind != "stream" and "ws" in path.strip("/").split("/"):
            route, _, kind = path.strip("/").partition("ws")
            query, enveloped = f"streams={kind.strip('/')}", False
        elif kind in ("stream", "ws"):
            enveloped = kind == "stream"
        else:
            return 404
        route = route.strip("/")
        if route not in ("", "public", "market") or (route and self.name != "binance_usdm"):
            return 404
        client = Client(route or "all", now, path, enveloped)
        names = query.removeprefix("streams=").split("/") if query.startswith("streams=") else []
        if len(names) > 1_024:
            return 400
        for name in filter(None, names):
            self.join(client, name)
        return client

    def hear(self, client: Client, text: str, now: int) -> list[Said]:
        del now
        said = read(text)
        if said is None:
            return [
                written(
                    {"error": {"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"}}
                )
            ]
        number, names = said.get("id"), texts(said.get("params"))
        if said.get("method") == "SUBSCRIBE":
            if len(client.topics | set(names)) > 1_024:
                return [Close(1008, "too many streams")]
            for name in names:
                self.join(client, name)
            return [written({"result": None, "id": number})]
        if said.get("method") == "UNSUBSCRIBE":
            for name in names:
                self.leave(client, name)
            return [written({"result": None, "id": number})]
        if said.get("method") == "LIST_SUBSCRIPTIONS":
            return [written({"result": sorted(client.topics), "id": number})]
        return [
            written({"error": {"code": 2, "msg": "Invalid request: unknown variant"}, "id": number})
        ]

    def envelope(self, client: Client, frame: Frame, now: int) -> str:
        """'' for a stream of the other route: confirmed, and never sent."""
        del now
        if self.name == "binance_usdm":
            stream = frame.topic.partition("@")[2]
            public = stream.startswith(_PUBLIC)
            if public == (client.route == "market"):
                return ""
        if not client.enveloped:
            return frame.text
        return f'{{"stream":"{frame.topic}","data":{frame.text}}}'

    def farewell(self, now: int) -> str:
        return written({"e": "serverShutdown", "E": self.stamp(now)}) if self.spot else ""

    def speak(self, now: int) -> list[Frame]:
        found: list[Frame] = []
        second, quarter = self.due("second", SECOND_NS, now), self.due("quarter", _QUARTER_S, now)
        third, flush = self.due("third", 3 * SECOND_NS, now), self.due("depth", MS100, now)
        for symbol, ledger in self.by_symbol.items():
            stream = symbol.lower()
            ledger.turn(now)
            self._quote(found, stream, ledger, now)
            self._trades(found, stream, ledger, now)
            if flush and self.views[symbol].stirred:
                text = self._depth(symbol, ledger, now)
                found.append(Frame(f"{stream}@depth@100ms", text, symbol))
            if not self.spot and second and ledger.mark and ledger.rate is not None:
                text = self._mark(ledger, now)
                found.append(Frame(f"{stream}@markPrice@1s", text))
                if third:
                    found.append(Frame(f"{stream}@markPrice", text))
            self._bars(found, stream, ledger, now, quarter)
        return found

    def restart(self, now: int) -> list[Frame]:
        """Ids start somewhere else: the next `pu` is nobody's `u`."""
        del now
        for symbol in self.base:
            self.base[symbol] += 1_000_000
            self.told[symbol] = self.by_symbol[symbol].change
        return []

    def weight(self, question: Question) -> int:
        if not question.path.endswith("/depth"):
            return 1
        limit = int(question.get("limit", "500")) if question.get("limit", "500").isdigit() else 500
        steps = ((100, 5), (500, 25), (1_000, 50)) if self.spot else ((50, 2), (100, 5), (500, 10))
        most = 250 if self.spot else 20
        return next((weight for up_to, weight in steps if limit <= up_to), most)

    def answer(self, question: Question, now: int) -> Answer:
        asked = ANSWERS.get(question.path.rsplit("/", maxsplit=1)[-1])
        if asked is None:
            return answered(
                {
                    "code": -5000,
                    "msg": f"Path {question.path}, Method {question.method} is invalid",
                },
                404,
            )
        ledger = self.by_symbol.get(question.get("symbol"))
        if ledger is None and question.get("symbol"):
            return answered({"code": -1121, "msg": "Invalid symbol."}, 400)
        teller = Teller(
            self.name, self.stamp, self.number, self.manners.weight, list(self.by_symbol.values())
        )
        return asked(teller, ledger, question, now)

    # -- frames

    def number(self, symbol: str, change: int) -> int:
        return self.base[symbol] + self.step * change

    def _quote(self, found: list[Frame], stream: str, ledger: Ledger, now: int) -> None:
        best = changed_quote(ledger)
        if best is None:
            return
        c, at = ledger.contract, self.stamp(now)
        text = (
            f'"s":"{c.symbol}",%s"b":"{c.price(best[0])}","B":"{c.size(best[1])}",'
            f'"a":"{c.price(best[2])}","A":"{c.size(best[3])}"'
        )
        number = self.number(c.symbol, ledger.change)
        if self.spot:
            text = f'{{"u":{number},{text % ""}}}'
        else:
            ps = f'"ps":"{pair_of(c)}",'
            text = f'{{"e":"bookTicker","u":{number},{text % ps},"T":{at},"E":{at},"st":{self.family}}}'
        found.append(Frame(f"{stream}@bookTicker", text))

    def _trades(self, found: list[Frame], stream: str, ledger: Ledger, now: int) -> None:
        trades, forced = drained(ledger)
        at = self.stamp(now)
        if self.wanted(f"{stream}@trade"):
            found += [Frame(f"{stream}@trade", self._trade(ledger.contract, one, at)) for one in trades
                      if not (self.spot and one.off)]  # fmt: skip
        if self.wanted(f"{stream}@aggTrade"):
            on_book = [one for one in trades if not one.off]
            found += [Frame(f"{stream}@aggTrade", self._aggregate(ledger.contract, group, at))
                      for group in grouped(on_book)]  # fmt: skip
        for each in forced:
            c = ledger.contract
            price, size = c.price(each.tick), c.size(each.lots)
            order = {
                "s": c.symbol, "S": "SELL" if each.lots < 0 else "BUY", "o": "LIMIT", "f": "IOC", "q": size,
                "p": price, "ap": price, "X": "FILLED", "l": size, "z": size, "T": self.stamp(each.ts),
                "ps": pair_of(c), "st": self.family,
            }  # fmt: skip
            text = written({"e": "forceOrder", "E": at, "o": order})  # st stands inside
            found += [Frame(f"{stream}@forceOrder", text), Frame("!forceOrder@arr", text)]

    def _trade(self, c: Contract, one: Print, at: int) -> str:
        maker = "true" if one.lots < 0 else "false"
        head = f'{{"e":"trade","E":{at},"T":{self.stamp(one.ts)},"s":"{c.symbol}","t":{one.number},'
        body = f'"p":"{c.price(one.tick)}","q":"{c.size(one.lots)}",'
        if self.spot:
            return f'{head}{body}"m":{maker},"M":true}}'
        return f'{head}{body}"X":"{one.off or "MARKET"}","m":{maker},"st":{self.family}}}'

    def _aggregate(self, c: Contract, group: list[Print], at: int) -> str:
        first, last, lots = group[0], group[-1], sum(abs(one.lots) for one in group)
        whole = {
            "e": "aggTrade", "E": at, "a": first.number, "s": c.symbol, "p": c.price(first.tick),
            "q": c.size(lots), "nq": c.size(lots), "f": first.number, "l": last.number,
            "T": self.stamp(last.ts), "m": first.lots < 0,
        }  # fmt: skip
        if self.spot:
            del whole["nq"]
            return written({**whole, "M": True})
        return written({**whole, "st": self.family})

    def _depth(self, symbol: str, ledger: Ledger, now: int) -> str:
        c, before = ledger.contract, self.told[symbol]
        bids, asks = self.views[symbol].step()
        first = self.number(symbol, before + 1)
        last, previous = self.number(symbol, ledger.change), self.number(symbol, before)
        self.told[symbol] = ledger.change
        at, done = self.stamp(now), self.stamp(ledger.changed_at)
        sides = f'"b":{rows_text(bids, c.price, c.size)},"a":{rows_text(asks, c.price, c.size)}'
        if self.spot:
            return f'{{"e":"depthUpdate","E":{at},"s":"{symbol}","U":{first},"u":{last},{sides}}}'
        return (
            f'{{"e":"depthUpdate","E":{at},"T":{done},"s":"{symbol}","ps":"{pair_of(c)}","U":{first},'
            f'"u":{last},"pu":{previous},{sides},"st":{self.family}}}'
        )

    def _mark(self, ledger: Ledger, now: int) -> str:
        c = ledger.contract
        return written({
            "e": "markPriceUpdate", "E": self.stamp(now // SECOND_NS * SECOND_NS), "s": c.symbol,
            "p": c.fine(ledger.mark), "ap": c.fine(ledger.mark), "P": c.fine(ledger.index),
            "i": c.fine(ledger.index), "r": f"{(ledger.rate or 0) / 1e9:.8f}", "T": self.stamp(ledger.pays_at),
            "st": self.family,
        })  # fmt: skip

    def _bars(self, found: list[Frame], stream: str, ledger: Ledger, now: int, beat: bool) -> None:
        for candle in ledger.closed:
            found.append(Frame(f"{stream}@kline_1m", self._kline(ledger, candle, now, closed=True)))
        ledger.closed.clear()
        if (
            beat
            and ledger.candle is not None
            and ledger.candle.count
            and self.wanted(f"{stream}@kline_1m")
        ):
            text = self._kline(ledger, ledger.candle, now, closed=False)
            found.append(Frame(f"{stream}@kline_1m", text))

    def _kline(self, ledger: Ledger, k: Candle, now: int, *, closed: bool) -> str:
        c = ledger.contract
        ends = self.stamp(k.start + MINUTE_NS - 1_000_000)
        amounts = (
            k.units,
            k.volume,
            k.bought_units,
            k.bought,
        )  # COIN-M counts contracts and tells coin beside
        if c.form != "inverse":
            amounts = (k.volume, k.usd, k.bought, k.bought_usd)
        texts = [f"{amount:.8f}" for amount in amounts]
        bar = {
            "t": self.stamp(k.start), "T": ends, "s": c.symbol, "i": "1m", "f": k.first, "L": k.last,
            "o": c.price(k.open), "c": c.price(k.close), "h": c.price(k.high), "l": c.price(k.low),
            "v": texts[0], "n": k.count, "x": closed, "q": texts[1], "V": texts[2], "Q": texts[3], "B": "0",
        }  # fmt: skip
        whole: dict[str, Any] = {"e": "kline", "E": self.stamp(now), "s": c.symbol, "k": bar}
        return written(whole if self.spot else {**whole, "st": self.family})
