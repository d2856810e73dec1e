"""What a key may do, by the venue's own word: withdrawing is always refused, trading unless it was allowed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from airpocket.domain.errors import BadInput, UndecodableFrame, VenueRefused
from airpocket.ingest.own.rows import Row, boolean, first, rows_of, texts

# method of ccxt, parameters → the venue's answer
Ask: TypeAlias = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Scope:
    """Withdrawals and transfers out count as one: both move money away. told: the venue's own words."""

    withdraw: bool
    trade: bool
    told: str


def scope_of(venue: str, ask: Ask, key: str) -> Scope:
    """Ask the venue.

    Raises:
        VenueRefused, UndecodableFrame: the venue did not say.
    """
    return _SCOPES[venue](ask, key)


def check_scope(scope: Scope, name: str, *, allow_trade: bool) -> None:
    """Refuse what may do more than it must.

    Raises:
        BadInput: the key can withdraw or transfer; or trade, and that was not allowed.
    """
    if scope.withdraw:
        raise BadInput(
            f"account {name}: its key may withdraw or transfer ({scope.told}): refused, always. Make one that "
            "can only read, and revoke this one"
        )
    if scope.trade and not allow_trade:
        raise BadInput(
            f"account {name}: its key may trade ({scope.told}): refused. Make one that can only read, or say "
            "--allow-trade"
        )


def _binance(ask: Ask, _: str) -> Scope:
    where = "binance_usdm apiRestrictions"
    row = Row(where, ask("sapiGetAccountApiRestrictions"))
    moves = ("enableWithdrawals", "enableInternalTransfer", "permitsUniversalTransfer")
    reads = ("enableReading", "enableFixReadOnly")
    boolean(row, "enableWithdrawals")
    rights = [n for n in row.names() if n.startswith(("enable", "permits")) and n not in reads]
    on = [name for name in rights if row.has(name) and boolean(row, name)]
    told = ", ".join(on) or "reading alone"
    # a right that is not known here counts as trading, at the least
    return Scope(any(n in moves for n in on), any(n not in moves for n in on), told)


def _bybit(ask: Ask, _: str) -> Scope:
    row = Row("bybit_linear query-api", ask("privateGetV5UserQueryApi")).row("result")
    granted = row.row("permissions")
    wallet = texts(granted, "Wallet") if granted.has("Wallet") else []
    may = {name for name in granted.names() if name != "Wallet" and texts(granted, name)}
    only_reads = row.text("readOnly") == "1"
    told = ", ".join([*sorted(may), *wallet]) + (" (read only)" if only_reads else "")
    return Scope(bool(wallet) and not only_reads, bool(may) and not only_reads, told or "nothing")


def _okx(ask: Ask, _: str) -> Scope:
    row = first(Row("okx account config", ask("privateGetAccountConfig")), "data")
    told = row.text("perm")
    granted = {part.strip() for part in told.split(",")}
    strange = granted - {"read_only", "trade", "withdraw"}
    if strange:
        raise UndecodableFrame(
            f"okx account config: permission {sorted(strange)[0]!r} is not known"
        )
    return Scope("withdraw" in granted, "trade" in granted, told)


def _deribit(ask: Ask, key: str) -> Scope:
    listed = Row("deribit list_api_keys", ask("privateGetListApiKeys"))
    for row in rows_of(listed, "result"):
        if row.text("client_id") == key:
            told = row.text("max_scope")
            scopes = set(told.split())
            wide = {"mainaccount", "account:read_write", "custody:read_write", "wallet:read_write"}
            # trade, block trades, and whatever else is not known here but writes
            writes = {each for each in scopes - wide if each.endswith(":read_write")}
            return Scope(bool(scopes & wide), bool(writes), told)
    raise VenueRefused(
        "deribit: it does not list this key, so what it may do is not known: refused"
    )


def _hyperliquid(_: Ask, address: str) -> Scope:
    """Anyone may read any account there: an address signs nothing."""
    return Scope(withdraw=False, trade=False, told=f"the public address {address}")


_SCOPES: dict[str, Callable[[Ask, str], Scope]] = {
    "binance_usdm": _binance,
    "bybit_linear": _bybit,
    "okx": _okx,
    "deribit": _deribit,
    "hyperliquid": _hyperliquid,
}
