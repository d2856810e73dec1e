"""Bybit's contract list: instruments-info of linear, inverse and spot, with intervals and bounds of funding."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

from airpocket.domain.wire import Listing, LiveEvent, Status
from airpocket.ingest.listed import Terms, listing, moment_ns, path_of, rolled
from airpocket.ingest.values import BadValue, nonnegative, number, positive

_Text = Annotated[str, Meta(max_length=64)]
_STATUS: dict[str, Status] = {
    "Trading": "live",
    "PreLaunch": "halted",
    "Delivering": "settling",
    "Closed": "delisted",
}
_KINDS: dict[str, Literal["spot", "linear", "inverse"]] = {
    "LinearPerpetual": "linear",
    "InversePerpetual": "inverse",
    "": "spot",
}


class _Price(Struct):
    tick: _Text = field(name="tickSize", default="")


class _Lot(Struct):
    step: _Text = field(name="qtyStep", default="")
    precision: _Text = field(name="basePrecision", default="")  # spot


class _Contract(Struct):
    """`funding` is minutes. `ends` of a perpetual is 0 until its end is announced."""

    symbol: _Text
    base: _Text = field(name="baseCoin")
    status: _Text
    contract_type: _Text = field(name="contractType", default="")
    price: _Price = field(name="priceFilter", default_factory=_Price)
    lot: _Lot = field(name="lotSizeFilter", default_factory=_Lot)
    listed: _Text = field(name="launchTime", default="")
    ends: _Text = field(name="deliveryTime", default="")
    funding: float | None = field(name="fundingInterval", default=None)
    cap: _Text = field(name="upperFundingRate", default="")
    floor: _Text = field(name="lowerFundingRate", default="")


class _Page(Struct):
    rows: list[_Contract] = field(name="list")
    more: str = field(name="nextPageCursor", default="")


class _Answer(Struct):
    result: _Page


_ANSWER = msgspec.json.Decoder(_Answer)


def answers(address: str) -> bool:
    """Whether an address asks for a list."""
    return path_of(address) == "instruments-info"


def decoded(venue: str, body: bytes, heard: int, address: str) -> list[LiveEvent]:
    """The rows, and the list's end where no page is left; dated futures are no contracts of ours."""
    page = _ANSWER.decode(body).result
    rows: list[LiveEvent] = [
        _listing(venue, each, heard)
        for each in page.rows
        if not each.contract_type.endswith("Futures")
    ]
    return rows if page.more else rolled(venue, address, rows, heard)


def _listing(venue: str, each: _Contract, heard: int) -> Listing:
    kind = _KINDS.get(each.contract_type)
    if kind is None:
        raise BadValue(f"contract type {each.contract_type[:30]!r}")
    step, minutes = each.lot.step or each.lot.precision, each.funding
    terms = Terms(
        size_unit="usd" if kind == "inverse" else "coin",
        tick_size=positive(each.price.tick, "tick size") if each.price.tick else None,
        lot_size=(nonnegative(step, "lot size") or None) if step else None,
        listed_at=moment_ns(each.listed),
        ends_at=moment_ns(each.ends),
        funding_interval_s=round(60 * positive(minutes, "funding interval")) if minutes else None,
        funding_cap=number(each.cap, "funding cap") if each.cap else None,
        funding_floor=number(each.floor, "funding floor") if each.floor else None,
    )
    return listing(
        venue, each.symbol, heard, each.base, kind, _STATUS.get(each.status, "unknown"), terms
    )
