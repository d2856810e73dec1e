"""Positions, options and balances as the accounts they form: what shares one margin, and what stands alone."""

from typing import Literal, TypeAlias, cast

from msgspec import Struct

from airpocket.domain.errors import BadInput
from airpocket.domain.instruments import instrument, wallet_of
from airpocket.domain.positions import Balance, OptionPosition, Position, Positions

AccountMode: TypeAlias = Literal["isolated", "cross", "portfolio", "cash"]


class Account(Struct, frozen=True, kw_only=True):
    """All that shares one margin at one exchange: liquidated together, valued together.

    venue: the one that all of it is of, else the wallet that backs several (`bybit`).
    mode: `cash` holds nothing that could be liquidated. A position with its own margin (isolated, or with its
    own `wallet_usd`) is an account without balances: that margin is the position's own field.
    """

    venue: str
    mode: AccountMode
    name: str
    positions: tuple[Position, ...] = ()
    options: tuple[OptionPosition, ...] = ()
    balances: tuple[Balance, ...] = ()

    @property
    def assets(self) -> tuple[str, ...]:
        """Coins whose price moves it, in the order met."""
        coins = [instrument(each.venue, each.symbol).base for each in self.positions]
        coins += [each.base for each in self.options]
        return tuple(dict.fromkeys(coins))


def accounts_of(held: Positions) -> list[Account]:
    """An account for each isolated position, each position with its own wallet, and each wallet's rest.

    Raises:
        BadInput: a position or written option with nothing behind it, two margin modes in one account, or a debt
            with nothing but balances behind it.
    """
    alone = [_alone(each) for each in held.positions if _stands_alone(each)]
    shared = [each for each in held.positions if not _stands_alone(each)]
    rest = (*shared, *held.options, *held.balances)
    wallets = dict.fromkeys(wallet_of(each.venue) for each in rest)
    return [*alone, *(_shared(wallet, shared, held) for wallet in wallets)]


def account_with(accounts: list[Account], position: Position) -> Account:
    """The one that holds a position."""
    return next(each for each in accounts if position in each.positions)


def _stands_alone(position: Position) -> bool:
    return position.margin_mode == "isolated" or position.wallet_usd is not None


def _alone(position: Position) -> Account:
    return Account(
        venue=position.venue, mode=position.margin_mode, positions=(position,),
        name=position.id or f"{position.key} {position.side}",
    )  # fmt: skip


def _shared(wallet: str, shared: list[Position], held: Positions) -> Account:
    positions = tuple(each for each in shared if wallet_of(each.venue) == wallet)
    options = tuple(each for each in held.options if wallet_of(each.venue) == wallet)
    balances = tuple(each for each in held.balances if wallet_of(each.venue) == wallet)
    venues = {each.venue for each in (*positions, *options, *balances)}
    venue = venues.pop() if len(venues) == 1 else wallet
    modes = {each.margin_mode for each in (*positions, *options)}
    if len(modes) > 1:
        raise BadInput(
            f"{venue}: what shares its balances has margin modes {', '.join(sorted(modes))}: "
            "one account has one"
        )
    written = any(each.side == "short" for each in options)
    if (positions or written) and not balances:
        what = positions[0].key if positions else next(o.key for o in options if o.side == "short")
        raise BadInput(f"{what} has nothing behind it: give wallet_usd or a [[balance]] of {venue}")
    debts = [each.currency for each in balances if each.amount < 0.0]
    if debts and not modes:
        raise BadInput(
            f"{venue}: {', '.join(debts)} is owed there with nothing but balances behind it; the rules of spot "
            "margin are not known here: take that account out, or give the positions it backs"
        )
    mode = cast("AccountMode", next(iter(modes), "cash"))
    return Account(
        venue=venue, mode=mode, name=venue, positions=positions, options=options, balances=balances
    )  # fmt: skip
