"""Coinbase Advanced Trade, spot: one count a connection, the maker's side of trades; venues.md §3.7, 2026-11."""

from collections.abc import Sequence
from datetime import UTC, datetime

from airpocket.domain.units import SECOND_NS
from airpocket.lab.dialects.contract import Contract
from airpocket.lab.dialects.ledger import Ledger, Print, View
from airpocket.lab.dialects.speech import (
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
    read,
    texts,
    written,
)

_CHANNELS = {
    "heartbeats": "heartbeats",
    "level2": "l2_data",
    "market_trades": "market_trades",
    "ticker": "ticker",
}
_FIRST_S, _SPARSE_S = 5.0, 75.0


class Coinbase(Dialect):
    """Frames carry their events; the count and the time are put around them for each connection."""

    hosts = ("advanced-trade-ws.coinbase.com", "api.exchange.coinbase.com")
    manners = Manners(messages=8, arrivals=8, arrivals_s=1.0, weight=30, weight_s=1.0)

    def __init__(self, name: str, contracts: Sequence[Contract]) -> None:
        super().__init__(name, contracts)
        self.views = {symbol: View(ledger) for symbol, ledger in self.by_symbol.items()}
        self.waiting: dict[str, list[Print]] = {symbol: [] for symbol in self.by_symbol}
        self.beats = 0

    def open(self, path: str, query: str, now: int) -> Client | int:
        del query
        return Client("public", now, path, heard_at=now, sent_at=now) if path in ("", "/") else 404

    def hear(self, client: Client, text: str, now: int) -> list[Said]:
        said = read(text)
        if said is None:
            return [written({"type": "error", "message": "failure to parse message"})]
        kind, channel = said.get("type"), said.get("channel")
        if kind not in ("subscribe", "unsubscribe"):
            return [written({"type": "error", "message": "unknown request type"})]
        if channel not in _CHANNELS:
            return [written({"type": "error", "message": f"channel {channel} is not supported"})]
        names = texts(said.get("product_ids"))
        strange = [name for name in names if name not in self.by_symbol]
        if strange:
            return [written({"type": "error", "message": f"{strange[0]} is not a valid product"})]
        client.heard_at = now
        told: list[Said] = []
        for name in names or (list(self.by_symbol) if channel == "heartbeats" else []):
            topic = f"{channel}/{name}"
            if kind == "unsubscribe":
                self.leave(client, topic)
            elif self.join(client, topic):
                told += [
                    self.envelope(client, frame, now) for frame in self._first(channel, name, now)
                ]
        return [*told, self._subscriptions(client, now)]

    def tick(self, client: Client, now: int) -> list[Said]:
        """Who subscribes to nothing in five seconds is cut, and one to whom nothing is said."""
        if not client.topics and now - client.opened > _FIRST_S * SECOND_NS:
            return [Close(1000, "no subscription")]
        return [Close(1000, "idle")] if now - client.sent_at > _SPARSE_S * SECOND_NS else []

    def envelope(self, client: Client, frame: Frame, now: int) -> str:
        channel = _CHANNELS[frame.topic.partition("/")[0]]
        number = client.count
        client.count += 1
        return (
            f'{{"channel":"{channel}","client_id":"","timestamp":"{self._time(now)}","sequence_num":{number},'
            f'"events":[{frame.text}]}}'
        )

    def speak(self, now: int) -> list[Frame]:
        found: list[Frame] = []
        second, quarter = (
            self.due("second", SECOND_NS, now),
            self.due("trades", SECOND_NS // 4, now),
        )
        twentieth = self.due("book", SECOND_NS // 20, now)
        for name, ledger in self.by_symbol.items():
            ledger.closed.clear()
            trades, _ = drained(ledger)
            self.waiting[name] += [one for one in trades if not one.off]
            if trades or changed_quote(ledger) is not None:
                self._ticker(found, ledger)
            if quarter and self.waiting[name]:
                rows = [self._trade(ledger.contract, one) for one in reversed(self.waiting[name])]
                self.waiting[name] = []
                text = written({"type": "update", "trades": rows})
                found.append(Frame(f"market_trades/{name}", text))
            if twentieth and self.views[name].stirred:
                bids, asks = self.views[name].step()
                rows = self._updates(ledger, bids, asks)
                if rows:
                    found.append(Frame(f"level2/{name}", self._level2(name, "update", rows), name))
            if second:
                text = f'{{"current_time":"{self._time(now)}","heartbeat_counter":{self.beats}}}'
                found.append(Frame(f"heartbeats/{name}", text))
        self.beats += second
        return found

    def restart(self, now: int) -> list[Frame]:
        """Books carry no ids: subscribers are sent a snapshot anew."""
        found: list[Frame] = []
        del now
        for name, ledger in self.by_symbol.items():
            self.views[name].step()
            rows = self._updates(ledger, *self.views[name].sides())
            found.append(Frame(f"level2/{name}", self._level2(name, "snapshot", rows)))
        return found

    def answer(self, question: Question, now: int) -> Answer:
        if question.path == "/time":
            return answered({"iso": self._time(now), "epoch": now / self.unit_ns / 1_000})
        ledger = self.by_symbol.get(question.path.removeprefix("/products/"))
        if ledger is None:
            return answered({"message": "NotFound"}, 404)
        c = ledger.contract
        base, quote = c.symbol.split("-")
        return answered({
            "id": c.symbol, "base_currency": base, "quote_currency": quote, "quote_increment": c.price(1),
            "base_increment": c.size(1), "display_name": c.symbol, "min_market_funds": "1",
            "margin_enabled": False, "post_only": False, "limit_only": False, "cancel_only": False,
            "status": "online", "status_message": "", "trading_disabled": False, "auction_mode": False,
        })  # fmt: skip

    # -- frames

    def _first(self, channel: str, name: str, now: int) -> list[Frame]:
        del now
        ledger = self.by_symbol[name]
        if channel == "level2":
            rows = self._updates(ledger, *self.views[name].sides())
            return [Frame(f"level2/{name}", self._level2(name, "snapshot", rows))]
        if channel == "ticker":
            found: list[Frame] = []
            self._ticker(found, ledger)
            return found
        return []

    def _subscriptions(self, client: Client, now: int) -> str:
        held: dict[str, list[str]] = {}
        for topic in sorted(client.topics):
            channel, _, name = topic.partition("/")
            held.setdefault(channel, []).append(name)
        number = client.count
        client.count += 1
        return written({"channel": "subscriptions", "client_id": "", "timestamp": self._time(now),
                        "sequence_num": number, "events": [{"subscriptions": held}]})  # fmt: skip

    def _ticker(self, found: list[Frame], ledger: Ledger) -> None:
        c = ledger.contract
        bid, bid_lots, ask, ask_lots = ledger.best()
        if not (bid and ask and ledger.last):
            return
        ticker = {
            "type": "ticker", "product_id": c.symbol, "price": c.price(ledger.last), "volume_24_h": "0",
            "low_24_h": "0", "high_24_h": "0", "low_52_w": "0", "high_52_w": "0", "price_percent_chg_24_h": "0",
            "best_bid": c.price(bid), "best_bid_quantity": c.size(bid_lots), "best_ask": c.price(ask),
            "best_ask_quantity": c.size(ask_lots),
        }  # fmt: skip
        found.append(Frame(f"ticker/{c.symbol}", written({"type": "update", "tickers": [ticker]})))

    def _trade(self, c: Contract, one: Print) -> dict[str, str]:
        """side: the resting order's."""
        return {
            "trade_id": str(one.number), "product_id": c.symbol, "price": c.price(one.tick),
            "size": c.size(one.lots), "side": "SELL" if one.lots > 0 else "BUY", "time": self._time(one.ts),
        }  # fmt: skip

    def _level2(self, name: str, kind: str, rows: str) -> str:
        return f'{{"type":"{kind}","product_id":"{name}","updates":[{rows}]}}'

    def _updates(
        self, ledger: Ledger, bids: Sequence[tuple[int, ...]], asks: Sequence[tuple[int, ...]]
    ) -> str:
        c, at = ledger.contract, self._time(ledger.changed_at)
        return ",".join(
            f'{{"side":"{side}","event_time":"{at}","price_level":"{c.price(level[0])}","new_quantity":'
            f'"{c.size(level[1]) if level[1] else "0"}"}}'
            for side, levels in (("bid", bids), ("offer", asks)) for level in levels
        )  # fmt: skip

    def _time(self, now: int) -> str:
        """RFC 3339, microseconds; a wrong unit shows as a wrong year."""
        micros = now // 1_000 * 1_000_000 // self.unit_ns
        seconds, rest = divmod(micros, 1_000_000)
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:06d}Z"
