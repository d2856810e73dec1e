"""Reads a position file: what someone holds and on what margin; docs/plan.md has the format."""

from pathlib import Path
from typing import cast, get_args

from airpocket.domain.errors import BadInput, UnknownInstrument
from airpocket.domain.instruments import Instrument, instrument, venues, wallet_of
from airpocket.domain.portfolio import accounts_of
from airpocket.domain.positions import Balance, MarginMode, OptionPosition, Position, Positions
from airpocket.domain.units import PositionSide
from airpocket.ingest.contracts import option_named
from airpocket.ingest.entries import Entry, read_entries

MOST_PERCENT = 100.0
_LEAST_VOL, _MOST_VOL = 5.0, 500.0  # a year: outside, a fraction or a price was meant


def read_positions(path: Path) -> Positions:
    """Every [[position]], [[option]] and [[balance]] of a file, each kind in its order.

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
    percent = top.maybe_positive("volatility_percent")
    if percent is not None and not _LEAST_VOL <= percent <= _MOST_VOL:
        top.fail(
            f"must lie between {_LEAST_VOL:g} and {_MOST_VOL:g} % a year, not {percent:g}",
            "volatility_percent",
        )
    balances = tuple(_balance(entry) for entry in top.maybe_entries("balance"))
    backed = frozenset(wallet_of(each.venue) for each in balances)
    positions = tuple(_position(entry, backed) for entry in top.maybe_entries("position"))
    options = tuple(_option(entry) for entry in top.maybe_entries("option"))
    top.done()
    if not positions and not options:
        top.fail("holds no [[position]] and no [[option]]")
    _check_twins(top, positions, options, balances)
    held = Positions(
        positions=positions, options=options, balances=balances, portfolio_usd=portfolio,
        volatility=None if percent is None else percent / 100.0,
    )  # fmt: skip
    try:
        accounts_of(held)
    except BadInput as error:
        top.fail(str(error))
    return held


def _check_twins(
    top: Entry,
    positions: tuple[Position, ...],
    options: tuple[OptionPosition, ...],
    balances: tuple[Balance, ...],
) -> None:
    named = [each.id for each in (*positions, *options) if each.id]
    for twin in named:
        if named.count(twin) > 1:
            top.fail(f"two positions have the id {twin!r}", "id")
    told = [(each.venue, each.currency) for each in balances]
    for venue, currency in told:
        if told.count((venue, currency)) > 1:
            top.fail(f"two balances of {currency} at {venue}: add them up", "currency")


def _position(entry: Entry, backed: frozenset[str]) -> Position:
    contract = _contract(entry)
    mode = cast("MarginMode", entry.choice("margin_mode", get_args(MarginMode)))
    entry_price = entry.positive("entry_price")
    found = Position(
        venue=contract.venue,
        symbol=contract.symbol,
        side=cast("PositionSide", entry.choice("side", get_args(PositionSide))),
        size_coin=_size(entry, contract, entry_price),
        entry_price=entry_price,
        opened_at=entry.time("opened_at"),
        margin_mode=mode,
        leverage_x=entry.maybe_positive("leverage_x"),
        wallet_usd=entry.maybe_positive("wallet_usd"),
        id=entry.maybe_text("id"),
        note=entry.maybe_text("note"),
    )
    _check_margin(entry, found, has_balance=wallet_of(found.venue) in backed)
    entry.done()
    return found


def _contract(entry: Entry) -> Instrument:
    contract = _named(entry)
    if not contract.is_perp:
        other = "; options go into [[option]]" if contract.kind == "option" else ""
        entry.fail(f"{contract.symbol} is no perpetual but {contract.kind}{other}", "symbol")
    return contract


def _named(entry: Entry) -> Instrument:
    venue, symbol = entry.text("venue"), entry.text("symbol")
    try:
        return instrument(venue, symbol)
    except UnknownInstrument as error:
        entry.fail(str(error), "venue" if str(error).startswith("unknown venue") else "symbol")


def _size(entry: Entry, contract: Instrument, entry_price: float) -> float:
    """Coins, from whichever one unit the size is given in."""
    units = {name: entry.maybe_positive(name) for name in ("size_coin", "size_usd", "size_contracts")}  # fmt: skip
    given = [name for name, size in units.items() if size is not None]
    inverse = contract.kind == "inverse"
    usual = "size_usd" if inverse else "size_coin"
    if not given:
        entry.fail("is missing", usual)
    if len(given) > 1:
        entry.fail(f"gives the size twice: keep {given[0]} or {given[1]}", given[1])
    name, size = given[0], units[given[0]] or 0.0
    if name == "size_contracts":
        return _of_contracts(entry, contract, size, entry_price)
    if name != usual:
        why = (
            f"{contract.symbol} is coin-margined (inverse): it counts in USD; give size_usd or size_contracts"
            if inverse
            else f"{contract.symbol} counts in coin; give size_coin or size_contracts"
        )
        entry.fail(why, name)
    return size / entry_price if inverse else size


def _of_contracts(
    entry: Entry, contract: Instrument, contracts: float, entry_price: float
) -> float:
    worth = contract.contract_size
    if worth is None:
        entry.fail(
            f"what one contract of {contract.symbol} is worth is not known here; give size_coin",
            "size_contracts",
        )
    return contracts * worth / (entry_price if contract.kind == "inverse" else 1.0)


def _check_margin(entry: Entry, position: Position, *, has_balance: bool) -> None:
    """Each margin mode needs what its liquidation price is computed from."""
    if position.margin_mode == "isolated":
        if position.leverage_x is None and position.wallet_usd is None:
            entry.fail("is missing: isolated margin needs leverage_x or wallet_usd", "leverage_x")
        if position.leverage_x is not None and position.wallet_usd is not None:
            entry.fail("gives the margin twice: keep leverage_x or wallet_usd", "wallet_usd")
        return
    if position.leverage_x is not None:
        entry.fail(
            f"does not apply: with {position.margin_mode} margin the wallet, not the chosen leverage, "
            "decides",
            "leverage_x",
        )
    if position.wallet_usd is None and not has_balance:
        entry.fail(
            f"is missing: {position.margin_mode} margin stands on the account's wallet balance; give it here "
            f"or as [[balance]] of {position.venue}",
            "wallet_usd",
        )
    if position.wallet_usd is not None and has_balance:
        entry.fail(
            f"gives the wallet twice: a [[balance]] of {position.venue} is in the file", "wallet_usd"
        )  # fmt: skip


def _option(entry: Entry) -> OptionPosition:
    contract = _named(entry)
    if contract.kind != "option":
        entry.fail(f"{contract.symbol} is no option but {contract.kind}", "symbol")
    named = option_named(contract.venue, contract.symbol)
    if named is None:
        entry.fail(f"{contract.symbol} names no expiry and strike", "symbol")
    opened = None if entry.get("opened_at") is None else entry.time("opened_at")
    if opened is not None and opened >= named.expiry:
        entry.fail(f"{contract.symbol} had expired by then", "opened_at")
    percent = entry.maybe_positive("volatility_percent")
    mode = entry.choice("margin_mode", ("cross", "portfolio")) if entry.get("margin_mode") else "cross"  # fmt: skip
    found = OptionPosition(
        venue=contract.venue,
        symbol=contract.symbol,
        base=named.base,
        side=cast("PositionSide", entry.choice("side", get_args(PositionSide))),
        size_coin=_option_size(entry, contract),
        expiry=named.expiry,
        strike=named.strike,
        call=named.call,
        linear=named.linear,
        quote=named.quote,
        entry_price=entry.maybe_positive("entry_price"),
        opened_at=opened,
        volatility=None if percent is None else percent / 100.0,
        margin_mode=cast("MarginMode", mode),
        id=entry.maybe_text("id"),
        note=entry.maybe_text("note"),
    )
    if not found.linear and found.entry_price is not None and found.entry_price >= 1.0:
        entry.fail(
            f"{found.entry_price:g} coins for one coin's option: an inverse option's premium is in coin, "
            "as the venue quotes it (0.034)",
            "entry_price",
        )
    entry.done()
    return found


def _option_size(entry: Entry, contract: Instrument) -> float:
    coin, contracts = entry.maybe_positive("size_coin"), entry.maybe_positive("size_contracts")
    if coin is None and contracts is None:
        entry.fail("is missing", "size_coin")
    if coin is not None and contracts is not None:
        entry.fail("gives the size twice: keep size_coin or size_contracts", "size_contracts")
    return _of_contracts(entry, contract, contracts, 1.0) if contracts is not None else coin or 0.0


def _balance(entry: Entry) -> Balance:
    venue, currency = entry.text("venue"), entry.text("currency").upper()
    if venue not in venues():
        entry.fail(f"unknown venue '{venue}'; known: {', '.join(sorted(venues()))}", "venue")
    if not (currency.isalnum() and currency.isascii() and len(currency) <= 12):
        entry.fail(f"{currency[:20]!r} is not the name of a coin", "currency")
    percent = entry.maybe_positive("haircut_percent") or 0.0
    if percent > MOST_PERCENT:
        entry.fail(f"must be at most 100, not {percent:g}", "haircut_percent")
    found = Balance(
        venue=venue, currency=currency, amount=entry.number("amount"), haircut=percent / 100.0
    )
    entry.maybe_text("note")
    entry.done()
    return found
