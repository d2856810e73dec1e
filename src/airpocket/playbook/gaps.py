"""The overnight gap: what is left after it, and the size or the margin that survives it (M35)."""

import math

from airpocket.domain.errors import MarginError
from airpocket.domain.estimates import COIN, PRICE, RATIO, USD, Estimate, unknown
from airpocket.playbook.account import Account
from airpocket.playbook.ground import Ground
from airpocket.playbook.records import Gap, GapTest, Survival
from airpocket.playbook.sizes import rest_of, rounded_down

ISOLATED = (
    "Closing part of an isolated position makes the venue hand back its share of the margin: the sizes "
    "below hold only if you put that margin back behind the rest."
)
ALONE = "Fees and slippage of closing are not counted here; the steps below count them where known."


def gap_test(ground: Ground) -> GapTest:
    """Every gap of the settings against the position, and every pair of gap and buffer."""
    account, s = ground.account, ground.settings
    if account is None:
        return GapTest(unknown=ground.no_account, gaps=[], survivals=[], notes=[])
    survivals = [
        _survival(ground, account, percent, multiple)
        for percent in s.survive_percent
        for multiple in s.buffers
    ]
    cuts = any(each.reduce_coin.value for each in survivals)
    isolated = ground.position.margin_mode == "isolated"
    return GapTest(
        unknown=None,
        gaps=[_gap(ground, account, percent) for percent in s.gaps_percent],
        survivals=survivals,
        notes=[*([ISOLATED] if isolated and cuts else []), *([ALONE] if cuts else [])],
    )


def _gap(ground: Ground, account: Account, percent: float) -> Gap:
    price = account.gap_price(percent)
    signed = -account.sign * percent
    try:
        maintenance = account.maintenance(price, account.size_coin)
    except MarginError as error:
        none = unknown(USD, str(error))
        return Gap(
            move_percent=signed, price=ground.modelled(price, PRICE), equity=none, maintenance=none,
            buffer=unknown(RATIO, str(error)), survives=None,
        )  # fmt: skip
    equity = account.equity_at(price)
    return Gap(
        move_percent=signed,
        price=ground.modelled(price, PRICE),
        equity=ground.modelled(equity, USD),
        maintenance=ground.modelled(maintenance, USD),
        buffer=ground.modelled(equity / maintenance, RATIO),
        survives=equity > maintenance,
    )


def _survival(ground: Ground, account: Account, percent: float, multiple: float) -> Survival:
    signed = -account.sign * percent
    size = rounded_down(account.size_surviving(percent, multiple), account.size_coin)
    return Survival(
        move_percent=signed,
        buffer_multiple=multiple,
        size_coin=ground.modelled(size, COIN),
        reduce_coin=ground.modelled(rest_of(account.size_coin, size), COIN),
        top_up_usd=_top_up(ground, account, percent, multiple),
    )


def _top_up(ground: Ground, account: Account, percent: float, multiple: float) -> Estimate:
    try:
        return ground.modelled(float(math.ceil(account.top_up(percent, multiple))), USD)
    except MarginError as error:
        return unknown(USD, str(error))
