"""Accounts as Hyperliquid tells anyone: clearinghouseState and the leaderboard."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from airpocket.lab.addresses import address_of
from airpocket.lab.dialects.contract import Contract


class Held(NamedTuple):
    """One open position; entry, mark and liquidation in ticks, the last None where there is none."""

    contract: Contract
    lots: int
    entry: float
    mark: float
    liquidation: float | None

    @property
    def coin(self) -> float:
        """Signed."""
        return self.contract.coin(self.lots, self.mark) * (1.0 if self.lots > 0 else -1.0)

    @property
    def usd(self) -> float:
        """Signed value at the mark."""
        return self.coin * self.mark * self.contract.tick_usd


class Owner(NamedTuple):
    """An account: cash_usd is what it has with the entry value of its positions taken off."""

    number: int
    cross: bool
    cash_usd: float
    maintenance_usd: float
    held: Sequence[Held]

    @property
    def equity_usd(self) -> float:
        return self.cash_usd + sum(each.usd for each in self.held)


class PublicAccounts(Protocol):
    """Who holds what."""

    def state(self, number: int) -> Owner:
        """An account by its number; one that is not this venue's holds nothing."""
        ...

    def all(self) -> list[Owner]:
        """Every account of the venue but its own."""
        ...


def clearinghouse(owner: Owner, stamp: int) -> dict[str, Any]:
    """The answer to clearinghouseState. Isolated margin is not part of the cross summary."""
    cross_value = owner.equity_usd if owner.cross or not owner.held else 0.0
    whole = _summary(owner, owner.equity_usd, owner.cash_usd)
    cross = whole if owner.cross else _summary(owner._replace(held=()), cross_value, cross_value)
    return {
        "marginSummary": whole,
        "crossMarginSummary": cross,
        "crossMaintenanceMarginUsed": f"{owner.maintenance_usd if owner.cross else 0.0:.6f}",
        "withdrawable": f"{max(0.0, cross_value - owner.maintenance_usd):.6f}",
        "assetPositions": [
            {"type": "oneWay", "position": _position(owner, each)} for each in owner.held
        ],
        "time": stamp,
    }


def leaderboard(public: PublicAccounts) -> dict[str, Any]:
    """Every account with its value."""
    rows: list[dict[str, Any]] = [
        {"ethAddress": address_of(one.number), "accountValue": f"{one.equity_usd:.6f}",
         "windowPerformances": [], "prize": 0, "displayName": None}
        for one in public.all()
    ]  # fmt: skip
    return {"leaderboardRows": rows}


def _summary(owner: Owner, value: float, raw: float) -> dict[str, str]:
    gross = sum(abs(each.usd) for each in owner.held)
    used = sum(abs(each.usd) / _leverage(owner, each) for each in owner.held)
    told = {
        "accountValue": value,
        "totalNtlPos": gross,
        "totalRawUsd": raw,
        "totalMarginUsed": used,
    }
    return {name: f"{amount:.6f}" for name, amount in told.items()}


def _leverage(owner: Owner, held: Held) -> int:
    equity = owner.equity_usd
    wanted = abs(held.usd) / equity if equity > 0.0 else held.contract.max_leverage
    return max(1, min(round(wanted), round(held.contract.max_leverage)))


def _position(owner: Owner, held: Held) -> dict[str, Any]:
    c, leverage = held.contract, _leverage(owner, held)
    told: dict[str, Any] = {"type": "cross" if owner.cross else "isolated", "value": leverage}
    used = abs(held.usd) / leverage
    if not owner.cross:
        told["rawUsd"] = f"{owner.cash_usd:.6f}"
        used = owner.equity_usd
    sign = "-" if held.lots < 0 else ""
    gone, gained = held.liquidation, held.coin * (held.mark - held.entry) * c.tick_usd
    return {
        "coin": c.symbol, "szi": f"{sign}{c.size(held.lots)}", "leverage": told,
        "entryPx": f"{held.entry * c.tick_usd:.8f}", "positionValue": f"{abs(held.usd):.8f}",
        "unrealizedPnl": f"{gained:.6f}",
        "returnOnEquity": "0.0", "liquidationPx": None if gone is None else f"{gone * c.tick_usd:.8f}",
        "marginUsed": f"{used:.6f}", "maxLeverage": round(c.max_leverage),
        "cumFunding": {"allTime": "0.0", "sinceOpen": "0.0", "sinceChange": "0.0"},
    }  # fmt: skip
