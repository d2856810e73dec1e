"""What a hedge must hold up in and may be made of: choices fixed before any result was seen; none is fitted."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HedgeSettings:
    """All choices of the hedge programme.

    Rows: moves from `calm_percent` with the position to the gap against it in steps of step_percent, each with
    every relative change of volatility (at 30 days to expiry) and every day ahead. tails: moves beyond, in
    fractions. buffer: multiple of maintenance kept in every row up to the gap.
    Candidates: days to expiry and |delta| windows by template. legs: the most of one hedge. lot: of
    an option, coin.
    tail_d: days ahead of the mean worst loss. others_move: further coins of the account move by these shares of the
    asset's move, whichever leaves less.
    standard_margin: sold options that bought ones cover need Deribit's standard margin all the same; else none, as
    under its portfolio margin. Those that only the position covers need it in any case.
    budget_usd: the most that a hedge may cost. most_loss_usd: the most that equity may fall up to the gap.
    Costs: option_fee of the underlying, at most option_fee_cap of the premium (Deribit's regular fee). hold_d: days
    that the protection is wanted for, further where a catalyst comes later: lasting hedges outlast them, and the
    cheapest is the cheapest over them, if price stays and volatility moves by calm_shift (at 30 days to expiry, as
    vol_shifts). money_rate: a year, of money paid at once or tied up.
    """

    gap_percent: float = 15.0
    buffer: float = 2.0
    calm_percent: float = 30.0
    step_percent: float = 1.0
    vol_shifts: tuple[float, ...] = (-0.22, 0.0, 0.40)
    days: tuple[float, ...] = (0.0, 1.0, 3.0, 7.0)
    tails_up: tuple[float, ...] = (0.5, 1.0, 2.0, 3.0, 4.0, 5.0)
    tails_down: tuple[float, ...] = (-0.33, -0.5, -0.66, -0.9)
    table_percent: tuple[float, ...] = (5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0)
    longest_d: float = 95.0
    hold_d: float = 14.0
    calm_shift: float = -0.22
    money_rate: float = 0.10
    tail_d: float = 7.0
    others_move: tuple[float, ...] = (0.0, 1.0)
    weekly_d: float = 9.5
    weekly_days: tuple[float, ...] = (0.0, 1.0, 3.0)
    collar_d: tuple[float, float] = (14.0, 42.0)
    otm_delta: tuple[float, float] = (0.03, 0.50)
    spread_buy_delta: tuple[float, float] = (0.10, 0.55)
    spread_sell_delta: tuple[float, float] = (0.02, 0.35)
    gamma_delta: tuple[float, float] = (0.10, 0.60)
    collar_buy_delta: tuple[float, float] = (0.20, 0.30)
    collar_sell_delta: tuple[float, float] = (0.20, 0.30)
    legs: int = 4
    lot: float = 1.0
    standard_margin: bool = False
    most_sizes: float = 3.0  # options bought at most, in sizes of the position
    budget_usd: float | None = None
    most_loss_usd: float | None = None
    option_fee: float = 0.0003
    option_fee_cap: float = 0.125
    kept_columns: tuple[int, ...] = (8, 16, 40)  # nearest to the linear optimum, for whole lots
    near_enough: float = (
        1e-4  # of the notional, over the linear optimum: more columns are not tried
    )
    search_s: float = 10.0
    slippage_sd: float = 1.645  # of a major's hedge: what it misses in one of twenty moves
