"""Binance's contract lists: exchangeInfo of the three markets, fundingInfo, and the contractInfo stream."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct, field

from airpocket.domain.errors import UnknownInstrument
from airpocket.domain.instruments import instrument
from airpocket.domain.wire import FundingTerms, Listing, LiveEvent, MarginTiers, Status
from airpocket.ingest.listed import Terms, listing, moment_ns, path_of, rolled
from airpocket.ingest.values import BadValue, nonnegative, number, positive, stamp_ns

_Text = Annotated[str, Meta(max_length=64)]
_Ms = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_DATED = ("CURRENT_MONTH", "NEXT_MONTH", "CURRENT_QUARTER", "NEXT_QUARTER", "PERPETUAL_DELIVERING")
_STATUS: dict[str, Status] = {
    "TRADING": "live", "PENDING_TRADING": "halted", "PRE_TRADING": "halted", "HALT": "halted",
    "BREAK": "halted", "POST_TRADING": "halted", "END_OF_DAY": "halted", "AUCTION_MATCH": "halted",
    "PRE_DELIVERING": "settling", "DELIVERING": "settling", "PRE_SETTLE": "settling",
    "SETTLING": "settling", "DELIVERED": "delisted", "CLOSE": "delisted",
}  # fmt: skip


class _Filter(Struct):
    kind: _Text = field(name="filterType")
    tick: _Text = field(name="tickSize", default="")
    step: _Text = field(name="stepSize", default="")


class _Symbol(Struct):
    """`contractStatus` and `contractSize` are COIN-M's names."""

    symbol: _Text
    base: _Text = field(name="baseAsset")
    status: _Text = ""
    contract_status: _Text = field(name="contractStatus", default="")
    contract_type: _Text | None = field(name="contractType", default=None)
    contract_size: float | None = field(name="contractSize", default=None)
    listed: _Ms = field(name="onboardDate", default=0)
    ends: _Ms = field(name="deliveryDate", default=0)
    filters: list[_Filter] = field(default_factory=list[_Filter])


class _Exchange(Struct):
    symbols: list[_Symbol]


class _Adjusted(Struct):
    symbol: _Text
    hours: float | None = field(name="fundingIntervalHours", default=None)
    cap: _Text = field(name="adjustedFundingRateCap", default="")
    floor: _Text = field(name="adjustedFundingRateFloor", default="")


class _Bracket(Struct):
    floor: float = field(name="bnf")
    cap: float = field(name="bnc")
    rate: float = field(name="mmr")
    deduction: float = field(name="cf")
    leverage: float = field(name="ma")


class _Contract(Struct):
    """One contractInfo message: a contract was listed, settles, or has new brackets."""

    E: _Ms
    s: _Text
    ct: _Text = ""
    dt: _Ms = 0
    ot: _Ms = 0
    cs: _Text = ""
    bks: list[_Bracket] = field(default_factory=list[_Bracket])


_EXCHANGE = msgspec.json.Decoder(_Exchange)
_ADJUSTED = msgspec.json.Decoder(list[_Adjusted])
_CONTRACT = msgspec.json.Decoder(_Contract)


def answers(address: str) -> bool:
    """Whether an address asks for a list."""
    return path_of(address) in ("exchangeInfo", "fundingInfo")


def decoded(venue: str, body: bytes, heard: int, address: str) -> list[LiveEvent]:
    """The rows of a list and its end; dated futures are no contracts of ours."""
    if path_of(address) == "fundingInfo":
        return rolled(venue, address, _terms(venue, body, heard), heard)
    found: list[LiveEvent] = [
        _listing(venue, each, heard)
        for each in _EXCHANGE.decode(body).symbols
        if each.contract_type not in _DATED and "_2" not in each.symbol
    ]
    return rolled(venue, address, found, heard)


def _listing(venue: str, each: _Symbol, heard: int) -> Listing:
    tick = next((f.tick for f in each.filters if f.kind == "PRICE_FILTER"), "")
    step = next((f.step for f in each.filters if f.kind == "LOT_SIZE"), "")
    inverse = venue == "binance_coinm"
    size = each.contract_size
    terms = Terms(
        contract_size=(None if size is None else positive(size, "contract size"))
        if inverse
        else 1.0,
        size_unit="usd" if inverse else "coin",
        tick_size=positive(tick, "tick size") if tick else None,
        lot_size=(nonnegative(step, "lot size") or None) if step else None,
        listed_at=moment_ns(each.listed),
        ends_at=moment_ns(each.ends),
    )
    kind = "spot" if venue == "binance_spot" else "inverse" if inverse else "linear"
    status = _STATUS.get(each.contract_status or each.status, "unknown")
    return listing(venue, each.symbol, heard, each.base, kind, status, terms)


def _terms(venue: str, body: bytes, heard: int) -> list[LiveEvent]:
    """Only contracts whose interval, cap or floor was adjusted stand here."""
    found: list[LiveEvent] = []
    for each in _ADJUSTED.decode(body):
        hours = None if each.hours is None else positive(each.hours, "funding interval")
        found.append(
            FundingTerms(
                venue=venue, symbol=each.symbol, ts=heard, usable_from=heard, heard=heard,
                interval_s=None if hours is None else round(3_600 * hours),
                cap=number(each.cap, "funding cap") if each.cap else None,
                floor=number(each.floor, "funding floor") if each.floor else None,
            )
        )  # fmt: skip
    return found


def contract(venue: str, body: bytes, heard: int) -> list[LiveEvent]:
    """A change of one contract as it is announced: its status, and its maintenance brackets if it has new ones."""
    told = _CONTRACT.decode(body)
    try:
        known = instrument(venue, told.s)
    except UnknownInstrument:
        return []  # a dated future
    found: list[LiveEvent] = []
    if told.cs:
        terms = Terms(
            contract_size=None if venue == "binance_coinm" else 1.0,
            size_unit="usd" if venue == "binance_coinm" else "coin",
            listed_at=moment_ns(told.ot), ends_at=moment_ns(told.dt),
        )  # fmt: skip
        kind = "inverse" if known.kind == "inverse" else "linear"
        status = _STATUS.get(told.cs, "unknown")
        found.append(listing(venue, told.s, heard, known.base, kind, status, terms))
    if told.bks:
        brackets = tuple(
            (nonnegative(b.floor, "floor"), positive(b.cap, "cap"), nonnegative(b.rate, "rate"),
             positive(b.leverage, "leverage"), nonnegative(b.deduction, "deduction"))
            for b in sorted(told.bks, key=lambda b: b.floor)
        )  # fmt: skip
        if any(low >= high for low, high, *_ in brackets):
            raise BadValue("a margin bracket upside down")
        found.append(
            MarginTiers(venue=venue, symbol=told.s, ts=stamp_ns(told.E, "event time"), usable_from=heard,
                        heard=heard, brackets=brackets,
                        currency=known.base if known.kind == "inverse" else known.quote)
        )  # fmt: skip
    return found
