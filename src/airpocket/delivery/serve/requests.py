"""The bodies of requests: what may be asked, checked field by field before anything is worked out."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

_STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)
_TEXT = Field(min_length=1, max_length=200)
_AMOUNT = Field(default=None, gt=0.0, le=1e12)
_MOST = 40  # of each kind that is held


class CodeBody(BaseModel):
    """A launch code."""

    model_config = _STRICT
    code: str = _TEXT


class WhatIfBody(BaseModel):
    """What if: the flags of `airpocket cascade`, in numbers."""

    model_config = _STRICT
    push_usd: float = Field(default=0.0, ge=-1e12, le=1e12)
    shock_percent: float | None = Field(default=None, gt=-90.0, lt=900.0)
    break_price: float | None = Field(default=None, gt=0.0, lt=1e12)
    drop_depth_percent: float = Field(default=0.0, ge=0.0, lt=100.0)
    venues: list[str] = Field(default=[], max_length=20)
    spot: bool = False
    minutes: float = Field(default=15.0, ge=1.0, le=240.0)
    paths: int = Field(default=4_096, ge=1_024, le=20_480)
    seed: int = Field(default=0, ge=0, lt=2**32)

    @model_validator(mode="after")
    def one_question(self) -> Self:
        """Something is asked, and only one thing of each kind."""
        if self.shock_percent is not None and self.break_price is not None:
            raise ValueError(
                "shock_percent and break_price both say where price jumps to: give one"
            )
        if self.spot and self.venues:
            raise ValueError("spot and venues both say where the push is placed: give one")
        if not (self.push_usd or self.shock_percent or self.break_price or self.drop_depth_percent):
            raise ValueError(
                "nothing is asked: give push_usd, shock_percent, break_price or drop_depth_percent"
            )
        return self


class PositionBody(BaseModel):
    """One position, with the keys of the position file."""

    model_config = _STRICT
    venue: str = _TEXT
    symbol: str = _TEXT
    side: Literal["long", "short"]
    size_coin: float | None = _AMOUNT
    size_usd: float | None = _AMOUNT
    size_contracts: float | None = _AMOUNT
    entry_price: float = Field(gt=0.0, le=1e12)
    opened_at: str = _TEXT
    margin_mode: Literal["isolated", "cross", "portfolio"]
    leverage_x: float | None = Field(default=None, gt=0.0, le=1e4)
    wallet_usd: float | None = Field(default=None, gt=0.0, le=1e15)
    id: str = Field(default="", max_length=200)
    note: str = Field(default="", max_length=2_000)


class OptionBody(BaseModel):
    """One option, with the keys of the position file."""

    model_config = _STRICT
    venue: str = _TEXT
    symbol: str = _TEXT
    side: Literal["long", "short"]
    size_coin: float | None = _AMOUNT
    size_contracts: float | None = _AMOUNT
    entry_price: float | None = _AMOUNT
    opened_at: str | None = Field(default=None, min_length=1, max_length=200)
    volatility_percent: float | None = Field(default=None, gt=0.0, le=1e4)
    margin_mode: Literal["cross", "portfolio"] | None = None
    id: str = Field(default="", max_length=200)
    note: str = Field(default="", max_length=2_000)


class BalanceBody(BaseModel):
    """What an account holds of one currency, with the keys of the position file."""

    model_config = _STRICT
    venue: str = _TEXT
    currency: str = _TEXT
    amount: float = Field(gt=0.0, le=1e15)
    haircut_percent: float | None = Field(default=None, gt=0.0, le=100.0)
    note: str = Field(default="", max_length=2_000)


class HeldBody(BaseModel):
    """What someone holds: entries, or a whole position file as text."""

    model_config = _STRICT
    positions: list[PositionBody] = Field(default=[], max_length=_MOST)
    options: list[OptionBody] = Field(default=[], max_length=_MOST)
    balances: list[BalanceBody] = Field(default=[], max_length=_MOST)
    portfolio_usd: float | None = Field(default=None, gt=0.0, le=1e15)
    toml: str | None = Field(default=None, min_length=1, max_length=64_000)

    @model_validator(mode="after")
    def one_form(self) -> Self:
        """Something is held, and told in one form."""
        entries = bool(self.positions or self.options or self.balances or self.portfolio_usd)
        if self.toml is not None and entries:
            raise ValueError("toml and entries both say what is held: give one")
        if self.toml is None and not (self.positions or self.options):
            raise ValueError("nothing is held: give positions, options or toml")
        return self


class HedgeBody(HeldBody):
    """What someone holds, and what its hedges are for: the flags of `airpocket hedge`, in numbers."""

    gap_percent: float = Field(default=15.0, ge=1.0, le=400.0)
    buffer: float = Field(default=2.0, ge=1.0, le=20.0)
    hold_days: float = Field(default=14.0, ge=1.0, le=90.0)
    max_loss_usd: float | None = Field(default=None, gt=0.0, le=1e15)
    budget_usd: float | None = Field(default=None, gt=0.0, le=1e15)
    legs: int = Field(default=4, ge=1, le=12)
    standard_margin: bool = False


class ReplayBody(BaseModel):
    """How to move a replay."""

    model_config = _STRICT
    action: Literal["play", "pause", "seek", "speed"]
    to: str | None = Field(default=None, max_length=64)
    speed: float | None = Field(default=None, ge=0.1, le=1_000.0)


class BarsAsked(BaseModel):
    """Which bars, other than the reference's newest."""

    model_config = _STRICT
    interval: Literal["1m", "5m", "15m", "1h", "4h", "1d"] = "5m"
    contract: str = ""
    limit: int = 1_500
