"""Holdings as a position file, so that a look at an account can be kept, edited and planned from."""

import json

from airpocket.domain.instruments import instrument
from airpocket.domain.positions import Balance, OptionPosition, Position, Positions
from airpocket.domain.units import format_time


def as_file(held: Positions, said: str) -> str:
    """The TOML text that `read_positions` reads back as the same holdings; `said` stands on top of it."""
    entries = [_position(each) for each in held.positions]
    entries += [_option(each) for each in held.options]
    entries += [_balance(each) for each in held.balances]
    return "\n".join([f"# {said}", "", *entries])


def _position(each: Position) -> str:
    inverse = instrument(each.venue, each.symbol).kind == "inverse"
    size = ("size_coin", each.size_coin)
    if inverse:
        size = ("size_usd", each.size_coin * each.entry_price)
    return _entry("position", {
        "venue": each.venue, "symbol": each.symbol, "side": each.side, size[0]: size[1],
        "entry_price": each.entry_price, "opened_at": format_time(each.opened_at),
        "margin_mode": each.margin_mode, "wallet_usd": each.wallet_usd, "leverage_x": each.leverage_x,
        "id": each.id or None, "note": each.note or None,
    })  # fmt: skip


def _option(each: OptionPosition) -> str:
    return _entry("option", {
        "venue": each.venue, "symbol": each.symbol, "side": each.side, "size_coin": each.size_coin,
        "entry_price": each.entry_price, "margin_mode": each.margin_mode,
    })  # fmt: skip


def _balance(each: Balance) -> str:
    return _entry("balance", {
        "venue": each.venue, "currency": each.currency, "amount": each.amount,
        "haircut_percent": 100.0 * each.haircut or None,
    })  # fmt: skip


def _entry(kind: str, fields: dict[str, str | float | None]) -> str:
    lines = [
        f"{name} = {json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)}"
        for name, value in fields.items()
        if value is not None
    ]
    return "\n".join([f"[[{kind}]]", *lines, ""])
