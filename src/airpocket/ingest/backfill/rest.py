"""The REST edge: ccxt behind a guarded session, paced, with bounded retries and errors in plain words."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from types import ModuleType
from typing import Any, Protocol, TypeVar, cast

from airpocket.domain.errors import (
    AirpocketError,
    MissingExtra,
    UndecodableFrame,
    UnknownInstrument,
    VenueRefused,
)
from airpocket.domain.instruments import Instrument, instrument
from airpocket.domain.units import SECOND_NS, format_interval, format_time
from airpocket.ingest.backfill.convert import MS_NS, Market, Row
from airpocket.ingest.backfill.deribit import (
    ASKED_DIRECTLY,
    RESOLUTIONS,
    Question,
    deribit_question,
)
from airpocket.ingest.backfill.plan import Window
from airpocket.ingest.backfill.session import GuardedSession, World, one_line
from airpocket.ingest.backfill.venues import PRICE_OF, Offer, VenueRest, venue_rest

TIMEOUT_MS = 20_000
T = TypeVar("T")
_CHOKED = (KeyError, TypeError, ValueError, IndexError, AttributeError)  # ccxt on an odd shape
_WORTH_A_RETRY = (408, 418, 429)


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long to wait for a venue: full-jitter backoff, seconds."""

    attempts: int = 6
    first_s: float = 1.0
    cap_s: float = 60.0
    longest_asked_s: float = 120.0  # a venue that asks for more is taken at its word: stop

    def backoff_s(self, attempt: int, chance: float) -> float:
        """Seconds before attempt + 1; `chance` in [0, 1) comes from the caller's seeded source."""
        return chance * min(self.cap_s, self.first_s * 2.0**attempt)


class _Exchange(Protocol):
    """What we use of a ccxt exchange."""

    markets: dict[str, dict[str, Any]]
    timeframes: dict[str, object]
    has: dict[str, object]
    options: dict[str, object]
    rateLimit: float  # noqa: N815 - ccxt's own names
    session: Any
    throttle: Callable[[float | None], None]
    parse_ohlcv: Callable[..., list[object]]
    filter_by_since_limit: Callable[..., list[Row]]
    filter_by_value_since_limit: Callable[..., list[Row]]
    load_markets: Callable[[], object]
    iso8601: Callable[[int], str]
    fetch: Callable[[str], object]
    fetch_ohlcv: Callable[..., list[Row]]
    fetch_funding_rate_history: Callable[..., list[Row]]
    fetch_open_interest_history: Callable[..., list[Row]]
    fetch_long_short_ratio_history: Callable[..., list[Row]]
    fetch_market_leverage_tiers: Callable[..., list[dict[str, Any]]]


class VenueClient:
    """History of one venue, page by page. Use as a context manager."""

    def __init__(self, venue: str, world: World, patience: Patience | None = None) -> None:
        """Raises MissingExtra without ccxt, BadInput for a venue that backfill does not speak to."""
        self.venue = venue
        self.rest: VenueRest = venue_rest(venue)
        self._ccxt = _ccxt()
        self._world = world
        self._patience = patience or Patience()
        self._session = GuardedSession(venue, self.rest.hosts, world)
        self._exchange = self._open()
        self._last_request: int | None = None

    def __enter__(self) -> "VenueClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    @property
    def requests(self) -> int:
        """Requests sent so far, retries and market lists included."""
        return self._session.requests

    def market(self, symbol: str) -> Market:
        """The contract behind the venue's own symbol, from the venue's instrument list.

        Raises:
            UnknownInstrument: the venue does not write symbols like this, or does not list it.
        """
        known = instrument(self.venue, symbol)
        if known.kind == "index":  # in no list of instruments
            return Market(self.venue, symbol, unified=known.base, kind="index", contract_size=None)
        self._ask(self._exchange.load_markets)
        for found in self._exchange.markets.values():
            if _is(found, known):
                size, listed = found.get("contractSize"), found.get("created")
                return Market(
                    self.venue,
                    symbol,
                    unified=str(found["symbol"]),
                    kind=known.kind,
                    contract_size=float(size) if size else None,
                    listed=int(listed) * MS_NS if listed else None,
                )
        raise UnknownInstrument(f"{self.venue} does not list '{symbol}'")

    def offers_interval(self, step_ns: int, family: str = "bar") -> bool:
        """Whether the venue serves bars of this length."""
        known = RESOLUTIONS if family == "vol_index" else self._exchange.timeframes
        return format_interval(step_ns) in known

    def page(self, market: Market, family: str, window: Window, step_ns: int) -> list[Row]:
        """What the venue answers for a window; perhaps less than all of it, perhaps rows outside it.

        Raises:
            VenueRefused: an error answer, or none after all retries.
            UndecodableFrame: an answer that ccxt can't read.
        """
        offer = self.rest.offers[family]
        since, until = window.start // MS_NS, -(-window.end // MS_NS) - 1
        if family in ASKED_DIRECTLY:
            return self._direct(
                deribit_question(market, family, (since, until), offer.page, step_ns)
            )
        params = self._end(offer, until)
        symbol, exchange = market.unified, self._exchange
        if family in PRICE_OF:
            limit = max(1, (window.end - window.start) // step_ns)
            if PRICE_OF[family]:
                params["price"] = PRICE_OF[family]
            period = format_interval(step_ns)
            return self._ask(lambda: exchange.fetch_ohlcv(symbol, period, since, limit, params))
        if family == "tier":  # the venue's own rows, as of now: ccxt's leave out amounts and units
            tiers = self._ask(lambda: exchange.fetch_market_leverage_tiers(symbol))
            return [cast("Row", tier["info"]) for tier in tiers]
        if family == "funding":
            call = exchange.fetch_funding_rate_history
            return self._ask(lambda: call(symbol, since, offer.page, params))
        period = format_interval(step_ns)
        if family == "open_interest":
            call = exchange.fetch_open_interest_history
        else:
            call = exchange.fetch_long_short_ratio_history
            if offer.until == "endTime":  # ccxt forgets the start of Bybit's ratio windows
                params["startTime"] = since
        return self._ask(lambda: call(symbol, period, since, offer.page, params))

    def _direct(self, question: Question) -> list[Row]:
        """One answer of an endpoint that ccxt does not know, through its session, pacing and errors."""

        def ask() -> object:
            self._pace()
            return self._exchange.fetch(question.url)

        found: Any = self._ask(ask)
        for name in ("result", question.rows):
            found = cast("dict[str, object]", found).get(name) if isinstance(found, dict) else None
        if not isinstance(found, list):
            raise UndecodableFrame(f"{self.venue}: an answer without {question.rows}")
        return cast("list[Row]", found)

    def _end(self, offer: Offer, until: int) -> dict[str, object]:
        if not offer.until:
            return {}
        if offer.until == "effectiveBeforeOrAt":
            return {offer.until: self._exchange.iso8601(until)}
        return {offer.until: until}

    def _open(self) -> _Exchange:
        settings = {"enableRateLimit": True, "timeout": TIMEOUT_MS, "verbose": False}
        exchange = cast("_Exchange", getattr(self._ccxt, self.rest.ccxt_id)(settings))
        exchange.session.close()
        exchange.session = self._session
        exchange.has["fetchCurrencies"] = (
            False  # needs a key on some venues, and we need none of it
        )
        if self.rest.markets:
            listed = exchange.options.get("fetchMarkets")
            base = cast("dict[str, object]", listed) if isinstance(listed, dict) else {}
            exchange.options["fetchMarkets"] = base | {"types": list(self.rest.markets)}
        exchange.throttle = self._pace
        _keep_everything(exchange, self.venue)
        return exchange

    def _pace(self, cost: float | None = None) -> None:
        """ccxt's own spacing of requests, on our clock."""
        gap_ns = int(self._exchange.rateLimit * (1 if cost is None else cost) * MS_NS)
        now = self._world.clock.monotonic()
        if self._last_request is not None and now - self._last_request < gap_ns:
            self._world.sleep((gap_ns - (now - self._last_request)) / SECOND_NS)
        self._last_request = self._world.clock.monotonic()

    def _ask(self, call: Callable[[], T]) -> T:
        ccxt, trouble = self._ccxt, ""
        for attempt in range(self._patience.attempts):
            try:
                return call()
            except AirpocketError:
                raise
            except (ccxt.BadResponse, *_CHOKED) as error:
                if self._session.status < 400:
                    raise UndecodableFrame(
                        f"{self.venue}: an answer that can't be read "
                        f"({type(error).__name__}: {one_line(error)})"
                    ) from error
                trouble = one_line(error)
                wait_s = self._wait_s(attempt, error)
            except ccxt.RestrictedLocation as error:
                raise VenueRefused(
                    f"{self.venue} is not reachable from this place: {one_line(error)}"
                ) from error
            except (ccxt.NetworkError, OSError) as error:
                trouble = one_line(error)
                wait_s = self._wait_s(attempt, error)
            except ccxt.BaseError as error:
                raise VenueRefused(f"{self.venue} refuses: {one_line(error)}") from error
            if attempt + 1 < self._patience.attempts:
                self._world.sleep(wait_s)
        raise VenueRefused(
            f"{self.venue} did not answer in {self._patience.attempts} attempts: {trouble}"
        )

    def _wait_s(self, attempt: int, error: Exception) -> float:
        status = self._session.status
        if 400 <= status < 500 and status not in _WORTH_A_RETRY:
            raise VenueRefused(f"{self.venue} answers {status}: {one_line(error)}") from error
        now = self._world.clock.now()
        asked = retry_after_s(self._session.answer_headers, now)
        if status == 418 and asked is None:
            raise VenueRefused(
                f"{self.venue} answers 418: it has banned this address for asking too often; "
                "what came before is stored, run again later"
            ) from error
        if asked is not None and asked > self._patience.longest_asked_s:
            later = format_time((now // SECOND_NS + int(asked)) * SECOND_NS)
            raise VenueRefused(
                f"{self.venue} answers {status} and asks to wait until {later}; "
                "what came before is stored, run again then"
            ) from error
        backoff_s = self._patience.backoff_s(attempt, self._world.chance())
        return backoff_s if asked is None else asked + backoff_s


def retry_after_s(headers: Mapping[str, str], now: int) -> float | None:
    """Seconds a venue asks to wait, from Retry-After as seconds or as a date; None where it asks nothing."""
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, moment.timestamp() - now / SECOND_NS)


def _ccxt() -> ModuleType:
    try:
        return importlib.import_module("ccxt")
    except ImportError as error:
        raise MissingExtra("backfill", "backfill") from error


def _keep_everything(exchange: _Exchange, venue: str) -> None:
    """Make ccxt hand over all it got: it cuts bars to six columns and drops rows it finds unfit, unsaid."""
    parse = exchange.parse_ohlcv

    def with_own_row(row: object, market: object = None) -> list[object]:
        return [*parse(row, market), row]

    def every_row(rows: Sequence[Row] | None, *_: object, **__: object) -> list[Row]:
        return list(rows or ())

    def one_contract(
        rows: Sequence[Mapping[str, object]], field: str, value: object, *_: object, **__: object
    ) -> list[Row]:
        if value is not None and any(row.get(field) != value for row in rows):
            raise UndecodableFrame(f"{venue}: rows of another contract than {value}")
        return list(rows)

    exchange.parse_ohlcv = with_own_row
    exchange.filter_by_since_limit = every_row
    exchange.filter_by_value_since_limit = one_contract


def _is(found: Mapping[str, Any], known: Instrument) -> bool:
    if known.kind == "spot":
        named = found["symbol"] if known.venue == "kraken_spot" else found["id"]
        return bool(found.get("spot")) and named == known.symbol
    own: Mapping[str, Any] = found.get("info") or {}
    named = own.get("name") if known.venue == "hyperliquid" else found["id"]
    return bool(found.get("swap")) and named == known.symbol and bool(found.get(known.kind))
