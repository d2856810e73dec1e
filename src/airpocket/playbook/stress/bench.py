"""One account under test: its ledger, its thresholds, and the one way a shock becomes an outcome."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.estimates import PERCENT, PRICE, RATIO, USD, Estimate, known, unknown
from airpocket.playbook.ledger import Ledger
from airpocket.playbook.situation import Situation
from airpocket.playbook.stress.records import Kind, Outcome
from airpocket.playbook.stress.settings import StressSettings
from airpocket.playbook.thresholds import Thresholds, thresholds
from airpocket.playbook.valuation import value


@dataclass(frozen=True, slots=True)
class Bench:
    """ledger: every coin moves by the same per cent. ends: where it is liquidated; spent: where equity is gone.
    as_of: of its price, ns.
    """

    ledger: Ledger
    situation: Situation
    settings: StressSettings
    ends: Thresholds
    spent: Thresholds
    as_of: int

    @property
    def mark(self) -> float:
        return self.ledger.mark

    def figure(self, amount: float, unit: str, source: str = "") -> Estimate:
        """A modelled figure as of the mark."""
        return known(
            amount, unit, as_of=self.as_of, now=self.situation.now, provenance="modelled",
            source=source or f"{self.ledger.account.name} by its venue's rules, shocks as stated",
        )  # fmt: skip

    def price(self, amount: float | None, why: str) -> Estimate:
        return unknown(PRICE, why) if amount is None else self.figure(amount, PRICE)

    def outcome(  # noqa: PLR0913 - what a shock consists of
        self,
        shock_id: str,
        kind: Kind,
        title: str,
        *,
        move: float = 0.0,
        vol: float = 0.0,
        days: float = 0.0,
        ledger: Ledger | None = None,
        chance: Estimate | None = None,
        note: str = "",
    ) -> Outcome:
        """What is left after `move` (fraction) of price, `vol` (relative) of volatility and `days`.

        ledger: the account under changed terms, whose thresholds are then solved anew.
        """
        held = ledger or self.ledger
        at = self.mark * (1.0 + move)
        found = value(held, np.array(at), vol, days)
        same = ledger is None and vol == 0.0 and days == 0.0
        ends = self.ends if same else thresholds(held, vol_shift=vol, days=days)
        equity, needed = float(found.equity_usd), float(found.maintenance_usd)
        where = self._met(ends, at)
        gone = where is not None or not equity > needed
        return Outcome(
            id=shock_id, kind=kind, title=title, price=self.figure(at, PRICE),
            equity=self.figure(equity, USD), maintenance=self.figure(needed, USD),
            buffer=self.figure(equity / needed, RATIO) if needed > 0.0 else unknown(
                RATIO, "nothing must be kept"),
            liquidated=gone and needed > 0.0,
            at=self.figure(at if where is None else where, PRICE) if gone and needed > 0.0 else None,
            chance=chance, note=note,
        )  # fmt: skip

    def missing(self, shock_id: str, kind: Kind, title: str, why: str) -> Outcome:
        """A shock whose size is not known."""
        return Outcome(
            id=shock_id, kind=kind, title=title, price=unknown(PRICE, why), equity=unknown(USD, why),
            maintenance=unknown(USD, why), buffer=unknown(RATIO, why), liquidated=None, note=why,
        )  # fmt: skip

    def percent(self, amount: float, source: str = "") -> Estimate:
        return self.figure(amount, PERCENT, source)

    def _met(self, ends: Thresholds, at: float) -> float | None:
        """The threshold between the mark and a price, or the mark itself where it is met there."""
        if ends.already:
            return self.mark
        if ends.up is not None and at >= ends.up > self.mark:
            return ends.up
        if ends.down is not None and at <= ends.down < self.mark:
            return ends.down
        return None
