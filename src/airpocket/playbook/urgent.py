"""The only step left when equity no longer covers maintenance: out, or more margin, now."""

from airpocket.playbook.account import Account
from airpocket.playbook.ground import Ground
from airpocket.playbook.records import Play, Step

_BUFFER = 2.0


def close_now_play(ground: Ground, account: Account) -> Play:
    """Firing from the start: no exit can be staggered, no stop can rest before a liquidation that is due."""
    size = ground.position.size_coin
    verb = "buy back" if ground.is_short else "sell"
    step = Step(
        id="close_now", title="Close or add margin now", refs=["M34"], state="firing",
        condition="equity is at or below maintenance at the mark",
        because=["the venue may liquidate the position at any moment; nothing else can be planned"],
        action=f"{verb} all, {ground.text(size)}, at market, or add at least "
        f"${account.top_up(0.0, _BUFFER):,.0f} to have {_BUFFER:g} × maintenance again",
        size_coin=ground.coins(size), cost=ground.cost(size, ground.price),
        invalidation="margin is added", uncovered="slippage; the venue may be faster",
    )  # fmt: skip
    return Play(id="urgent", title="Now", refs=["M34"], steps=[step])
