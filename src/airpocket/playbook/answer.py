"""The plan in one sentence: where it is liquidated, what it survives, and the one thing to do about it."""

import math

from airpocket.domain.errors import MarginError
from airpocket.domain.positions import Position
from airpocket.levels.words import price_text
from airpocket.margin.standing import Standing
from airpocket.market.health import standing_of
from airpocket.playbook.account import Account
from airpocket.playbook.ground import Ground
from airpocket.playbook.records import Caps
from airpocket.playbook.sizes import rest_of, rounded_down
from airpocket.playbook.tide import against

_GAP, _BUFFER = 15.0, 3.0


def held(position: Position, asset: str) -> str:
    """'SHORT 500 ETH on binance_usdm, cross'."""
    mode = position.margin_mode
    if position.leverage_x is not None:
        mode += f" {position.leverage_x:g}x"
    return f"{position.side.upper()} {position.size_coin:,.10g} {asset} on {position.venue}, {mode}"


def answer_of(ground: Ground, standing: Standing | None, caps: Caps) -> str:
    """One sentence, then the verdict where it runs against the side, and a leverage rule that is broken."""
    head = f"{held(ground.position, ground.asset)}, mark {price_text(ground.price)}"
    account = ground.account
    if standing is None or account is None:
        return f"{head}: margin is unknown ({ground.no_account})."
    if standing.already_liquidatable:
        return (
            f"{head}: equity {_money(standing.equity_usd)} is at or below maintenance "
            f"{_money(standing.maintenance_usd)}: the venue may liquidate it now. Close it or add margin."
        )
    where = "no price liquidates it"
    if standing.liquidation_price is not None:
        away = 100 * (standing.liquidation_price / standing.mark - 1)
        where = f"liquidation at {price_text(standing.liquidation_price)} ({away:+.1f} %)"
    return (
        f"{head}: {where}, {standing.buffer_multiple:.1f} × maintenance behind it; "
        f"{_survives(ground, account)}.{_tide(ground)}{_capped(ground, account, caps)}{_closing(ground)}"
    )


def _capped(ground: Ground, account: Account, caps: Caps) -> str:
    """The leverage rule that binds, where the gap rule of the sentence before is kept and this one is not."""
    binding = next((each for each in caps.caps if each.binding), None)
    if caps.kept is not False or binding is None or binding.max_leverage_x.value is None:
        return ""
    if (
        account.size_surviving(_GAP, _BUFFER) < account.size_coin
    ):  # the sentence has a larger cut already
        return ""
    used = caps.effective_leverage_x.value or 0.0
    told = "" if caps.cut_coin.value is None else f": close {ground.text(caps.cut_coin.value)}"
    return (
        f" Leverage of {used:.2f}x is above the cap of {binding.max_leverage_x.value:.2f}x "
        f"({binding.rule}){told}."
    )


def _tide(ground: Ground) -> str:
    tide = against(ground)
    crowd = "shorts" if ground.is_short else "longs"
    if not tide:
        return ""
    forced = tide.startswith("squeeze")
    what = f"{crowd} are being forced out now" if forced else f"a level has broken against {crowd}"
    return f" The market's verdict is {tide}: {what}."


def _closing(ground: Ground) -> str:
    """What the venue has announced for the contract itself."""
    contract = ground.situation.contract(ground.position)
    why = "" if contract is None else standing_of(contract)
    return f" Alert: {why}." if why else ""


def _money(usd: float) -> str:
    return f"{'-' if usd < 0 else ''}${abs(usd):,.0f}"


def _survives(ground: Ground, account: Account) -> str:
    sign = "+" if ground.is_short else "-"
    if account.size_surviving(_GAP, _BUFFER) >= account.size_coin:
        return (
            f"a {sign}{_GAP:g} % gap leaves {_BUFFER:g} × maintenance: nothing must be cut for that"
        )
    bare = account.size_surviving(_GAP, 1.0) >= account.size_coin
    size = rounded_down(account.size_surviving(_GAP, _BUFFER), account.size_coin)
    cut = rest_of(account.size_coin, size)
    try:
        other = f", or add {_money(math.ceil(account.top_up(_GAP, _BUFFER)))}"
    except MarginError:  # the notional after the gap outgrows the venue's tiers
        other = ""
    verdict = "is survived, but thinly" if bare else "is NOT survived"
    if ground.position.margin_mode == "isolated":
        other = f" and put the margin it frees behind the rest{other}"
    return (
        f"a {sign}{_GAP:g} % gap {verdict}: close {ground.text(cut)} (leaving {ground.text(size)})"
        f"{other}, to keep {_BUFFER:g} × maintenance after it"
    )
