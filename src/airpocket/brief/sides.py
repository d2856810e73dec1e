"""The brief's word to shorts and to longs: the plays of a stated model position, and the zones that hurt."""

from airpocket.brief import words
from airpocket.brief.model import Side, SideStep
from airpocket.domain.tells import Reading
from airpocket.domain.units import PositionSide
from airpocket.levels.roadmap import Roadmap
from airpocket.pipeline import Assessment
from airpocket.playbook.records import Plan, Step
from airpocket.playbook.stance import stance

_OWN = "For a position of your own, with its liquidation price and sizes: airpocket plan POSITIONS.toml."


def side_section(assessment: Assessment, side: PositionSide) -> Side:
    """Steps, leverage caps, live readings and zones for one side."""
    regimes = {reading.id: reading for reading in assessment.signals.regimes}
    readings: list[Reading] = [regimes[name] for name in ("funding", "interest", "volatility")]
    zones = _watch(assessment.roadmap, side)
    plan = stance(side, assessment.situation())
    if isinstance(plan, str):
        return Side(
            unknown=plan, model="", answer="", readings=readings, steps=[], caps=[], zones=zones,
            notes=[_OWN],
        )  # fmt: skip
    missing = [f"{play.title}: {play.unknown}" for play in plan.plays if play.unknown is not None]
    return Side(
        unknown=None,
        model=_model(plan),
        answer=plan.answer,
        readings=readings,
        steps=[_step(step) for play in plan.plays for step in play.steps],
        caps=plan.caps.caps,
        zones=zones,
        notes=[*missing, *([plan.caps.unknown] if plan.caps.unknown else []), _OWN],
    )


def _step(step: Step) -> SideStep:
    return SideStep(
        title=step.title, state=step.state, when=step.condition, do=step.action,
        because=step.because, refs=step.refs,
    )  # fmt: skip


def _model(plan: Plan) -> str:
    p = plan.position
    return (
        f"Worked for a model {p.side} of {p.size_coin:,.10g} {plan.asset} on {p.key}, opened now at"
        f" {words.price(p.entry_price)}, isolated at {p.leverage_x:g}x, risk budgets of a 100,000 USD"
        " portfolio; sizes scale with yours."
    )


def _watch(roadmap: Roadmap, side: PositionSide) -> list[str]:
    """The nearest zones that would hurt this side, in sentences."""
    bias, beyond = ("resistance", "above") if side == "short" else ("support", "below")
    zones = [zone for zone in roadmap.zones if zone.bias == bias]
    near = sorted(zones, key=lambda zone: abs(zone.distance_percent))[:2]
    return [
        f"{zone.role.replace('_', ' ')} {zone.low:,.2f} to {zone.high:,.2f} "
        f"({zone.distance_percent:+.1f} %): a close {beyond} it works against {side}s"
        for zone in near
    ]
