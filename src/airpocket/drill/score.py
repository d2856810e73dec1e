"""What the ways through a drill came to, and what each order was worth against leaving things as they were."""

from collections.abc import Sequence

from msgspec.structs import replace

from airpocket.drill.account import Account
from airpocket.drill.desk import FORCED, STOPPED
from airpocket.drill.records import Decision, Drill, Fill, Way


def way(account: Account) -> Way:
    """One account at the end, everything closed."""
    return Way(
        pnl_usd=account.pnl_usd(account.entry_price), fees_usd=account.fees_usd, funding_usd=account.funding_usd,
        worst_percent=account.worst_percent, worst_s=account.worst_s, closed_s=account.closed_s,
        liquidated=account.liquidated, forced_price=account.forced_price, margin_added_usd=account.added_usd,
        fills=list(account.fills),
    )  # fmt: skip


def scored(drill: Drill, marks: Sequence[float]) -> Drill:
    """The drill with its decisions weighed.

    saved_usd of a closing fill: its coin times how much worse the held position's own end was (its forced
    exit, or the close at the drill's end). marks: one a second, the first at the beginning.
    """
    between = drill.best.pnl_usd - drill.held.pnl_usd
    kept = None if between < 1e-6 else (drill.you.pnl_usd - drill.held.pnl_usd) / between
    closing = [fill for fill in drill.you.fills if fill.cause in ("order", "stop", "forced")]
    decisions = [_weighed(each, drill, closing, marks) for each in drill.decisions]
    return replace(drill, share_kept=kept, decisions=decisions)


def _weighed(
    decision: Decision, drill: Drill, fills: Sequence[Fill], marks: Sequence[float]
) -> Decision:
    if decision.refused:
        return replace(decision, consequence="nothing changed")
    own = [f for f in fills if f.at_s == decision.at_s and not f.hedge]
    word = decision.order.split()[0]
    if decision.order == FORCED:
        return replace(decision, consequence="the rest of the margin went with it")
    if word in ("reduce", "close") or decision.order == STOPPED:
        return _closing(decision, drill, own)
    if word in ("hedge", "unhedge"):
        return _hedge(decision, [f for f in fills if f.hedge and f.at_s == decision.at_s])
    after = marks[decision.at_s :]
    if word == "margin":
        return replace(decision, consequence=_margin(decision, drill, after))
    if word == "stop":
        hit = any(f.cause == "stop" and f.at_s >= decision.at_s for f in fills)
        return replace(decision, consequence="it was reached" if hit else "it was not reached")
    return replace(decision, consequence="")


def _closing(decision: Decision, drill: Drill, own: Sequence[Fill]) -> Decision:
    end = drill.held.forced_price if drill.held.liquidated else None
    if end is None:
        end = drill.held.fills[-1].price
    sign = 1.0 if drill.position_side == "long" else -1.0
    saved = sum(sign * fill.coin * (fill.price - end) for fill in own)
    how = "a forced exit" if drill.held.liquidated else "the close at the end"
    verb = "saved" if saved >= 0 else "gave away"
    words = f"{verb} {abs(saved):,.0f} USD against {how} at {end:,.1f}"
    return replace(decision, consequence=words, saved_usd=saved)


def _margin(decision: Decision, drill: Drill, after: Sequence[float]) -> str:
    """Whether the margin was needed: whether the mark came to where the exit was before."""
    before, short = decision.forced_before, drill.position_side == "short"
    worst = max(after) if short else min(after)
    if before is None or (worst < before if short else worst > before):
        return f"it was not needed to stay in: the mark went no further than {worst:,.1f}"
    if drill.you.liquidated:
        return "the mark came there, and further: this margin was lost too"
    return f"without it you were out by force: the mark went to {worst:,.1f}"


def _hedge(decision: Decision, fills: Sequence[Fill]) -> Decision:
    """A hedge's realised result; what it added is known when it is taken off."""
    made = sum(fill.realised_usd for fill in fills)
    if not made:
        return replace(decision, consequence="it earns or costs elsewhere, and saves no margin")
    verb = "made" if made > 0 else "lost"
    return replace(
        decision, consequence=f"the hedge {verb} {abs(made):,.0f} USD before fees", saved_usd=made
    )
