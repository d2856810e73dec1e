"""Hyperliquid's public accounts: how to ask for one, what it answers, and where addresses are met.

Anyone may ask for anyone (`clearinghouseState`, weight 2 of 1,200 a minute). Trades name both their users; the
venue's statistics host lists vaults and a leaderboard (shapes as its web page reads them, 2026).
"""

import json
import re
from collections.abc import Callable
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct, field

from airpocket.domain.accounts import AccountState, Holding
from airpocket.domain.errors import UndecodableFrame
from airpocket.ingest.feed import Poll, Socket
from airpocket.ingest.values import BadValue, number, positive, stamp_ns
from airpocket.ingest.venue import undecodable
from airpocket.ingest.venues.hyperliquid.shapes import Id, Text

VENUE = "hyperliquid"
WEIGHT_PER_MINUTE = 1_200
# HLP and the liquidators' accounts: what the venue itself takes over (addresses of its documentation)
HOUSE = (
    "0xdfc24b077bc1425ad1dea75bcb6f8158e10df303", "0x2e3d94f0562703b25c83308a05046ddaf9a8dd14",
    "0xb0a55f13d22f66e6d495ac98113841b2326e9540", "0x5e177e5e39c0f4e421f5865a6d8beed8d921cb70",
    "0x469f690213c467c39a23efacfd2816896009d7d8",
)  # fmt: skip
_URL = "https://api.hyperliquid.xyz/info"
_STATISTICS = "https://stats-data.hyperliquid.xyz/Mainnet"
_ADDRESS = re.compile(r"0x[0-9a-f]{40}")
_NOBODY = "0x" + "0" * 40
_MOST_POSITIONS = 2_000

T = TypeVar("T")


class _Leverage(Struct):
    type: Text
    value: float
    raw: Text | None = field(name="rawUsd", default=None)


class _Position(Struct):
    coin: Text
    size: Text = field(name="szi")
    leverage: _Leverage
    value: Text = field(name="positionValue")
    margin: Text = field(name="marginUsed")
    entry: Text | None = field(name="entryPx", default=None)
    liquidation: Text | None = field(name="liquidationPx", default=None)
    most: float | None = field(name="maxLeverage", default=None)


class _Row(Struct):
    position: _Position


class _Summary(Struct):
    value: Text = field(name="accountValue")


class _State(Struct):
    positions: Annotated[list[_Row], Meta(max_length=_MOST_POSITIONS)] = field(
        name="assetPositions"
    )
    cross: _Summary = field(name="crossMarginSummary")
    time: Id = 0  # not said in 2023


class _Traded(Struct):
    users: tuple[str, str] | None = None


class _Said(Struct):
    channel: Text = ""
    data: msgspec.Raw = field(default_factory=msgspec.Raw)


class _Ranked(Struct):
    address: str = field(name="ethAddress")
    value: str = field(name="accountValue", default="0")


class _Leaderboard(Struct):
    rows: list[_Ranked] = field(name="leaderboardRows")


class _Vault(Struct):
    address: str = field(name="vaultAddress")
    tvl: str = "0"
    closed: bool = field(name="isClosed", default=False)


class _Listed(Struct):
    summary: _Vault


_STATE = msgspec.json.Decoder(_State)
_SAID = msgspec.json.Decoder(_Said)
_TRADES = msgspec.json.Decoder(list[_Traded])
_BOARD = msgspec.json.Decoder(_Leaderboard)
_VAULTS = msgspec.json.Decoder(list[_Listed])


def ask_account(address: str) -> Poll:
    """The question what an account holds."""
    return _info({"type": "clearinghouseState", "user": address}, 2)


def ask_contexts() -> Poll:
    """The question for every contract's open interest and mark; the venue's decoder reads the answer."""
    return _info({"type": "metaAndAssetCtxs"}, 20)


def ask_trades(symbol: str) -> Poll:
    """The question for a contract's last ten trades."""
    return _info({"type": "recentTrades", "coin": symbol}, 20)


def ask_leaderboard() -> Poll:
    """The question for the venue's leaderboard, some 25 MB."""
    return Poll(VENUE, f"{_STATISTICS}/leaderboard", (), every_s=0.0)


def ask_vaults() -> Poll:
    """The question for all vaults."""
    return Poll(VENUE, f"{_STATISTICS}/vaults", (), every_s=0.0)


def trades_socket(symbols: tuple[str, ...]) -> Socket:
    """A connection that brings the trades of some contracts and nothing else."""
    hello = tuple(
        json.dumps({"method": "subscribe", "subscription": {"type": "trades", "coin": symbol}})
        for symbol in symbols
    )
    return Socket(
        VENUE, "census", "wss://api.hyperliquid.xyz/ws", (), hello=hello,
        ping='{"method":"ping"}', ping_every_s=30.0, sends_per_s=10.0,
    )  # fmt: skip


def address_of(text: str) -> str:
    """An address as the venue writes it, in small letters.

    Raises:
        BadValue: not 0x and forty hexadecimal digits.
    """
    address = text.strip().lower()
    if not _ADDRESS.fullmatch(address):
        raise BadValue(f"{text[:50]!r} is no address: 0x and 40 hexadecimal digits")
    return address


def read_account(body: bytes, address: str, heard: int) -> AccountState:
    """What an account held; one that the venue does not know is flat.

    Raises:
        UndecodableFrame: the answer is of another shape, or holds an impossible value.
    """
    return _guarded(body, lambda: _account(_STATE.decode(body), address, heard))


def read_users(frame: bytes) -> list[str]:
    """Both users of every trade in a frame of the trades channel or an answer of recent trades; else none."""

    def users() -> list[str]:
        rows = frame
        if frame.lstrip()[:1] == b"{":
            said = _SAID.decode(frame)
            if said.channel != "trades":
                return []
            rows = bytes(said.data)
        named = [user.lower() for each in _TRADES.decode(rows) for user in each.users or ()]
        return [
            user for user in dict.fromkeys(named) if _ADDRESS.fullmatch(user) and user != _NOBODY
        ]

    return _guarded(frame, users)


def read_leaderboard(body: bytes) -> list[str]:
    """Addresses of the leaderboard, the richest first."""
    return _guarded(
        body, lambda: _by_value([(row.address, row.value) for row in _BOARD.decode(body).rows])
    )


def read_vaults(body: bytes) -> list[str]:
    """Addresses of the vaults that are open, the largest first."""
    return _guarded(
        body,
        lambda: _by_value(
            [
                (v.summary.address, v.summary.tvl)
                for v in _VAULTS.decode(body)
                if not v.summary.closed
            ]
        ),
    )


def _info(asked: dict[str, str], weight: int) -> Poll:
    return Poll(VENUE, _URL, (), every_s=0.0, body=json.dumps(asked), weight=weight)


def _by_value(rows: list[tuple[str, str]]) -> list[str]:
    ranked = sorted(rows, key=lambda row: -number(row[1], "account value"))
    return list(dict.fromkeys(address_of(address) for address, _ in ranked))


def _account(state: _State, address: str, heard: int) -> AccountState:
    told = stamp_ns(state.time, "account time") if state.time else heard
    open_ = [row.position for row in state.positions if number(row.position.size, "size") != 0.0]
    sizes = [number(each.size, "size") for each in open_]
    marks = [_mark(each, size) for each, size in zip(open_, sizes, strict=True)]
    worth = sum(
        size * mark
        for each, size, mark in zip(open_, sizes, marks, strict=True)
        if each.leverage.type == "cross"
    )
    cash = number(state.cross.value, "account value") - worth
    return AccountState(
        venue=VENUE, account=address, ts=min(told, heard), usable_from=heard,
        holdings=tuple(
            _holding(each, size, mark, cash)
            for each, size, mark in zip(open_, sizes, marks, strict=True)
        ),
    )  # fmt: skip


def _mark(position: _Position, size: float) -> float:
    return positive(position.value, "position value") / abs(size)


def _holding(position: _Position, size: float, mark: float, cross_cash: float) -> Holding:
    kind = position.leverage.type
    if kind not in ("cross", "isolated"):
        raise BadValue(f"leverage type {kind[:20]!r}")
    cash = cross_cash
    if kind == "isolated":
        raw = position.leverage.raw
        margin = number(position.margin, "margin used")
        cash = margin - size * mark if raw is None else number(raw, "raw USD")
    leverage, liquidation = position.leverage.value, position.liquidation
    return Holding(
        symbol=position.coin, size_coin=size, mark=mark, cash_usd=cash,
        backing="cross" if kind == "cross" else "isolated",
        entry_price=None if position.entry is None else positive(position.entry, "entry price"),
        leverage_x=positive(leverage, "leverage"),
        max_leverage_x=None if position.most is None else positive(position.most, "largest leverage"),
        liquidation_price=None if liquidation is None else positive(liquidation, "liquidation price"),
    )  # fmt: skip


def _guarded(body: bytes, read: Callable[[], T]) -> T:
    try:
        return read()
    except (msgspec.DecodeError, UnicodeDecodeError, BadValue, ValueError, RecursionError) as error:
        raise _refused(body, error) from error


def _refused(body: bytes, error: Exception) -> UndecodableFrame:
    reason = str(error) or "nested too deep"
    return undecodable(VENUE, f"{reason}; the answer begins {body[:60]!r}")
