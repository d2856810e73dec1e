"""Whether the verdict runs against a side, and what getting out would cost it."""

from collections.abc import Sequence

from airpocket.playbook.ground import Ground

_FORCING = ("ignition", "squeeze on")


def against(ground: Ground) -> str:
    """'squeeze on, up' while positions of this side are being forced out; empty otherwise."""
    verdict = ground.situation.verdict
    hurts = "up" if ground.is_short else "down"
    if verdict is None or verdict.state not in _FORCING or verdict.direction != hurts:
        return ""
    return f"{verdict.state}, {verdict.direction}"


def result_note(ground: Ground, fills: Sequence[tuple[float, float]], when: str) -> str:
    """What the position makes or loses, from its entry, when (coin, price) orders fill at their prices."""
    entry = ground.position.entry_price
    sign = -1.0 if ground.is_short else 1.0
    total = sum(sign * coin * (price - entry) for coin, price in fills)
    account = ground.account
    share = (
        f" ({100 * abs(total) / account.equity:.0f} % of the equity behind it)"
        if account is not None and account.equity > 0
        else ""
    )
    return (
        f"{when}, the position {'loses' if total < 0 else 'makes'} ${abs(total):,.0f}{share} from its entry,"
        " before fees, slippage and funding."
    )
