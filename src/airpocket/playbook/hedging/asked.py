"""What a sheet of hedges is made from: the position, what backs it, and everything it could be hedged with."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from airpocket.domain.estimates import PERCENT_YEAR, Estimate, known, unknown
from airpocket.domain.events import BoolArray, IntArray
from airpocket.domain.positions import Position
from airpocket.playbook.hedging.candidates import Candidates
from airpocket.playbook.hedging.choose import Task
from airpocket.playbook.hedging.columns import Columns, linear_column, option_columns
from airpocket.playbook.hedging.major import Major, gain
from airpocket.playbook.hedging.rows import Base, Rows, Valued
from airpocket.playbook.hedging.settings import HedgeSettings
from airpocket.playbook.hedging.templates import Template, picks
from airpocket.playbook.hedging.walked import PathPoint

CLOSED = "of the position"
SPOT_FEE = 0.001  # of notional: Binance's regular spot fee
Maker: TypeAlias = Callable[[Rows], Columns]
_NO_VOLATILITY = unknown(PERCENT_YEAR, "no volatility was given")


@dataclass(frozen=True, slots=True)
class Asked:
    """price: the mark, quote per coin. valued: equity and maintenance of what is held in any rows, USD.

    spot_coins: of the asset, held beside it: their losses count, their worth does not back the position.
    candidates, major: or why there are none. hold_d: days that the protection is wanted for; a lasting hedge
    outlasts them, and costs are counted over them. without: the account without the position, None where it is all
    there is. paths: where cascades lead; no_paths: why none of them is simulated, None where they are. floor_usd:
    equity that is to be left up to the gap besides. taker_fee: of the position's contract, None unknown.
    funding_8h: fraction. yearly: volatility, % a year. others: further coins of its account.
    """

    asset: str
    now: int
    simulated: bool
    position: Position
    price: Estimate
    valued: Valued
    candidates: Candidates | str
    major: Major | str
    settings: HedgeSettings
    hold_d: float
    spot_coins: float = 0.0
    without: Valued | None = None
    paths: tuple[PathPoint, ...] = ()
    no_paths: str | None = "nobody walked them"
    taker_fee: float | None = None
    funding_8h: float | None = None
    floor_usd: float = -math.inf
    yearly: Estimate = _NO_VOLATILITY
    others: tuple[str, ...] = ()

    @property
    def mark(self) -> float:
        """USD per coin.

        Raises:
            ValueError: it is not known; ask for a sheet only where it is.
        """
        if self.price.value is None:
            raise ValueError("a hedge needs a price")
        return self.price.value

    @property
    def short(self) -> bool:
        return self.position.side == "short"

    @property
    def coins(self) -> float:
        """Signed, spot beside it included."""
        return self.position.signed_coin + self.spot_coins

    def base(self, rows: Rows) -> Base:
        """What is held in every row; losses and gains of spot beside it included."""
        held = self.valued(rows)
        return replace(held, equity=held.equity + self.spot_coins * self.mark * rows.move)

    def figure(self, value: float, unit: str, source: str) -> Estimate:
        """Computed from the mark, the position file, the venue's rules and the quotes."""
        return known(
            round(value, 6) + 0.0, unit, as_of=self.price.as_of or self.now, now=self.now, provenance="modelled",
            source=source,
        )  # fmt: skip


def option_maker(asked: Asked, found: Candidates, template: Template) -> Maker | None:
    """Columns of a shape's options; None where no quote fits it."""
    buy, sell = picks(template, found, asked.short, asked.settings, asked.hold_d)
    if not buy.any():
        return None
    return _maker(asked, found, buy, sell)


def used_maker(asked: Asked, found: Candidates, columns: Columns, used: IntArray) -> Maker:
    """The same for the options of some columns alone, in the same order."""
    buy, sell = (np.zeros(len(found), dtype=np.bool_) for _ in range(2))
    for column in used:
        (buy if columns.sign[column] > 0 else sell)[columns.option[column]] = True
    return _maker(asked, found, buy, sell)


def _maker(asked: Asked, found: Candidates, buy: BoolArray, sell: BoolArray) -> Maker:
    coins, settings, hold_d = abs(asked.coins), asked.settings, asked.hold_d
    return lambda rows: option_columns(found, rows, buy, sell, coins, settings, hold_d)


def trim_maker(asked: Asked, fee: float) -> Maker:
    """Closing at the mark: a coin less is as much less to gain, to lose and to keep.

    Maintenance rises no slower than size, so that a coin's share of it is at least what closing it frees.
    """
    size, price = asked.position.size_coin, asked.mark
    sign = -1.0 if asked.short else 1.0

    def columns(rows: Rows) -> Columns:
        kept = 0.0 if asked.without is None else asked.without(rows).maintenance
        freed = (kept - asked.valued(rows).maintenance) / size
        once = fee * price  # the position is closed at some time anyway
        return linear_column(CLOSED, -sign * price * rows.move, freed, (once, once), size)

    return columns


def spot_maker(asked: Asked) -> Maker:
    """Spot bought against a short."""
    price = asked.mark
    tied = asked.settings.money_rate * asked.hold_d / 365.0
    cost = (SPOT_FEE * price, (2.0 * SPOT_FEE + tied) * price)

    def columns(rows: Rows) -> Columns:
        return linear_column("spot", price * rows.move, np.zeros(len(rows)), cost, abs(asked.coins))

    return columns


def major_maker(asked: Asked, major: Major, fee: float) -> Maker:
    """A major's perpetual in the same notional as one coin of the position."""
    price, s = asked.mark, asked.settings

    def columns(rows: Rows) -> Columns:
        made = gain(major, rows, asked.short, price, s.slippage_sd)
        none = np.zeros(len(rows))
        return linear_column(
            f"{major.name} perpetual, in coins' worth",
            made,
            none,
            (fee * price, 2.0 * fee * price),
            s.most_sizes * abs(asked.coins),
        )

    return columns


def task_of(asked: Asked, maker: Maker, rows: Rows, *, paired: bool = False) -> Task:
    """The programme's task of some columns."""
    found = asked.candidates if isinstance(asked.candidates, Candidates) else None
    return Task(
        maker(rows),
        rows,
        asked.base(rows),
        asked.coins,
        asked.mark,
        asked.settings,
        found,
        paired,
        asked.floor_usd,
    )
