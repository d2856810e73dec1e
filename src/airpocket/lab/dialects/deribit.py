"""Deribit v2: JSON-RPC, chained full-depth books, liquidations among the trades; venues.md §3.4, November 2026."""

from collections.abc import Sequence
from typing import Any

from airpocket.domain.units import SECOND_NS
from airpocket.lab.dialects.contract import Contract
from airpocket.lab.dialects.ledger import Ledger, Level, Print, View
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
    mapping,
    read,
    texts,
    written,
)
from airpocket.lab.exchange import journal
from airpocket.lab.smile import Quote

_JUMP = 4_099  # a change id is shared by many instruments
_CREDITS, _REFILL, _COST = 30_000, 10_000, {"public/subscribe": 3_000, "public/unsubscribe": 3_000}
_IDLE_S, _ANSWER_S = 60, 10


class Deribit(Dialect):
    """Perpetuals of the world, with a chain of options that follows their index."""

    hosts = ("www.deribit.com",)
    manners = Manners(at_once=32, weight=20, weight_s=1.0)

    def __init__(self, name: str, contracts: Sequence[Contract]) -> None:
        super().__init__(name, contracts)
        self.views = {symbol: View(ledger) for symbol, ledger in self.by_symbol.items()}
        self.last = dict.fromkeys(self.by_symbol, 100_000_000_000)
        self.flushed = dict.fromkeys(self.by_symbol, 0)
        self.states: dict[str, str] = {}

    def open(self, path: str, query: str, now: int) -> Client | int:
        del query
        return Client("public", now, path, heard_at=now) if path == "/ws/api/v2" else 404

    def hear(self, client: Client, text: str, now: int) -> list[Said]:
        client.heard_at = now
        said = read(text)
        if said is None:
            return [_error(None, -32700, "Parse error", now)]
        number, method, params = (
            said.get("id"),
            str(said.get("method")),
            mapping(said.get("params")),
        )
        if not self._affords(client, method, now):
            return [
                _error(number, 10028, "too_many_requests", now),
                Close(4002, "too_many_requests"),
            ]
        if method == "public/set_heartbeat":
            interval = params.get("interval")
            if not isinstance(interval, int) or interval < 10:
                return [_error(number, -32602, "Invalid params", now)]
            client.notes["heartbeat"], client.notes["beat_at"] = interval, now
            return [_result(number, "ok", now)]
        if method == "public/test":
            client.notes.pop("asked_at", None)
            return [_result(number, {"version": "1.2.26"}, now)]
        if method in ("public/subscribe", "public/unsubscribe"):
            return self._operation(client, method, (number, texts(params.get("channels"))), now)
        return [_error(number, -32601, "Method not found", now)]

    def tick(self, client: Client, now: int) -> list[Said]:
        """A test each interval; who does not answer it in ten seconds is cut, as who is idle without it."""
        interval = client.notes.get("heartbeat", 0)
        if not interval:
            return [Close(1000, "idle")] if now - client.heard_at > _IDLE_S * SECOND_NS else []
        asked = client.notes.get("asked_at")
        if asked is not None:
            return [Close(4000, "heartbeat")] if now - asked > _ANSWER_S * SECOND_NS else []
        if now - client.notes["beat_at"] < interval * SECOND_NS:
            return []
        client.notes["beat_at"] = client.notes["asked_at"] = now
        return ['{"params":{"type":"test_request"},"method":"heartbeat","jsonrpc":"2.0"}']

    def speak(self, now: int) -> list[Frame]:
        found: list[Frame] = []
        tenth, second = self.due("tenth", MS100, now), self.due("second", SECOND_NS, now)
        for symbol, ledger in self.by_symbol.items():
            ledger.closed.clear()
            if tenth:
                self._trades(found, ledger, now)
                if self.views[symbol].stirred:
                    frame = self._change(ledger, now)
                    if frame is not None:
                        found.append(frame)
                self._ticker(found, ledger, now)
            if second and symbol.endswith("-PERPETUAL") and ledger.index:
                found.append(self._volatility(ledger, now))
        return found

    def restart(self, now: int) -> list[Frame]:
        """Ids start elsewhere without a snapshot: the next change names a predecessor nobody has."""
        del now
        for symbol in self.last:
            self.last[symbol] += 1_000_003
        return []

    def answer(self, question: Question, now: int) -> Answer:
        name = question.path.rsplit("/", maxsplit=1)[-1]
        coin, kind = question.get("currency"), question.get("kind")
        ledger = self.by_symbol.get(question.get("instrument_name"))
        if name == "get_time":
            return answered(_body(self.stamp(now), now))
        if name == "get_book_summary_by_currency":
            return answered(_body(self._summaries(coin, kind, now), now))
        if name == "get_instruments":
            rows = [
                self._listed(each.contract)
                for each in self.by_symbol.values()
                if coin in ("any", each.contract.base)
            ]
            return answered(_body(rows if kind in ("", "future") else [], now))
        if name in ("ticker", "get_order_book"):
            if ledger is None:
                body = {
                    "jsonrpc": "2.0",
                    "error": {"code": 13020, "message": "instrument_not_found"},
                }
                return answered({**body, **_times(now)}, 400)
            found = self._state(ledger, now)
            if name == "get_order_book":
                found |= self._window(ledger, int(question.get("depth", "5")))
            return answered(_body(found, now))
        body = {"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}}
        return answered({**body, **_times(now)}, 404)

    # -- subscriptions

    def _affords(self, client: Client, method: str, now: int) -> bool:
        notes = client.notes
        since = (now - notes.get("credits_at", now)) / SECOND_NS
        left = min(_CREDITS, notes.get("credits", _CREDITS) + round(since * _REFILL))
        notes["credits"], notes["credits_at"] = left - _COST.get(method, 500), now
        return notes["credits"] >= 0

    def _operation(
        self, client: Client, method: str, asked: tuple[object, list[str]], now: int
    ) -> list[Said]:
        """What is not there is missing from the result, without an error."""
        number, names = asked
        if len(names) > 500:
            return [_error(number, -32602, "Invalid params", now)]
        if any(name.startswith("book.") and name.endswith(".raw") for name in names):
            return [_error(number, 13778, "raw_subscriptions_not_available_for_unauthorized", now)]
        known = [name for name in names if self._known(name)]
        told: list[Said] = [_result(number, known, now)]
        for name in known:
            if method == "public/unsubscribe":
                self.leave(client, name)
            elif self.join(client, name):
                told += self._first(name, now)
        return told

    def _known(self, name: str) -> bool:
        family, _, rest = name.partition(".")
        symbol, _, interval = rest.partition(".")
        if name == "platform_state":
            return True
        if family == "deribit_volatility_index":
            return any(
                rest == f"{each.contract.base.lower()}_usd" for each in self.by_symbol.values()
            )
        return (
            family in ("book", "ticker", "trades")
            and symbol in self.by_symbol
            and interval == "100ms"
        )

    def _first(self, name: str, now: int) -> list[Said]:
        family, _, rest = name.partition(".")
        ledger = self.by_symbol.get(rest.partition(".")[0])
        if ledger is None:
            return []
        if family == "book":
            return [self._snapshot(ledger, now)]
        if family == "ticker" and ledger.mark:
            return [_notice(name, written(self._state(ledger, now)))]
        return []

    # -- frames

    def _trades(self, found: list[Frame], ledger: Ledger, now: int) -> None:
        del now
        trades, _ = drained(ledger)
        channel = f"trades.{ledger.contract.symbol}.100ms"
        on_book = [one for one in trades if not one.off]
        if on_book and self.wanted(channel):
            rows = [self._trade(ledger, one) for one in on_book]
            found.append(Frame(channel, _notice(channel, written(rows))))

    def _trade(self, ledger: Ledger, one: Print) -> dict[str, Any]:
        """The taker of a forced order is the one who is liquidated: T."""
        c = ledger.contract
        row: dict[str, Any] = {
            "timestamp": self.stamp(one.ts), "price": c.usd(one.tick), "amount": c.units(one.lots),
            "direction": "buy" if one.lots > 0 else "sell", "index_price": c.usd(ledger.index / 1_000),
            "instrument_name": c.symbol, "trade_seq": one.number, "mark_price": c.usd(ledger.mark / 1_000),
            "tick_direction": 0, "contracts": c.units(one.lots), "trade_id": str(one.number),
        }  # fmt: skip
        if one.cause == journal.LIQUIDATION:
            row["liquidation"] = "T"
        return row

    def _change(self, ledger: Ledger, now: int) -> Frame | None:
        c = ledger.contract
        bids, asks = self.views[c.symbol].step()
        if not bids and not asks:
            return None
        before = self.last[c.symbol]
        self.last[c.symbol] = before + _JUMP * max(1, ledger.change - self.flushed[c.symbol])
        self.flushed[c.symbol] = ledger.change
        channel = f"book.{c.symbol}.100ms"
        data = (
            f'{{"timestamp":{self.stamp(now)},"type":"change","change_id":{self.last[c.symbol]},"instrument_name":'
            f'"{c.symbol}","bids":{_entries(c, bids)},"asks":{_entries(c, asks)},"prev_change_id":{before}}}'
        )
        return Frame(channel, _notice(channel, data), c.symbol)

    def _snapshot(self, ledger: Ledger, now: int) -> str:
        c = ledger.contract
        bids, asks = ([["new", c.usd(tick), c.units(lots)] for tick, lots in side]
                      for side in self.views[c.symbol].sides())  # fmt: skip
        data = {"timestamp": self.stamp(now), "type": "snapshot", "change_id": self.last[c.symbol],
                "instrument_name": c.symbol, "bids": bids, "asks": asks}  # fmt: skip
        return _notice(f"book.{c.symbol}.100ms", written(data))

    def _ticker(self, found: list[Frame], ledger: Ledger, now: int) -> None:
        channel = f"ticker.{ledger.contract.symbol}.100ms"
        if not self.wanted(channel) or not ledger.mark:
            return
        state = self._state(ledger, now)
        text = written({key: value for key, value in state.items() if key != "timestamp"})
        if self.states.get(channel) != text or self.due(f"{channel} alive", SECOND_NS, now):
            self.states[channel] = text
            found.append(Frame(channel, _notice(channel, written(state))))

    def _state(self, ledger: Ledger, now: int) -> dict[str, Any]:
        c = ledger.contract
        bid, bid_lots, ask, ask_lots = ledger.best()
        mark, index = c.usd(ledger.mark / 1_000), c.usd(ledger.index / 1_000)
        found: dict[str, Any] = {
            "timestamp": self.stamp(now), "state": "open", "index_price": index, "instrument_name": c.symbol,
            "last_price": c.usd(ledger.last) if ledger.last else None, "settlement_price": index,
            "min_price": round(mark * 0.985, 2), "max_price": round(mark * 1.015, 2), "mark_price": mark,
            "interest_value": 0.0, "estimated_delivery_price": index, "best_ask_price": c.usd(ask),
            "best_bid_price": c.usd(bid), "best_ask_amount": c.units(ask_lots),
            "best_bid_amount": c.units(bid_lots), "funding_8h": sum(ledger.paid) / 1e9,
        }  # fmt: skip
        if ledger.interest is not None:
            found["open_interest"] = c.units(ledger.interest)
        if ledger.rate is not None:  # of a minute → of eight hours
            found["current_funding"] = ledger.rate / 1e9 * 480.0
        return found

    def _volatility(self, ledger: Ledger, now: int) -> Frame:
        c = ledger.contract
        channel = f"deribit_volatility_index.{c.base.lower()}_usd"
        data = {"timestamp": self.stamp(now), "volatility": round(ledger.surface.volatility_index, 4),
                "index_name": f"{c.base.lower()}_usd"}  # fmt: skip
        return Frame(channel, _notice(channel, written(data)))

    def _window(self, ledger: Ledger, depth: int) -> dict[str, Any]:
        c = ledger.contract
        bids, asks = ([[c.usd(tick), c.units(lots)] for tick, lots in side[:depth]]
                      for side in self.views[c.symbol].sides())  # fmt: skip
        return {"bids": bids, "asks": asks, "change_id": self.last[c.symbol]}

    def _summaries(self, coin: str, kind: str, now: int) -> list[dict[str, Any]]:
        ledgers = [
            each for each in self.by_symbol.values() if each.contract.base == coin and each.index
        ]
        if kind == "option":
            if not ledgers:
                return []
            first, stamp = ledgers[0], self.stamp(now)
            index = first.contract.usd(first.index / 1_000)
            return [_summary(each, coin, stamp) for each in first.surface.chain(coin, index, now)]
        return [
            {"instrument_name": each.contract.symbol, "creation_timestamp": self.stamp(now),
             "base_currency": coin, "open_interest": state.get("open_interest"), "mark_price": state["mark_price"],
             "bid_price": state["best_bid_price"], "ask_price": state["best_ask_price"],
             "last": state["last_price"], "funding_8h": state["funding_8h"],
             "current_funding": state.get("current_funding")}
            for each in ledgers for state in (self._state(each, now),)
        ]  # fmt: skip

    def _listed(self, c: Contract) -> dict[str, Any]:
        inverse = c.form == "inverse"
        return {
            "instrument_name": c.symbol, "kind": "future", "base_currency": c.base, "is_active": True,
            "quote_currency": "USD" if inverse else "USDC", "tick_size": c.tick_usd, "contract_size": c.units(1),
            "min_trade_amount": c.units(1), "settlement_period": "perpetual", "max_leverage": c.max_leverage,
            "instrument_type": "reversed" if inverse else "linear",
        }  # fmt: skip


def _entries(c: Contract, levels: Sequence[Level]) -> str:
    rows: list[str] = []
    for level in levels:
        action = "delete" if not level.lots else "change" if level.was else "new"
        rows.append(f'["{action}",{c.usd(level.tick)},{c.units(level.lots)}]')
    return "[" + ",".join(rows) + "]"


def _notice(channel: str, data: str) -> str:
    return f'{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"{channel}","data":{data}}}}}'


def _times(now: int) -> dict[str, Any]:
    return {"usIn": now // 1_000, "usOut": now // 1_000 + 90, "usDiff": 90, "testnet": False}


def _body(result: object, now: int) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "result": result, **_times(now)}


def _result(number: object, result: object, now: int) -> str:
    return written({"jsonrpc": "2.0", "id": number, "result": result, **_times(now)})


def _error(number: object, code: int, message: str, now: int) -> str:
    return written(
        {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message}, **_times(now)}
    )


def _summary(option: Quote, coin: str, stamp: int) -> dict[str, Any]:
    """A row of the book summary."""
    return {
        "instrument_name": option.instrument, "creation_timestamp": stamp, "base_currency": coin,
        "quote_currency": coin, "underlying_index": f"SYN.{option.underlying_index}",
        "underlying_price": option.underlying_price, "estimated_delivery_price": option.index_price,
        "interest_rate": 0.0, "bid_price": option.bid, "ask_price": option.ask, "mark_price": option.mark,
        "mid_price": round((option.bid + option.ask) / 2.0, 6), "mark_iv": round(100.0 * option.mark_iv, 2),
        "last": option.mark, "high": None, "low": None, "price_change": None, "volume": option.volume,
        "volume_usd": 0.0, "open_interest": option.open_interest,
    }  # fmt: skip
