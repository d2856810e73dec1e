"""What Binance's three markets answer over REST: books, open interest, prices, listings (venues.md §3.1)."""

from collections.abc import Callable
from typing import Any, NamedTuple

from airpocket.lab.dialects.contract import Contract
from airpocket.lab.dialects.ledger import Ledger
from airpocket.lab.dialects.speech import Answer, Question, answered


class Teller(NamedTuple):
    """The market that is asked: its name, stamp of a time, update id of a change, budget, contracts."""

    name: str
    stamp: Callable[[int], int]
    number: Callable[[str, int], int]
    weight: int
    ledgers: list[Ledger]

    @property
    def spot(self) -> bool:
        return self.name == "binance_spot"


def pair_of(c: Contract) -> str:
    """ETHUSD_PERP → ETHUSD."""
    return c.symbol.removesuffix("_PERP")


_Asked = Callable[[Teller, Ledger | None, Question, int], Answer]


def _book(venue: Teller, ledger: Ledger | None, question: Question, now: int) -> Answer:
    if ledger is None:
        return answered({"code": -1102, "msg": "Mandatory parameter 'symbol' was not sent"}, 400)
    c = ledger.contract
    limit = question.get("limit", "500")
    count = int(limit) if limit.isdigit() else 0
    allowed = (5, 10, 20, 50, 100, 500, 1_000)
    if venue.spot:
        count = min(count, 5_000)
    elif count not in allowed:
        return answered({"code": -4021, "msg": f"{limit} is not valid depth limit"}, 400)
    bids = sorted(ledger.bids.items(), reverse=True)[:count]
    asks = sorted(ledger.asks.items())[:count]
    ids: dict[str, Any] = {"lastUpdateId": venue.number(c.symbol, ledger.change)}
    if not venue.spot:
        ids |= {"E": venue.stamp(now), "T": venue.stamp(ledger.changed_at)}
    if venue.name == "binance_coinm":
        ids |= {"symbol": c.symbol, "pair": pair_of(c)}
    sides = {name: [[c.price(tick), c.size(lots)] for tick, lots in side]
             for name, side in (("bids", bids), ("asks", asks))}  # fmt: skip
    return answered({**ids, **sides})


def _interest(venue: Teller, ledger: Ledger | None, question: Question, now: int) -> Answer:
    del question
    if ledger is None or venue.spot:
        return answered({"code": -1102, "msg": "Mandatory parameter 'symbol' was not sent"}, 400)
    if ledger.interest is None:
        return answered(
            {"code": -1001, "msg": "Internal error; unable to process your request."}, 503
        )
    c = ledger.contract
    found = {"openInterest": c.size(ledger.interest), "symbol": c.symbol, "time": venue.stamp(now)}
    if venue.name == "binance_coinm":
        found |= {"pair": pair_of(c), "contractType": "PERPETUAL"}
    return answered(found)


def _premium(venue: Teller, ledger: Ledger | None, question: Question, now: int) -> Answer:
    del question
    rows = [_premium_row(venue, each, now) for each in ([ledger] if ledger else venue.ledgers)]
    return answered(rows[0] if ledger is not None and venue.name == "binance_usdm" else rows)


def _premium_row(venue: Teller, ledger: Ledger, now: int) -> dict[str, Any]:
    c = ledger.contract
    return {
        "symbol": c.symbol, "markPrice": c.fine(ledger.mark), "indexPrice": c.fine(ledger.index),
        "estimatedSettlePrice": c.fine(ledger.index), "lastFundingRate": f"{(ledger.rate or 0) / 1e9:.8f}",
        "interestRate": "0.00010000", "nextFundingTime": venue.stamp(ledger.pays_at), "time": venue.stamp(now),
    }  # fmt: skip


def _listed(venue: Teller, ledger: Ledger | None, question: Question, now: int) -> Answer:
    del ledger, question
    symbols: list[dict[str, Any]] = []
    for each in venue.ledgers:
        c = each.contract
        row: dict[str, Any] = {
            "symbol": c.symbol, "status": "TRADING", "baseAsset": c.base,
            "quoteAsset": "USD" if c.form == "inverse" else "USDT", "pricePrecision": c.price_decimals,
            "quantityPrecision": c.size_decimals,
            "filters": [{"filterType": "PRICE_FILTER", "tickSize": c.price(1)},
                        {"filterType": "LOT_SIZE", "stepSize": c.size(1)}],
        }  # fmt: skip
        if not venue.spot:
            row |= {"pair": pair_of(c), "contractType": "PERPETUAL"}
        if c.form == "inverse":
            row |= {"contractSize": c.worth, "contractStatus": "TRADING"}
        symbols.append(row)
    limits = [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1,
               "limit": venue.weight}]  # fmt: skip
    return answered(
        {
            "timezone": "UTC",
            "serverTime": venue.stamp(now),
            "rateLimits": limits,
            "symbols": symbols,
        }
    )


def _adjusted(venue: Teller, ledger: Ledger | None, question: Question, now: int) -> Answer:
    """Contracts with terms of their own. Those of the world say their interval, usual or not."""
    del ledger, question, now
    return answered([
        {"symbol": each.contract.symbol, "fundingIntervalHours": round(each.contract.funding_h),
         "disclaimer": False}
        for each in venue.ledgers if each.contract.funding_h
    ])  # fmt: skip


def _time(venue: Teller, ledger: Ledger | None, question: Question, now: int) -> Answer:
    del ledger, question
    return answered({"serverTime": venue.stamp(now)})


ANSWERS: dict[str, _Asked] = {
    "depth": _book,
    "openInterest": _interest,
    "premiumIndex": _premium,
    "exchangeInfo": _listed,
    "fundingInfo": _adjusted,
    "time": _time,
}
