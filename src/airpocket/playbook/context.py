"""What the market says to this side right now: the verdict, the triggers that speak, and the live figures (M34)."""

from airpocket.domain.tells import Tell, context
from airpocket.playbook.ground import Ground
from airpocket.playbook.records import Facts
from airpocket.playbook.tide import against

_SHOWN = (
    ("imbalance", "book imbalance within 1 %"),
    ("rv_30d", "realised volatility, 30 d"),
    ("rv_rank", "rank of the last day in its year"),
    ("implied_index", "implied-volatility index"),
    ("spot_premium", "spot over perpetual"),
    ("interest_change_4h", "open interest, 4 h"),
)


def market_facts(ground: Ground) -> Facts:
    """Verdict and triggers in sentences, then the figures the rules look at."""
    signals, structure = ground.situation.signals, ground.structure
    tells: list[Tell] = [
        context("atr_day", "ATR 14, daily", structure.atr_day),
        context("atr_4h", "ATR 14, 4 h", structure.atr_4h),
        *(
            context(tell_id, label, signals.tells[tell_id].estimate)
            for tell_id, label in _SHOWN
            if tell_id in signals.tells
        ),
    ]
    return Facts(
        unknown=None, tells=tells, notes=[_verdict(ground), *_triggers(ground), _levels(ground)]
    )


def _verdict(ground: Ground) -> str:
    verdict = ground.situation.verdict
    if verdict is None:
        return "Verdict: unknown, no state machine has judged this moment."
    why = f": {verdict.because[0]}" if verdict.because else ""
    way = f", {verdict.direction}" if verdict.direction else ""
    tide = " It runs against this side." if against(ground) else ""
    return f"Verdict: {verdict.state}{way}{why}.{tide}"


def _triggers(ground: Ground) -> list[str]:
    speaking = [f"{row.title} is {row.state}" for row in ground.situation.triggers
                if row.state in ("firing", "armed")]  # fmt: skip
    dark = sum(row.state == "unknown" for row in ground.situation.triggers)
    told = "; ".join(speaking) or "none speaks"
    return [f"Triggers: {told}" + (f" ({dark} can't be judged)." if dark else ".")]


def _levels(ground: Ground) -> str:
    reference = ground.situation.market.reference.key
    if reference == ground.position.key:
        return f"Levels and ATRs are those of {reference}."
    return (
        f"Levels and ATRs are those of {reference}, not of {ground.position.key}: its prices may differ by "
        "the basis between the two."
    )
