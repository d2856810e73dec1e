"""Reads a position file: what someone holds and on what margin; docs/plan.md has the format."""

from pathlib import Path
from typing import cast, get_args

from airpocket.domain.errors import UnknownInstrument
from airpocket.domain.instruments import instrument
from airpocket.domain.positions import MarginMode, Position, Positions
from airpocket.domain.units import PositionSide
from airpocket.ingest.entries import Entry, read_entries


def read_positions(path: Path) -> Positions:
    """Every [[position]] of a file, in its order.

    Raises:
        BadInput: unreadable, or an entry is wrong; names file, entry and field.
    """
    return positions_from(read_entries(path))


def positions_from(top: Entry) -> Positions:
    """The same from entries that came some other way.

    Raises:
        BadInput: an entry is wrong; names entry and field.
    """
    portfolio = top.maybe_positive("portfolio_usd")
    positions = tuple(_position(entry) for entry in top.entries("position"))
    top.done()
    named = [position.id for position in positions if position.id]
    for twin in named:
        if named.count(twin) > 1:
            top.fail(f"two positions have the id {twin!r}", "id")
    return Positions(positions=positions, portfolio_usd=portfolio)


def _position(entry: Entry) -> Position:
    venue, symbol = entry.text("venue"), entry.text("symbol")
    _check_contract(entry, venue, symbol)
    mode = cast("MarginMode", entry.choice("margin_mode", get_args(MarginMode)))
    found = Position(
        venue=venue,
        symbol=symbol,
        side=cast("PositionSide", entry.choice("side", get_args(PositionSide))),
        size_coin=entry.positive("size_coin"),
        entry_price=entry.positive("entry_price"),
        opened_at=entry.time("opened_at"),
        margin_mode=mode,
        leverage_x=entry.maybe_positive("leverage_x"),
        wallet_usd=entry.maybe_positive("wallet_usd"),
        id=entry.maybe_text("id"),
        note=entry.maybe_text("note"),
    )
    _check_margin(entry, found)
    entry.done()
    return found


def _check_contract(entry: Entry, venue: str, symbol: str) -> None:
    try:
        contract = instrument(venue, symbol)
    except UnknownInstrument as error:
        entry.fail(str(error), "venue" if str(error).startswith("unknown venue") else "symbol")
    if contract.kind == "inverse":
        entry.fail(
            f"{symbol} is coin-margined (inverse); plans know linear perpetuals only so far",
            "symbol",
        )
    if contract.kind != "linear":
        entry.fail(f"{symbol} is no perpetual but {contract.kind}", "symbol")


def _check_margin(entry: Entry, position: Position) -> None:
    """Each margin mode needs what its liquidation price is computed from."""
    if position.margin_mode == "cross":
        if position.wallet_usd is None:
            entry.fail(
                "is missing: cross margin stands on the account's wallet balance", "wallet_usd"
            )
        if position.leverage_x is not None:
            entry.fail(
                "does not apply: with cross margin the wallet, not the chosen leverage, decides",
                "leverage_x",
            )
    elif position.margin_mode == "isolated":
        if position.leverage_x is None and position.wallet_usd is None:
            entry.fail("is missing: isolated margin needs leverage_x or wallet_usd", "leverage_x")
        if position.leverage_x is not None and position.wallet_usd is not None:
            entry.fail("gives the margin twice: keep leverage_x or wallet_usd", "wallet_usd")
    else:
        entry.fail(
            "portfolio margin is the venue's own stress test and is not modelled; give cross or isolated",
            "margin_mode",
        )
