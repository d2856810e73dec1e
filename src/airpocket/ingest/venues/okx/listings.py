"""OKX's contract lists: instruments of every type, with contract values, ticks, lots and states."""

from typing import Literal

from airpocket.domain.wire import Listing, LiveEvent, Status
from airpocket.ingest.listed import Terms, listing, moment_ns
from airpocket.ingest.values import positive
from airpocket.ingest.venues.okx import shapes
from airpocket.ingest.venues.okx.names import VENUE, Worths

_STATES: dict[str, Status] = {
    "live": "live",
    "suspend": "halted",
    "rebase": "halted",
    "test": "halted",
    "settling": "settling",
    "expired": "delisted",
    "preopen": "halted",
}
_KINDS: dict[str, Literal["spot", "linear", "inverse", "option"]] = {
    "SPOT": "spot",
    "MARGIN": "spot",
    "OPTION": "option",
    "linear": "linear",
    "inverse": "inverse",
}
_DOLLARS = ("USD", "USDT", "USDC")


def contracts(data: bytes, heard: int, worths: Worths) -> list[LiveEvent]:
    """What is neither spot, an option, linear nor inverse is no contract of ours."""
    del worths
    found: list[LiveEvent] = []
    for each in shapes.CONTRACTS.decode(data):
        kind = _KINDS.get(each.kind) or _KINDS.get(each.contract_type)
        if kind is not None:
            found.append(_listing(each, kind, heard))
    return found


def _listing(
    each: shapes.Contract, kind: Literal["spot", "linear", "inverse", "option"], heard: int
) -> Listing:
    size = _said(each.value, "contract value")
    if size is not None and each.multiplier:
        size *= positive(each.multiplier, "contract multiplier")
    base = each.inst_id.split("-")[0]
    dollars = kind == "inverse" or each.value_coin in _DOLLARS
    if kind == "linear" and not dollars and each.value_coin not in ("", base):
        size = None  # worth neither its coin nor dollars: a quanto, whose size is not coin
    terms = Terms(
        contract_size=1.0 if kind == "spot" else size,
        size_unit="usd" if dollars else "coin",
        tick_size=_said(each.tick, "tick size"),
        lot_size=_said(each.lot, "lot size"),
        listed_at=moment_ns(each.listed),
        # the end of a future or an option is its expiry; of a perpetual or a pair it was announced
        ends_at=moment_ns(each.ends) if each.kind in ("SWAP", "SPOT", "MARGIN") else None,
    )
    status = _STATES.get(each.state, "unknown")
    return listing(VENUE, each.inst_id, heard, base, kind, status, terms)


def _said(text: str, name: str) -> float | None:
    return positive(text, name) if text not in ("", "0") else None
