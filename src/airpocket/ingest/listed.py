"""Contract lists as venues answer them: what every reader of one needs, and the polls that ask for them."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from airpocket.domain.channels import Channel
from airpocket.domain.instruments import instrument
from airpocket.domain.units import EARLIEST, LATEST
from airpocket.domain.wire import Listing, LiveEvent, Roll, Status
from airpocket.ingest.feed import Poll

LIST_EVERY_S = (
    240.0  # with its jitter below the five minutes within which a new contract is to be found
)
_SILENCE_S = 600.0


class Terms(NamedTuple):
    """What a listing says beyond name, kind and status; None where it does not."""

    contract_size: float | None = 1.0
    size_unit: Literal["coin", "usd"] = "coin"
    tick_size: float | None = None
    lot_size: float | None = None
    listed_at: int | None = None
    ends_at: int | None = None
    funding_interval_s: int | None = None
    funding_cap: float | None = None
    funding_floor: float | None = None


def listing(
    venue: str, symbol: str, heard: int, base: str,
    kind: Literal["spot", "linear", "inverse", "option"], status: Status, terms: Terms,
) -> Listing:  # fmt: skip
    """One row of a list; it is said when it was heard."""
    return Listing(
        venue=venue, symbol=symbol, ts=heard, usable_from=heard, heard=heard, base=base, kind=kind,
        status=status, **terms._asdict(),
    )  # fmt: skip


def rolled(venue: str, address: str, rows: Sequence[LiveEvent], heard: int) -> list[LiveEvent]:
    """The rows, and that the list ended with them."""
    symbols = tuple(row.symbol for row in rows)
    return [*rows, Roll(venue=venue, symbol="", ts=heard, usable_from=heard, heard=heard,
                        scope=scope_of(address), symbols=symbols)]  # fmt: skip


def scope_of(address: str) -> str:
    """'https://…/v5/market/instruments-info?category=linear' → 'instruments-info?category=linear'.

    A question that was posted stands behind a #.
    """
    parts = urlsplit(address)
    asked = "".join(
        f"{mark}{part}" for mark, part in (("?", parts.query), ("#", parts.fragment)) if part
    )
    return f"{parts.path.rsplit('/', maxsplit=1)[-1]}{asked}"


def path_of(address: str) -> str:
    """The last part of an address's path: which question a REST body answers."""
    return urlsplit(address).path.rsplit("/", maxsplit=1)[-1]


def moment_ns(ms: int | str | None) -> int | None:
    """Milliseconds → ns; None for 0, '' and the far years that stand for never."""
    if ms in (None, "", "0", 0):
        return None
    text = str(ms)
    at = int(text) * 1_000_000 if text.isascii() and text.isdigit() and len(text) < 16 else 0
    return at if EARLIEST <= at < LATEST else None


def step_of(decimals: int) -> float:
    """3 → 0.001, as a venue that counts decimals means it."""
    return float(Decimal(1).scaleb(-decimals))


def coins_of(venue: str, symbols: Iterable[str]) -> list[str]:
    """The coins behind symbols, sorted."""
    return sorted({instrument(venue, symbol).base for symbol in symbols})


def list_poll(
    venue: str, url: str, coins: Iterable[str], *, weight: int = 1, body: str = ""
) -> Poll:
    """A list asked for again and again; it proves itself to every coin whose contracts stand on it."""
    channels = tuple(Channel("listings", coin, _SILENCE_S) for coin in coins)
    return Poll(venue, url, channels, every_s=LIST_EVERY_S, weight=weight, body=body)
