"""One look at an account through ccxt: what the key may do is asked before anything else is."""

import importlib
import re
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
    """How ccxt calls it, and the only hosts it may be reached at. open: accounts are public, by address."""

    ccxt_id: str
    hosts: frozenset[str]
    open: bool = False


VENUES: dict[str, _Venue] = {
    "binance_usdm": _Venue("binance", frozenset({"api.binance.com", "fapi.binance.com"})),
    "bybit_linear": _Venue("bybit", frozenset({"api.bybit.com"})),
    "okx": _Venue("okx", frozenset({"www.okx.com"})),
    "deribit": _Venue("deribit", frozenset({"www.deribit.com"})),
    "hyperliquid": _Venue("hyperliquid", frozenset({"api.hyperliquid.xyz"}), open=True),
}
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


def check_given(credentials: Credentials) -> None:
    """Refuse what can't be the means to read an account there.

    Raises:
        BadInput: no such venue; a key or its secret is missing; no address where an address is all it takes.
    """
    venue = VENUES.get(credentials.venue)
    if venue is None:
        raise BadInput(
            f"accounts of {credentials.venue!r} can't be read; of these they can: {', '.join(VENUES)}"
        )
    if venue.open and not _ADDRESS.fullmatch(credentials.key.reveal()):
        raise BadInput(
            f"{credentials.venue} takes the account's public address, 0x and 40 hexadecimal digits, and never a "
            "private key: if that was one, it should be thought known to others from now on"
        )
    if not venue.open and not (credentials.key.reveal() and credentials.secret.reveal()):
        raise BadInput("a key and a secret are needed")


class Line:
    """Signed questions to one venue, at its own hosts alone; errors never hold a key or a signature."""

    def __init__(self, credentials: Credentials, world: World) -> None:
        """Raises MissingExtra without ccxt, BadInput for a venue whose accounts can't be read, or not with that."""
        check_given(credentials)
        venue = VENUES[credentials.venue]
        try:
            self._ccxt: Any = importlib.import_module("ccxt")
        except ImportError:
            raise MissingExtra("account", "accounts") from None
        self._credentials = credentials
        self._session = GuardedSession(credentials.venue, venue.hosts, world)
        signs = {} if venue.open else {
            "apiKey": credentials.key.reveal(), "secret": credentials.secret.reveal(),
            "password": credentials.passphrase.reveal(),
        }  # fmt: skip
        self._always = {"user": credentials.key.reveal()} if venue.open else {}
        self._exchange: Any = getattr(self._ccxt, venue.ccxt_id)(
            {**signs, "enableRateLimit": True, "timeout": _TIMEOUT_MS}
        )
        self._exchange.session = self._session

    def ask(self, method: str, params: dict[str, str] | None = None) -> object:
        """One answer.

        Raises:
            VenueRefused: the venue said no, or could not be reached.
            UndecodableFrame: an answer that is not JSON.
        """
        try:
            return getattr(self._exchange, method)({**(params or {}), **self._always})
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
