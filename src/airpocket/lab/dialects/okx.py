"""OKX v5: public and business addresses, chained books, contracts as sizes; venues.md §3.3, November 2026."""

from collections.abc import Sequence
from typing import Any

from airpocket.domain.units import HOUR_NS, SECOND_NS
from airpocket.lab.dialects.contract import Contract
from airpocket.lab.dialects.ledger import Candle, Ledger, View
from airpocket.lab.dialects.okx_state import ROWS, listed, type_of
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
    drained,
    grouped,
    mappings,
    read,
    written,
)

_DEPTH = 400
_JUMP = 7  # ids are shared with other books, so a book's own go in steps
_SILENCE_S = 30.0
_OPERATIONS = 480  # an hour and connection
_PUBLIC = ("trades", "books", "books5", "bbo-tbt", "tickers", "mark-price", "index-tickers", "open-interest",
           "funding-rate", "liquidation-orders", "opt-summary", "instruments", "status")  # fmt: skip
_DERIVED = ("mark-price", "open-interest", "funding-rate")
_ASKED_BY = {
    "liquidation-orders": "instType",
    "instruments": "instType",
    "opt-summary": "instFamily",
}
_Levels = Sequence[tuple[int, ...]]


class Okx(Dialect):
    """All of OKX's contracts in the world. `seqId` equal to its predecessor is a sign of life."""

    hosts = ("ws.okx.com:8443", "ws.okx.com", "www.okx.com")
    manners = Manners(arrivals=3, arrivals_s=1.0, weight=20, weight_s=2.0, pool="okx")

    def __init__(self, name: str, contracts: Sequence[Contract]) -> None:
        super().__init__(name, contracts)
        self.views = {symbol: View(ledger, _DEPTH) for symbol, ledger in self.by_symbol.items()}
        self.last = dict.fromkeys(self.by_symbol, 1_000_000_000)  # seqId told last
        self.flushed = dict.fromkeys(self.by_symbol, 0)
        self.states: dict[str, str] = {}

    def open(self, path: str, query: str, now: int) -> Client | int:
        del query
        routes = {"/ws/v5/public": "public", "/ws/v5/business": "business"}
        return Client(routes[path], now, path, heard_at=now) if path in routes else 404

    def hear(self, client: Client, text: str, now: int) -> list[Said]:
        client.heard_at = now
        if text == "ping":
            return ["pong"]
        said = read(text)
        number = f"{client.opened & 0xFFFFFFFF:08x}"
        operation = said.get("op") if said else None
        args = said.get("args") if said else None
        asked = [{k: str(v) for k, v in each.items()} for each in mappings(args)]
        if operation not in ("subscribe", "unsubscribe") or not asked:
            return [_error("60012", f"Invalid request: {text[:200]}", number)]
        found: list[Said] = []
        for arg in asked:
            found += self._operation(client, operation, arg, (number, now))
        return found

    def tick(self, client: Client, now: int) -> list[Said]:
        """Cut after thirty seconds in which neither side said anything."""
        silent = now - max(client.heard_at, client.sent_at)
        return [Close(4004, "No data received in 30s.")] if silent > _SILENCE_S * SECOND_NS else []

    def farewell(self, now: int) -> str:
        del now
        return written({"event": "notice", "code": "64008", "connId": "a4d3ae55",
                        "msg": "The connection will soon be closed for a service upgrade."})  # fmt: skip

    def speak(self, now: int) -> list[Frame]:
        found: list[Frame] = []
        beats = {
            "tenth": self.due("tenth", MS100, now), "fifth": self.due("fifth", 2 * MS100, now),
            "second": self.due("second", SECOND_NS, now), "ten": self.due("ten", 10 * SECOND_NS, now),
            "three": self.due("three", 3 * SECOND_NS, now), "minute": self.due("minute", 60 * SECOND_NS, now),
        }  # fmt: skip
        for ledger in self.by_symbol.values():
            ledger.turn(now)
            self._trades(found, ledger, now)
            self._quote(found, ledger, now)
            if beats["tenth"]:
                self._books(found, ledger, now, sign_of_life=beats["three"])
                self._state(found, "tickers", ledger, now, always=False)
            if ledger.contract.form != "spot":
                if beats["fifth"]:
                    self._state(found, "mark-price", ledger, now, always=beats["ten"])
                    self._state(found, "index-tickers", ledger, now, always=False)
                if beats["three"]:
                    self._state(found, "open-interest", ledger, now, always=True)
                if beats["minute"]:
                    self._state(found, "funding-rate", ledger, now, always=True)
            self._bars(found, ledger, now, second=beats["second"])
        return found

    def restart(self, now: int) -> list[Frame]:
        """Maintenance: the next message has a `seqId` below its `prevSeqId`, and the chain goes on from it."""
        found: list[Frame] = []
        for symbol, ledger in self.by_symbol.items():
            previous, self.last[symbol] = self.last[symbol], 1_000 + self.last[symbol] % 1_000
            bids, asks = self.views[symbol].step()
            found.append(self._book(ledger, "update", (bids, asks), previous, now))
        return found

    def answer(self, question: Question, now: int) -> Answer:
        name = question.path.removeprefix("/api/v5/")
        if name == "public/time":
            return _told([{"ts": str(self.stamp(now))}])
        if name == "public/instruments":
            return _told(
                [listed(each.contract) for each in self._of_type(question.get("instType"))]
            )
        if name in {"public/liquidation-orders", "public/opt-summary"}:
            return _told([])
        channel = {"public/open-interest": "open-interest", "public/funding-rate": "funding-rate",
                   "public/mark-price": "mark-price", "market/ticker": "tickers", "market/tickers": "tickers",
                   "market/index-tickers": "index-tickers"}.get(name)  # fmt: skip
        asked = question.get("instId")
        ledger = self.by_symbol.get(asked) or (
            self.by_symbol.get(f"{asked}-SWAP") if "index" in name else None
        )
        if name == "market/books" and ledger is not None:
            return _told(
                [self._window(ledger, self.views[asked].sides(), int(question.get("sz", "1")), now)]
            )
        if channel is None:
            return answered({"code": "50404", "msg": "Not found", "data": []}, 404)
        if ledger is None and asked:
            return answered({"code": "51001", "msg": "Instrument ID does not exist", "data": []})
        chosen = [ledger] if ledger else self._of_type(question.get("instType"))
        return _told(
            [row for each in chosen if (row := ROWS[channel](each, self.stamp, now)) is not None]
        )

    # -- subscriptions

    def _operation(
        self, client: Client, operation: str, arg: dict[str, str], at: tuple[str, int]
    ) -> list[Said]:
        number, now = at
        hour = f"operations {now // HOUR_NS}"
        client.notes[hour] = client.notes.get(hour, 0) + 1
        if client.notes[hour] > _OPERATIONS:
            return [_error("60014", "Requests too frequent", number)]
        granted = self._granted(client, arg)
        if granted is None:
            names = ",".join(f"{key}:{arg[key]}" for key in arg)
            return [_error("60018", f"Wrong URL or {names} doesn't exist. Please use the correct URL, channel"
                           " and parameters referring to API document.", number)]  # fmt: skip
        topic = _topic(granted)
        told: list[Said] = [written({"event": operation, "arg": granted, "connId": number})]
        if operation == "unsubscribe":
            self.leave(client, topic)
        elif self.join(client, topic):
            told += self._first(granted, now)
        return told

    def _granted(self, client: Client, arg: dict[str, str]) -> dict[str, str] | None:
        """What is confirmed, which may be less than was asked; None: there is no such thing here."""
        channel, symbol = arg.get("channel", ""), arg.get("instId", "")
        business = channel.startswith("candle")
        if business != (client.route == "business") or not (business or channel in _PUBLIC):
            return None
        if channel == "status":  # speaks of planned maintenance alone
            return {"channel": channel}
        key = _ASKED_BY.get(channel)
        if key is not None:  # names beside it are dropped silently
            return {"channel": channel, key: arg[key]} if arg.get(key) else None
        if channel == "index-tickers":
            return (
                {"channel": channel, "instId": symbol}
                if f"{symbol}-SWAP" in self.by_symbol
                else None
            )
        ledger = self.by_symbol.get(symbol)
        if ledger is None or (channel in _DERIVED and ledger.contract.form == "spot"):
            return None
        if business and channel != "candle1m":
            return None
        return {"channel": channel, "instId": symbol}

    def _first(self, arg: dict[str, str], now: int) -> list[Said]:
        """State channels say where they stand; a book opens with its snapshot."""
        channel, symbol = arg["channel"], arg.get("instId", "")
        if channel == "books":
            ledger = self.by_symbol[symbol]
            return [self._book(ledger, "snapshot", self.views[symbol].sides(), -1, now).text]
        ledger = self.by_symbol.get(f"{symbol}-SWAP" if channel == "index-tickers" else symbol)
        make = ROWS.get(channel)
        if ledger is None or make is None:
            return []
        row = make(ledger, self.stamp, now)
        return [] if row is None else [written({"arg": arg, "data": [row]})]

    # -- frames

    def _trades(self, found: list[Frame], ledger: Ledger, now: int) -> None:
        trades, forced = drained(ledger)
        c = ledger.contract
        arg = {"channel": "trades", "instId": c.symbol}
        if self.wanted(_topic(arg)):
            for group in grouped([one for one in trades if not one.off]):
                lots = sum(abs(one.lots) for one in group)
                row = {
                    "instId": c.symbol, "tradeId": str(group[-1].number), "px": c.price(group[0].tick),
                    "sz": c.size(lots), "side": "buy" if group[0].lots > 0 else "sell",
                    "ts": str(self.stamp(group[0].ts)), "count": str(len(group)), "source": "0",
                    "seqId": self.last[c.symbol],
                }  # fmt: skip
                found.append(Frame(_topic(arg), written({"arg": arg, "data": [row]})))
        for each in forced:
            long = each.lots < 0
            detail = {
                "bkLoss": "0", "bkPx": c.price(each.tick), "ccy": "", "posSide": "long" if long else "short",
                "side": "sell" if long else "buy", "sz": c.size(each.lots), "ts": str(self.stamp(each.ts)),
            }  # fmt: skip
            family = c.symbol.removesuffix("-SWAP")
            data = [{"details": [detail], "instFamily": family, "instId": c.symbol, "instType": "SWAP",
                     "uly": family}]  # fmt: skip
            all_swaps = {"channel": "liquidation-orders", "instType": "SWAP"}
            found.append(Frame(_topic(all_swaps), written({"arg": all_swaps, "data": data})))
        del now

    def _quote(self, found: list[Frame], ledger: Ledger, now: int) -> None:
        best = ledger.best()
        if best == ledger.told or not (best[0] or best[2]):
            return
        ledger.told = best
        c = ledger.contract
        arg = {"channel": "bbo-tbt", "instId": c.symbol}
        if self.wanted(_topic(arg)):
            bids, asks = (
                [(best[0], best[1])] if best[0] else [],
                [(best[2], best[3])] if best[2] else [],
            )
            row = {"asks": _levels(c, asks), "bids": _levels(c, bids), "ts": str(self.stamp(now)),
                   "seqId": self.last[c.symbol]}  # fmt: skip
            found.append(Frame(_topic(arg), written({"arg": arg, "data": [row]})))

    def _books(self, found: list[Frame], ledger: Ledger, now: int, *, sign_of_life: bool) -> None:
        symbol = ledger.contract.symbol
        view = self.views[symbol]
        previous = self.last[symbol]
        if view.stirred:
            bids, asks = view.step()
            if bids or asks:
                self.last[symbol] += _JUMP * max(1, ledger.change - self.flushed[symbol])
                self.flushed[symbol] = ledger.change
                found.append(self._book(ledger, "update", (bids, asks), previous, now))
        elif sign_of_life:
            found.append(self._book(ledger, "update", ((), ()), previous, now))

    def _book(
        self, ledger: Ledger, action: str, sides: tuple[_Levels, _Levels], previous: int, now: int
    ) -> Frame:
        c = ledger.contract
        arg = {"channel": "books", "instId": c.symbol}
        text = (
            f'{{"arg":{{"channel":"books","instId":"{c.symbol}"}},"action":"{action}","data":[{{'
            f'"asks":{_levels_text(c, sides[1])},"bids":{_levels_text(c, sides[0])},"ts":"{self.stamp(now)}",'
            f'"checksum":0,"seqId":{self.last[c.symbol]},"prevSeqId":{previous}}}]}}'
        )
        return Frame(_topic(arg), text, c.symbol)

    def _state(
        self, found: list[Frame], channel: str, ledger: Ledger, now: int, *, always: bool
    ) -> None:
        """On a change of anything but the time, or when its slow beat comes."""
        symbol = ledger.contract.symbol
        if channel == "index-tickers":
            symbol = symbol.removesuffix("-SWAP")
        arg = {"channel": channel, "instId": symbol}
        topic = _topic(arg)
        if not self.wanted(topic):
            return
        row = ROWS[channel](ledger, self.stamp, now)
        if row is None:
            return
        state = written({key: value for key, value in row.items() if key != "ts"})
        if always or self.states.get(topic) != state:
            self.states[topic] = state
            found.append(Frame(topic, written({"arg": arg, "data": [row]})))

    def _bars(self, found: list[Frame], ledger: Ledger, now: int, *, second: bool) -> None:
        del now
        arg = {"channel": "candle1m", "instId": ledger.contract.symbol}
        rows = [self._candle(ledger, k, "1") for k in ledger.closed]
        ledger.closed.clear()
        if second and ledger.candle is not None and ledger.candle.count:
            rows.append(self._candle(ledger, ledger.candle, "0"))
        found += [Frame(_topic(arg), written({"arg": arg, "data": [row]})) for row in rows]

    def _candle(self, ledger: Ledger, k: Candle, confirm: str) -> list[str]:
        """ts, open, high, low, close, vol (contracts; spot: coin), volCcy (coin; spot: quote), volCcyQuote."""
        c = ledger.contract
        volumes = (k.volume, k.usd) if c.form == "spot" else (k.units, k.volume)
        prices = [c.price(tick) for tick in (k.open, k.high, k.low, k.close)]
        return [
            str(self.stamp(k.start)),
            *prices,
            *(f"{v:.8f}" for v in (*volumes, k.usd)),
            confirm,
        ]

    def _window(
        self, ledger: Ledger, sides: tuple[_Levels, _Levels], count: int, now: int
    ) -> dict[str, Any]:
        c = ledger.contract
        return {"asks": _levels(c, sides[1][:count]), "bids": _levels(c, sides[0][:count]),
                "ts": str(self.stamp(now)), "seqId": self.last[c.symbol]}  # fmt: skip

    def _of_type(self, kind: str) -> list[Ledger]:
        return [each for each in self.by_symbol.values() if type_of(each.contract) == kind]


def _topic(arg: dict[str, str]) -> str:
    return "/".join(arg.values())


def _error(code: str, message: str, number: str) -> str:
    return written({"event": "error", "msg": message, "code": code, "connId": number})


def _told(rows: list[Any]) -> Answer:
    return answered({"code": "0", "msg": "", "data": rows})


def _levels(c: Contract, levels: _Levels) -> list[list[str]]:
    return [
        [c.price(level[0]), c.size(level[1]) if level[1] else "0", "0", "1"] for level in levels
    ]


def _levels_text(c: Contract, levels: _Levels) -> str:
    rows = [
        f'["{c.price(one[0])}","{c.size(one[1]) if one[1] else "0"}","0","{1 if one[1] else 0}"]'
        for one in levels
    ]
    return "[" + ",".join(rows) + "]"
