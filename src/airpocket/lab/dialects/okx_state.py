"""OKX's channels of state as rows: tickers, prices, open interest, funding, listings (venues.md §3.3)."""

from collections.abc import Callable
from typing import Any, TypeAlias

from airpocket.domain.units import SECOND_NS
from airpocket.lab.dialects.contract import Contract
from airpocket.lab.dialects.ledger import Ledger

Stamp: TypeAlias = Callable[[int], int]  # ns → what the venue writes


def type_of(c: Contract) -> str:
    return "SPOT" if c.form == "spot" else "SWAP"


def _ticker(ledger: Ledger, stamp: Stamp, now: int) -> dict[str, Any] | None:
    c = ledger.contract
    bid, bid_lots, ask, ask_lots = ledger.best()
    if not (bid and ask and ledger.last):
        return None
    last = c.price(ledger.last)
    return {
        "instType": type_of(c), "instId": c.symbol, "last": last, "lastSz": c.size(1), "askPx": c.price(ask),
        "askSz": c.size(ask_lots), "bidPx": c.price(bid), "bidSz": c.size(bid_lots), "open24h": last,
        "high24h": last, "low24h": last, "volCcy24h": "0", "vol24h": "0", "sodUtc0": last, "sodUtc8": last,
        "ts": str(stamp(now)),
    }  # fmt: skip


def _mark(ledger: Ledger, stamp: Stamp, now: int) -> dict[str, Any] | None:
    c = ledger.contract
    if not ledger.mark:
        return None
    return {"instId": c.symbol, "instType": type_of(c), "markPx": c.price(ledger.mark / 1_000),
            "ts": str(stamp(now))}  # fmt: skip


def _index(ledger: Ledger, stamp: Stamp, now: int) -> dict[str, Any] | None:
    c = ledger.contract
    if not ledger.index:
        return None
    price = c.price(ledger.index / 1_000)
    return {"instId": c.symbol.removesuffix("-SWAP"), "idxPx": price, "open24h": price, "high24h": price,
            "low24h": price, "sodUtc0": price, "sodUtc8": price, "ts": str(stamp(now))}  # fmt: skip


def _interest(ledger: Ledger, stamp: Stamp, now: int) -> dict[str, Any] | None:
    c = ledger.contract
    if ledger.interest is None or not ledger.mark:
        return None
    mark = ledger.mark * c.tick_usd / 1_000
    coin = ledger.interest * c.lot / (mark if c.form == "inverse" else 1.0)
    return {"instType": "SWAP", "instId": c.symbol, "oi": c.size(ledger.interest), "oiCcy": f"{coin:.8f}",
            "oiUsd": f"{coin * mark:.4f}", "ts": str(stamp(now))}  # fmt: skip


def _funding(ledger: Ledger, stamp: Stamp, now: int) -> dict[str, Any] | None:
    """Of the period that ends at fundingTime; the time after it says how long a period is."""
    c = ledger.contract
    if ledger.rate is None:
        return None
    after = ledger.pays_at + round(c.funding_h * 3_600) * SECOND_NS
    return {
        "formulaType": "withRate", "fundingRate": f"{ledger.rate / 1e9:.10f}",
        "fundingTime": str(stamp(ledger.pays_at)), "impactValue": "20000", "instId": c.symbol,
        "instType": "SWAP", "interestRate": "0.0001", "maxFundingRate": "0.015", "method": "current_period",
        "minFundingRate": "-0.015", "nextFundingRate": "", "nextFundingTime": str(stamp(after)),
        "premium": f"{ledger.premium / 1e9:.10f}", "prevFundingTime": "", "settFundingRate":
        f"{ledger.paid_rate / 1e9:.10f}", "settState": "settled", "ts": str(stamp(now)),
    }  # fmt: skip


def listed(c: Contract) -> dict[str, Any]:
    spot = c.form == "spot"
    return {
        "instType": type_of(c), "instId": c.symbol, "instFamily": "" if spot else c.symbol.removesuffix("-SWAP"),
        "uly": "" if spot else c.symbol.removesuffix("-SWAP"), "baseCcy": c.base if spot else "",
        "quoteCcy": "USDT" if spot else "", "settleCcy": "" if spot else
        (c.base if c.form == "inverse" else "USDT"), "ctType": "" if spot else c.form,
        "ctVal": "" if spot else f"{c.worth:g}", "ctMult": "" if spot else "1",
        "ctValCcy": "" if spot else ("USD" if c.form == "inverse" else c.base), "tickSz": c.price(1),
        "lotSz": c.size(1), "minSz": c.size(1), "lever": f"{c.max_leverage:g}", "state": "live",
    }  # fmt: skip


# A row, or None where it is not known yet.
ROWS: dict[str, Callable[[Ledger, Stamp, int], dict[str, Any] | None]] = {
    "tickers": _ticker,
    "mark-price": _mark,
    "index-tickers": _index,
    "open-interest": _interest,
    "funding-rate": _funding,
}
