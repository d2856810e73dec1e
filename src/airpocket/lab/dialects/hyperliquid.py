"""Hyperliquid: whole books at the cadence measured in September 2026, no liquidation channel; venues.md §3.5."""

from collections import deque
from collections.abc import Sequence
from typing import Any

from airpocket.domain.units import MINUTE_NS, SECOND_NS
from airpocket.lab.addresses import address_of, number_of
from airpocket.lab.dialects.chain_accounts import PublicAccounts, clearinghouse, leaderboard
from airpocket.lab.dialects.contract import Contract
from airpocket.lab.dialects.ledger import Candle, Ledger, Print
from airpocket.lab.dialects.speech import (
    ABRUPT,
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
    mapping,
    read,
    written,
)

_BOOK_NS = 5_400_000_000
_FAST_NS = 540_000_000
_REPLAYED_NS = 20 * SECOND_NS
_SILENCE_S = 60.0
_NO_BODY = b"Failed to deserialize the JSON body into the target type"
_KINDS = ("l2Book", "trades", "bbo", "activeAssetCtx", "candle", "allMids")


class Hyperliquid(Dialect):
    """The main perpetuals' dex."""

    hosts = ("api.hyperliquid.xyz", "stats-data.hyperliquid.xyz")
    manners = Manners(
        messages=2_000, messages_s=60.0, arrivals=30, arrivals_s=60.0, at_once=10, weight=1_200
    )

    def __init__(self, name: str, contracts: Sequence[Contract]) -> None:
        super().__init__(name, contracts)
        self.public: PublicAccounts | None = None  # who holds what, where the market tells it
        self.recent: dict[str, deque[Print]] = {
            symbol: deque(maxlen=2_000) for symbol in self.by_symbol
        }

    def open(self, path: str, query: str, now: int) -> Client | int:
        del query
        return Client("public", now, path, heard_at=now, sent_at=now) if path == "/ws" else 404

    def hear(self, client: Client, text: str, now: int) -> list[Said]:
        client.heard_at = now
        said = read(text) or {}
        method, asked = said.get("method"), mapping(said.get("subscription"))
        if method == "ping":
            return ['{"channel":"pong"}']
        if method not in ("subscribe", "unsubscribe") or asked.get("type") not in _KINDS:
            about = f"Error parsing JSON into valid websocket request: {text[:200]}"
            return [written({"channel": "error", "data": about})]
        kind, coin = str(asked["type"]), str(asked.get("coin", ""))
        if kind != "allMids" and coin not in self.by_symbol:
            return [Close(ABRUPT)]  # no error, no closing frame
        told = _normal(kind, asked)
        topic = "/".join(str(value) for value in told.values())
        subscribing = method == "subscribe"
        new = self.join(client, topic) if subscribing else self.leave(client, topic)
        if not new:
            already = "subscribed" if subscribing else "unsubscribed"
            return [written({"channel": "error", "data": f"Already {already}: {written(told)}"})]
        response = {
            "channel": "subscriptionResponse",
            "data": {"method": method, "subscription": told},
        }
        return [written(response), *(self._first(kind, coin, told, now) if subscribing else [])]

    def tick(self, client: Client, now: int) -> list[Said]:
        """The server leaves when it has said nothing for a minute."""
        return [Close(1000, "Inactive")] if now - client.sent_at > _SILENCE_S * SECOND_NS else []

    def speak(self, now: int) -> list[Frame]:
        found: list[Frame] = []
        second, slow = self.due("second", SECOND_NS, now), self.due("book", _BOOK_NS, now)
        fast, five = self.due("fast", _FAST_NS, now), self.due("mids", 5 * SECOND_NS, now)
        for coin, ledger in self.by_symbol.items():
            ledger.turn(now)
            traded = self._trades(found, ledger)
            best = changed_quote(ledger)
            if best is not None:
                sides = [
                    self._level(ledger, best[at], best[at + 1]) if best[at] else None
                    for at in (0, 2)
                ]
                data = {"coin": coin, "time": self.stamp(now), "bbo": sides}
                found.append(Frame(f"bbo/{coin}", written({"channel": "bbo", "data": data})))
            if slow:
                found.append(
                    Frame(_book_topic(coin, fast=False), self._book(ledger, 20, now), coin)
                )
            if fast:
                found.append(Frame(_book_topic(coin, fast=True), self._book(ledger, 5, now), coin))
            if second and ledger.mark and ledger.rate is not None and ledger.interest is not None:
                context = {
                    "channel": "activeAssetCtx",
                    "data": {"coin": coin, "ctx": self._context(ledger)},
                }
                found.append(Frame(f"activeAssetCtx/{coin}", written(context)))
            self._candles(found, ledger, traded=traded)
            if five and coin == next(iter(self.by_symbol)):
                mids = {
                    each: self._context(one)["midPx"]
                    for each, one in self.by_symbol.items()
                    if one.mark
                }
                found.append(
                    Frame("allMids", written({"channel": "allMids", "data": {"mids": mids}}))
                )
        return found

    def restart(self, now: int) -> list[Frame]:
        """Every book frame replaces the last: a restart leaves no trace."""
        del now
        return []

    def weight(self, question: Question) -> int:
        asked = read(question.body.decode("utf-8", "replace")) or {}
        return (
            2
            if asked.get("type") in ("l2Book", "allMids", "clearinghouseState", "orderStatus")
            else 20
        )

    def answer(self, question: Question, now: int) -> Answer:
        asked = read(question.body.decode("utf-8", "replace")) or {}
        open_book = self._accounts_answer(question, asked, now)
        if open_book is not None:
            return open_book
        if question.path != "/info" or question.method != "POST":
            return Answer(404, b"")
        kind = asked.get("type")
        ledger = self.by_symbol.get(str(asked.get("coin", "")))
        meta = {
            "universe": [self._listed(each.contract) for each in self.by_symbol.values()],
            "marginTables": [],
        }
        if kind in ("meta", "metaAndAssetCtxs"):
            contexts = [self._context(each) for each in self.by_symbol.values()]
            return answered(meta if kind == "meta" else [meta, contexts])
        if kind in ("exchangeStatus", "allMids"):
            mids = {coin: self._context(each)["midPx"] for coin, each in self.by_symbol.items()}
            status = {"time": self.stamp(now), "specialStatuses": None}
            return answered(mids if kind == "allMids" else status)
        if kind in ("l2Book", "recentTrades") and ledger is None:
            return Answer(500, b"null")
        if kind == "l2Book" and ledger is not None:
            return answered(self._window(ledger, 20, now))
        if kind == "recentTrades" and ledger is not None:
            newest = list(self.recent[ledger.contract.symbol])[-10:]
            return answered([self._trade(ledger.contract, one) for one in reversed(newest)])
        return Answer(422, _NO_BODY)

    def _accounts_answer(
        self, question: Question, asked: dict[str, Any], now: int
    ) -> Answer | None:
        """What is public of accounts; None for another question, or where the market tells nothing."""
        if self.public is None:
            return None
        if question.path == "/Mainnet/leaderboard":
            return answered(leaderboard(self.public))
        if question.path != "/info" or asked.get("type") != "clearinghouseState":
            return None
        number = number_of(str(asked.get("user", "")))
        if number is None:
            return Answer(422, _NO_BODY)
        return answered(clearinghouse(self.public.state(number), self.stamp(now)))

    # -- frames

    def _first(self, kind: str, coin: str, told: dict[str, Any], now: int) -> list[Said]:
        if kind == "allMids":
            return []
        ledger = self.by_symbol[coin]
        if kind == "l2Book":
            return [self._book(ledger, 5 if told["fast"] else 20, now)]
        if kind == "trades":
            late = [one for one in self.recent[coin] if one.ts >= now - _REPLAYED_NS]
            rows = [self._trade(ledger.contract, one) for one in late]
            return [written({"channel": "trades", "data": rows})] if rows else []
        return []

    def _trades(self, found: list[Frame], ledger: Ledger) -> bool:
        trades, _ = drained(ledger)
        coin = ledger.contract.symbol
        on_book = [one for one in trades if not one.off]
        self.recent[coin].extend(on_book)
        if on_book and self.wanted(f"trades/{coin}"):
            rows = [self._trade(ledger.contract, one) for one in on_book]
            found.append(Frame(f"trades/{coin}", written({"channel": "trades", "data": rows})))
        return bool(on_book)

    def _trade(self, c: Contract, one: Print) -> dict[str, Any]:
        """A: the taker sold. Both users are named; accounts of the simulation stand for addresses."""
        taker, maker = address_of(one.taker), address_of(one.maker)
        buyer, seller = (taker, maker) if one.lots > 0 else (maker, taker)
        return {
            "coin": c.symbol, "side": "B" if one.lots > 0 else "A", "px": c.price(one.tick), "sz": c.size(one.lots),
            "time": self.stamp(one.ts), "hash": f"0x{one.number:064x}", "tid": one.number, "users": [buyer, seller],
        }  # fmt: skip

    def _book(self, ledger: Ledger, depth: int, now: int) -> str:
        return written({"channel": "l2Book", "data": self._window(ledger, depth, now)})

    def _window(self, ledger: Ledger, depth: int, now: int) -> dict[str, Any]:
        bids = sorted(ledger.bids.items(), reverse=True)[:depth]
        asks = sorted(ledger.asks.items())[:depth]
        sides = [[self._level(ledger, tick, lots) for tick, lots in side] for side in (bids, asks)]
        return {"coin": ledger.contract.symbol, "time": self.stamp(now), "levels": sides}

    def _level(self, ledger: Ledger, tick: int, lots: int) -> dict[str, Any]:
        return {"px": ledger.contract.price(tick), "sz": ledger.contract.size(lots), "n": 1}

    def _context(self, ledger: Ledger) -> dict[str, Any]:
        """funding: the running hour's, a fraction of one hour; null where it is not known yet."""
        c = ledger.contract
        bid, _, ask, _ = ledger.best()
        mark = c.price(ledger.mark / 1_000)
        return {
            "funding": None if ledger.rate is None else f"{ledger.rate / 1e9:.10f}",
            "openInterest": None if ledger.interest is None else c.size(ledger.interest), "prevDayPx": mark,
            "dayNtlVlm": "0.0", "premium": f"{ledger.premium / 1e9:.10f}",
            "oraclePx": c.price(ledger.index / 1_000),
            "markPx": mark, "midPx": c.price((bid + ask) / 2.0) if bid and ask else None,
            "impactPxs": [c.price(bid), c.price(ask)] if bid and ask else None, "dayBaseVlm": "0.0",
        }  # fmt: skip

    def _candles(self, found: list[Frame], ledger: Ledger, *, traded: bool) -> None:
        """On trades only, and once more when the minute is over: nothing says that a bar is closed."""
        candles = (
            [*ledger.closed, ledger.candle] if traded and ledger.candle else list(ledger.closed)
        )
        ledger.closed.clear()
        coin = ledger.contract.symbol
        for k in candles:
            if k.count:
                text = written({"channel": "candle", "data": self._candle(ledger.contract, k)})
                found.append(Frame(f"candle/{coin}/1m", text))

    def _candle(self, c: Contract, k: Candle) -> dict[str, Any]:
        return {
            "t": self.stamp(k.start), "T": self.stamp(k.start + MINUTE_NS - 1_000_000), "s": c.symbol, "i": "1m",
            "o": c.price(k.open), "c": c.price(k.close), "h": c.price(k.high), "l": c.price(k.low),
            "v": f"{k.volume:.{c.size_decimals}f}", "n": k.count,
        }  # fmt: skip

    def _listed(self, c: Contract) -> dict[str, Any]:
        return {"szDecimals": c.size_decimals, "name": c.symbol, "maxLeverage": round(c.max_leverage),
                "marginTableId": round(c.max_leverage)}  # fmt: skip


def _book_topic(coin: str, *, fast: bool) -> str:
    return f"l2Book/{coin}/None/None/{fast}"


def _normal(kind: str, asked: dict[str, Any]) -> dict[str, Any]:
    """The subscription as the venue repeats it, its defaults filled in."""
    told: dict[str, Any] = {"type": kind}
    if kind == "allMids":
        return told
    told["coin"] = asked.get("coin")
    if kind == "l2Book":
        told |= {
            "nSigFigs": asked.get("nSigFigs"),
            "mantissa": asked.get("mantissa"),
            "fast": bool(asked.get("fast")),
        }
    if kind == "candle":
        told["interval"] = asked.get("interval", "1m")
    return told
