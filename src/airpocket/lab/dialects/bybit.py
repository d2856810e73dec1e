"""Bybit v5 public markets (linear, inverse, spot), as venues.md §3.2 has them; frames as of November 2026."""

from collections.abc import Callable, Sequence
from typing import Any

from airpocket.domain.units import HOUR_NS, MINUTE_NS, SECOND_NS
from airpocket.lab.dialects.contract import Contract
from airpocket.lab.dialects.ledger import Candle, Ledger, Level, Print, View
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
    read,
    rows_text,
    texts,
    written,
)

_FAMILY = {"bybit_linear": "linear", "bybit_inverse": "inverse", "bybit_spot": "spot"}
_DEPTHS = {
    1: SECOND_NS // 100,
    50: SECOND_NS // 50,
    200: MS100,
    1_000: 2 * MS100,
}  # as told → how often
_MOST_ARGS = 21_000  # characters of a connection
_SPOT_TOPICS = 10  # a request
_IDLE_S = 600.0


class Bybit(Dialect):
    """One category. A book's `u` counts its messages; a snapshot opens each subscription."""

    hosts = ("stream.bybit.com", "api.bybit.com", "api.bytick.com")
    manners = Manners(arrivals=500, weight=600, weight_s=5.0, pool="bybit", over_limit=403)

    def __init__(self, name: str, contracts: Sequence[Contract]) -> None:
        super().__init__(name, contracts)
        self.family = _FAMILY[name]
        self.views = {
            (symbol, depth): View(ledger, depth)
            for symbol, ledger in self.by_symbol.items() for depth in _DEPTHS
        }  # fmt: skip
        self.counts = dict.fromkeys(
            self.views, 1_000
        )  # `u`: 1 would say that the service was restarted
        self.ticks: dict[str, dict[str, str]] = {symbol: {} for symbol in self.by_symbol}

    def open(self, path: str, query: str, now: int) -> Client | int:
        del query
        return (
            Client(self.family, now, path, heard_at=now)
            if path == f"/v5/public/{self.family}"
            else 404
        )

    def hear(self, client: Client, text: str, now: int) -> list[Said]:
        client.heard_at = now
        said = read(text) or {}
        operation = said.get("op")
        told = {
            "conn_id": f"{client.opened:x}",
            "req_id": str(said.get("req_id", "")),
            "op": str(operation),
        }
        if operation == "ping":
            return [written({"success": True, "ret_msg": "pong", **told})]
        topics = texts(said.get("args"))
        if operation not in ("subscribe", "unsubscribe") or not topics:
            return [written({"success": False, "ret_msg": "error:Invalid op", **told})]
        wrong = self._wrong(client, topics, text)
        if wrong:
            return [written({"success": False, "ret_msg": wrong, **told})]
        answer: list[Said] = [written({"success": True, "ret_msg": "", **told})]
        for topic in topics:
            if operation == "unsubscribe":
                self.leave(client, topic)
            elif self.join(client, topic):
                answer += self._first(topic, now)
        return answer

    def tick(self, client: Client, now: int) -> list[Said]:
        return [Close(1000, "no ping")] if now - client.heard_at > _IDLE_S * SECOND_NS else []

    def speak(self, now: int) -> list[Frame]:
        found: list[Frame] = []
        second, quick = self.due("second", SECOND_NS, now), self.due("tickers", MS100, now)
        half = self.due("forced", SECOND_NS // 2, now)
        flushes = {depth: self.due(f"book {depth}", every, now) for depth, every in _DEPTHS.items()}
        for symbol, ledger in self.by_symbol.items():
            ledger.turn(now)
            self._trades(found, ledger, now, half)
            for depth, flush in flushes.items():
                topic = f"orderbook.{depth}.{symbol}"
                if flush and self.views[symbol, depth].stirred:
                    frame = self._delta(symbol, depth, topic, now)
                    if frame is not None:
                        found.append(frame)
            if quick:
                self._ticker(found, ledger, now)
            for candle in ledger.closed:
                found.append(self._kline(ledger, candle, now, closed=True))
            ledger.closed.clear()
            if second and ledger.candle is not None and ledger.candle.count:
                found.append(self._kline(ledger, ledger.candle, now, closed=False))
        return found

    def restart(self, now: int) -> list[Frame]:
        """`u` 1: the service was restarted, the snapshot replaces what was known."""
        found: list[Frame] = []
        for symbol, depth in self.views:
            self.views[symbol, depth].step()
            self.counts[symbol, depth] = 1
            topic = f"orderbook.{depth}.{symbol}"
            found.append(Frame(topic, self._snapshot(symbol, depth, topic, now)))
        return found

    def answer(self, question: Question, now: int) -> Answer:
        name = question.path.rsplit("/", maxsplit=1)[-1]
        if name == "time":
            return self._told({"timeSecond": str(now // SECOND_NS), "timeNano": str(now)}, now)
        if question.get("category", self.family) != self.family:
            return answered(
                {"retCode": 10001, "retMsg": "category"}, 404
            )  # another dialect's question
        asked = question.get("symbol")
        chosen = [each for symbol, each in self.by_symbol.items() if asked in ("", symbol)]
        if name == "orderbook" and chosen:
            return self._told(self._whole(chosen[0], now), now)
        rows = {
            "tickers": self._state_row,
            "instruments-info": self._listed_row,
            "open-interest": self._interest_row,
        }
        make = rows.get(name)
        if make is None or (asked and not chosen):
            body = {
                "retCode": 10001,
                "retMsg": "params error: symbol invalid",
                "result": dict[str, str](),
                "time": now // 1_000_000,
            }
            return answered(body, 404 if make is None else 200)
        return self._told(
            {"category": self.family, "list": [make(each, now) for each in chosen]}, now
        )

    # -- frames

    def _wrong(self, client: Client, topics: list[str], text: str) -> str:
        client.count += len(text)
        if client.count > _MOST_ARGS:
            return "error:args of a connection may not exceed 21000 characters"
        if self.family == "spot" and len(topics) > _SPOT_TOPICS:
            return "error:args size >10"
        for topic in topics:
            head, _, symbol = topic.rpartition(".")
            known = head in ("publicTrade", "tickers", "kline.1") or head in _BOOKS
            known = known or (head == "allLiquidation" and self.family != "spot")
            if not known or symbol not in self.by_symbol:
                return f"error:handler not found,topic:{topic}"
        return ""

    def _first(self, topic: str, now: int) -> list[Said]:
        head, _, symbol = topic.rpartition(".")
        if head in _BOOKS:
            return [self._snapshot(symbol, _BOOKS[head], topic, now)]
        if head == "tickers" and self.ticks[symbol]:
            return [self._tick_text(symbol, self.ticks[symbol], "snapshot", now)]
        return []

    def _trades(self, found: list[Frame], ledger: Ledger, now: int, half: bool) -> None:
        waiting = ledger.forced
        trades, _ = drained(ledger)
        ledger.forced = waiting
        on_book = [one for one in trades if not one.off]
        topic = f"publicTrade.{ledger.contract.symbol}"
        if on_book and self.wanted(topic):
            rows = ",".join(self._trade(ledger.contract, one) for one in on_book)
            text = f'{{"topic":"{topic}","type":"snapshot","ts":{self.stamp(now)},"data":[{rows}]}}'
            found.append(Frame(topic, text))
        if half and ledger.forced:
            found.append(self._forced(ledger, now))
            ledger.forced = []

    def _trade(self, c: Contract, one: Print) -> str:
        side = "Buy" if one.lots > 0 else "Sell"
        return (
            f'{{"T":{self.stamp(one.ts)},"s":"{c.symbol}","S":"{side}","v":"{c.size(one.lots)}",'
            f'"p":"{c.price(one.tick)}","L":"ZeroPlusTick","i":"{_uuid(c, one.number)}","BT":false,"RPI":false}}'
        )

    def _forced(self, ledger: Ledger, now: int) -> Frame:
        """S is the position's side: a long that is sold out reads Buy."""
        c = ledger.contract
        topic = f"allLiquidation.{c.symbol}"
        rows = [
            {"T": self.stamp(each.ts), "s": c.symbol, "S": "Buy" if each.lots < 0 else "Sell",
             "v": c.size(each.lots), "p": c.price(each.tick)}
            for each in ledger.forced
        ]  # fmt: skip
        return Frame(
            topic,
            written({"topic": topic, "type": "snapshot", "ts": self.stamp(now), "data": rows}),
        )

    def _delta(self, symbol: str, depth: int, topic: str, now: int) -> Frame | None:
        view, ledger = self.views[symbol, depth], self.by_symbol[symbol]
        bids, asks = view.step()
        if not bids and not asks:
            return None
        self.counts[symbol, depth] += 1
        return Frame(topic, self._book(ledger, depth, (topic, "delta"), (bids, asks), now), symbol)

    def _snapshot(self, symbol: str, depth: int, topic: str, now: int) -> str:
        view, ledger = self.views[symbol, depth], self.by_symbol[symbol]
        return self._book(ledger, depth, (topic, "snapshot"), view.sides(), now)

    def _book(
        self, ledger: Ledger, depth: int, kind: tuple[str, str],
        sides: tuple[Sequence[Level | tuple[int, int]], Sequence[Level | tuple[int, int]]], now: int,
    ) -> str:  # fmt: skip
        c = ledger.contract
        bids, asks = rows_text(sides[0], c.price, _size(c)), rows_text(sides[1], c.price, _size(c))
        count = self.counts[c.symbol, depth]
        return (
            f'{{"topic":"{kind[0]}","type":"{kind[1]}","ts":{self.stamp(now)},"data":{{"s":"{c.symbol}","b":{bids},'
            f'"a":{asks},"u":{count},"seq":{9_000_000_000 + ledger.change}}},"cts":'
            f"{self.stamp(ledger.changed_at)}}}"
        )

    def _whole(self, ledger: Ledger, now: int) -> dict[str, Any]:
        c, view = ledger.contract, self.views[ledger.contract.symbol, 200]
        bids, asks = view.sides()
        return {
            "s": c.symbol, "b": [[c.price(tick), c.size(lots)] for tick, lots in bids],
            "a": [[c.price(tick), c.size(lots)] for tick, lots in asks], "ts": self.stamp(now),
            "u": self.counts[c.symbol, 200], "seq": 9_000_000_000 + ledger.change,
            "cts": self.stamp(ledger.changed_at),
        }  # fmt: skip

    def _ticker(self, found: list[Frame], ledger: Ledger, now: int) -> None:
        """Only what changed; the first is whole."""
        symbol, fresh = ledger.contract.symbol, self._fields(ledger)
        before = self.ticks[symbol]
        changed = {name: text for name, text in fresh.items() if before.get(name) != text}
        if not changed:
            return
        self.ticks[symbol] = fresh
        if self.family == "spot":
            found.append(
                Frame(f"tickers.{symbol}", self._tick_text(symbol, fresh, "snapshot", now))
            )
        elif before:
            found.append(Frame(f"tickers.{symbol}", self._tick_text(symbol, changed, "delta", now)))
        else:
            found.append(
                Frame(f"tickers.{symbol}", self._tick_text(symbol, fresh, "snapshot", now))
            )

    def _tick_text(self, symbol: str, fields: dict[str, str], kind: str, now: int) -> str:
        cross = self.by_symbol[symbol].change
        return written({"topic": f"tickers.{symbol}", "type": kind, "data": {"symbol": symbol, **fields},
                        "cs": cross, "ts": self.stamp(now)})  # fmt: skip

    def _fields(self, ledger: Ledger) -> dict[str, str]:
        c = ledger.contract
        bid, bid_lots, ask, ask_lots = ledger.best()
        found: dict[str, str] = {}
        if ledger.last:
            found["lastPrice"] = c.price(ledger.last)
        if self.family == "spot":
            return found
        if ledger.mark:
            found |= {
                "markPrice": c.price(ledger.mark / 1_000),
                "indexPrice": c.price(ledger.index / 1_000),
            }
        if ledger.interest is not None and ledger.mark:
            mark = ledger.mark * c.tick_usd / 1_000
            held = c.units(ledger.interest)
            value = held / mark if c.form == "inverse" else held * mark
            found |= {"openInterest": c.size(ledger.interest), "openInterestValue": f"{value:.2f}"}
        if ledger.rate is not None:
            found |= {"fundingRate": f"{ledger.rate / 1e9:.9f}", "nextFundingTime": str(self.stamp(ledger.pays_at)),
                      "fundingIntervalHour": f"{c.funding_h:g}"}  # fmt: skip
        if bid and ask:
            found |= {"bid1Price": c.price(bid), "bid1Size": c.size(bid_lots), "ask1Price": c.price(ask),
                      "ask1Size": c.size(ask_lots)}  # fmt: skip
        return found

    def _kline(self, ledger: Ledger, k: Candle, now: int, *, closed: bool) -> Frame:
        c = ledger.contract
        topic, inverse = f"kline.1.{c.symbol}", c.form == "inverse"
        volume, turnover = (k.units, k.volume) if inverse else (k.volume, k.usd)
        bar = {
            "start": self.stamp(k.start), "end": self.stamp(k.start + MINUTE_NS - 1_000_000), "interval": "1",
            "open": c.price(k.open), "close": c.price(k.close), "high": c.price(k.high), "low": c.price(k.low),
            "volume": f"{volume:.8f}", "turnover": f"{turnover:.8f}", "confirm": closed,
            "timestamp": self.stamp(now),
        }  # fmt: skip
        return Frame(
            topic,
            written({"topic": topic, "data": [bar], "ts": self.stamp(now), "type": "snapshot"}),
        )

    # -- answers

    def _told(self, result: dict[str, Any], now: int) -> Answer:
        return answered(
            {
                "retCode": 0,
                "retMsg": "OK",
                "result": result,
                "retExtInfo": {},
                "time": self.stamp(now),
            }
        )

    def _state_row(self, ledger: Ledger, now: int) -> dict[str, Any]:
        del now
        return {"symbol": ledger.contract.symbol, **self._fields(ledger)}

    def _interest_row(self, ledger: Ledger, now: int) -> dict[str, Any]:
        c = ledger.contract
        held = "" if ledger.interest is None else c.size(ledger.interest)
        return {"openInterest": held, "timestamp": str(self.stamp(now))}

    def _listed_row(self, ledger: Ledger, now: int) -> dict[str, Any]:
        del now
        c = ledger.contract
        kind = {"linear": "LinearPerpetual", "inverse": "InversePerpetual", "spot": ""}[c.form]
        row: dict[str, Any] = {
            "symbol": c.symbol, "status": "Trading", "baseCoin": c.base,
            "quoteCoin": "USD" if c.form == "inverse" else "USDT", "priceFilter": {"tickSize": c.price(1)},
            "lotSizeFilter": {"qtyStep": c.size(1)},
        }  # fmt: skip
        if kind:
            row |= {"contractType": kind, "fundingInterval": round(c.funding_h * HOUR_NS / MINUTE_NS),
                    "leverageFilter": {"maxLeverage": f"{c.max_leverage:.2f}"}}  # fmt: skip
        return row


_BOOKS = {f"orderbook.{depth}": depth for depth in _DEPTHS}


def _size(c: Contract) -> Callable[[int], str]:
    """A level that is gone is written as 0."""
    return lambda lots: c.size(lots) if lots else "0"


def _uuid(c: Contract, number: int) -> str:
    """An id as Bybit writes them; the number stands in its last group."""
    return f"00000000-0000-5000-8{c.book:03d}-{number:012d}"
