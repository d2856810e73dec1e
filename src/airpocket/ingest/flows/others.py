"""Decoders of Deribit's volatility index and of Whale Alert's transfers. Pure."""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct, field

from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.units import DAY_NS, day_of
from airpocket.ingest.flows.told import Level, Told, Transfer, decoded
from airpocket.ingest.values import BadValue, nonnegative, positive, stamp_ns

# Whale Alert's owner types → ours; what is not named here is unknown
_PARTIES: Mapping[str, str] = MappingProxyType(
    {"exchange": "exchange", "wallet": "wallet", "custodian": "custody", "treasury": "issuer", "bridge": "l2",
     "layer2": "l2"}
)  # fmt: skip


class _Bars(Struct, frozen=True):
    data: list[tuple[int, float, float, float, float]]
    continuation: int | None = None


class _Index(Struct, frozen=True):
    result: _Bars


def volatility_index(body: bytes, coin: str, now: int) -> Told:
    """`get_volatility_index_data`, resolution 1D: the bar of a day that is not over is left out."""
    source = "deribit"
    found: list[Level] = []
    notes: list[str] = []
    for stamp, *prices in decoded(source, body, _Index).result.data:
        try:
            time = stamp_ns(stamp, "timestamp")
            first, high, low, close = (positive(price, "DVOL") for price in prices)
        except BadValue as error:
            raise UndecodableFrame(f"{source}: {error}") from error
        if not low <= min(first, close) <= max(first, close) <= high:
            raise UndecodableFrame(
                f"{source}: DVOL on {day_of(time)}: open or close outside low and high"
            )
        if time % DAY_NS:
            raise UndecodableFrame(f"{source}: DVOL bar at {time}: not the start of a UTC day")
        if time + DAY_NS > now:
            notes.append(f"{day_of(time)}: the day is not over, left out")
        else:
            found.append(Level(f"{coin}-DVOL", time, first, high, low, close))
    return Told(levels=tuple(found), notes=tuple(notes))


class _Party(Struct, frozen=True):
    owner_type: str = "unknown"


class _Moved(Struct, frozen=True):
    blockchain: str
    symbol: str
    hash: str
    timestamp: int
    amount: float
    sender: _Party = field(name="from")
    receiver: _Party = field(name="to")
    amount_usd: float | None = None


class _Alert(Struct, frozen=True):
    result: str
    message: str = ""
    cursor: str = ""
    transactions: list[_Moved] = []


def large_transfers(body: bytes) -> Told:
    """`/v1/transactions` (docs.whale-alert.io): seconds, coin, dollars where known, who by type of owner.

    Raises:
        UndecodableFrame: another shape, or the answer says that it refuses.
    """
    source = "whale_alert"
    answer = decoded(source, body, _Alert)
    if answer.result != "success":
        raise UndecodableFrame(f"{source}: says {answer.result[:20]}: {answer.message[:120]}")
    found: list[Transfer] = []
    for each in answer.transactions:
        try:
            time = stamp_ns(each.timestamp, "timestamp", "s")
            size = nonnegative(each.amount, "amount")
            usd = None if each.amount_usd is None else nonnegative(each.amount_usd, "amount_usd")
        except BadValue as error:
            raise UndecodableFrame(f"{source}: {error}") from error
        parties = [_PARTIES.get(who.owner_type, "unknown") for who in (each.sender, each.receiver)]
        tx = f"{each.blockchain}:{each.hash}"
        found.append(Transfer(each.symbol.upper(), tx, time, size, usd, *parties))
    return Told(transfers=tuple(found))
