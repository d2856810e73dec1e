"""One look at an account through ccxt: what the key may do is asked before anything else is."""

import importlib
from dataclasses import dataclass
from typing import Any

from airpocket.domain.errors import BadInput, MissingExtra, UndecodableFrame, VenueRefused
from airpocket.domain.positions import Positions
from airpocket.ingest.backfill.session import GuardedSession, World, one_line
from airpocket.ingest.own.keys import Credentials
from airpocket.ingest.own.scope import check_scope, scope_of
from airpocket.ingest.own.secret import without
from airpocket.ingest.own.venues import holdings_of

_TIMEOUT_MS = 20_000


@dataclass(frozen=True, slots=True)
class _Venue:
    """How ccxt calls it, and the only hosts it may be reached at."""

    ccxt_id: str
    hosts: frozenset[str]


VENUES: dict[str, _Venue] = {
    "binance_usdm": _Venue("binance", frozenset({"api.binance.com", "fapi.binance.com"})),
    "bybit_linear": _Venue("bybit", frozenset({"api.bybit.com"})),
    "okx": _Venue("okx", frozenset({"www.okx.com"})),
    "deribit": _Venue("deribit", frozenset({"www.deribit.com"})),
}


class Line:
    """Signed questions to one venue, at its own hosts alone; errors never hold a key or a signature."""

    def __init__(self, credentials: Credentials, world: World) -> None:
        """Raises MissingExtra without ccxt, BadInput for a venue whose accounts can't be read."""
        if credentials.venue not in VENUES:
            raise BadInput(
                f"accounts of {credentials.venue!r} can't be read; of these they can: {', '.join(VENUES)}"
            )
        venue = VENUES[credentials.venue]
        try:
            self._ccxt: Any = importlib.import_module("ccxt")
        except ImportError:
            raise MissingExtra("account", "accounts") from None
        self._credentials = credentials
        self._session = GuardedSession(credentials.venue, venue.hosts, world)
        self._exchange: Any = getattr(self._ccxt, venue.ccxt_id)({
            "apiKey": credentials.key.reveal(), "secret": credentials.secret.reveal(),
            "password": credentials.passphrase.reveal(), "enableRateLimit": True, "timeout": _TIMEOUT_MS,
        })  # fmt: skip
        self._exchange.session = self._session

    def ask(self, method: str, params: dict[str, str] | None = None) -> object:
        """One answer.

        Raises:
            VenueRefused: the venue said no, or could not be reached.
            UndecodableFrame: an answer that is not JSON.
        """
        try:
            return getattr(self._exchange, method)(params or {})
        except (VenueRefused, UndecodableFrame):
            raise
        except (self._ccxt.BaseError, OSError) as error:
            raise VenueRefused(self._said(error)) from None

    def close(self) -> None:
        """Give the sockets back."""
        self._session.close()

    def _said(self, error: Exception) -> str:
        c = self._credentials
        told = without(one_line(error), c.key, c.secret, c.passphrase)
        denied = isinstance(error, self._ccxt.AuthenticationError)
        kind = "the venue does not accept the key" if denied else "no answer"
        return f"{c.venue}: {kind}: {told}"


def read_account(
    name: str, credentials: Credentials, world: World, *, allow_trade: bool = False
) -> Positions:
    """Everything the account holds.

    Raises:
        BadInput: the key may withdraw, or may trade and that was not allowed.
        VenueRefused, UndecodableFrame: the venue did not answer, or not as known.
        MissingExtra: ccxt is not installed.
    """
    line = Line(credentials, world)
    try:
        scope = scope_of(credentials.venue, line.ask, credentials.key.reveal())
        check_scope(scope, name, allow_trade=allow_trade)
        return holdings_of(credentials.venue, line.ask)
    finally:
        line.close()
