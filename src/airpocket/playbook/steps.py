"""Small makers of steps: states from tells, and orders that rest at a price."""

from airpocket.domain.estimates import PRICE
from airpocket.domain.tells import Tell
from airpocket.playbook.ground import Ground
from airpocket.playbook.records import Step, StepState


def all_of(tells: list[Tell]) -> tuple[StepState, list[str]]:
    """Firing when every tell speaks, armed when some do, unknown when one of them is missing."""
    spoken = [_spoken(tell) for tell in tells if tell.met]
    missing = [tell.label for tell in tells if tell.met is None]
    silent = [tell.label for tell in tells if tell.met is False]
    if missing:
        return "unknown", [_without(missing)]
    if not silent:
        return "firing", [f"holds now: {'; '.join(spoken)}"]
    if spoken:
        return "armed", [f"waiting for: {'; '.join(silent)}"]
    return "quiet", ["none of it holds now"]


def any_of(tells: list[Tell]) -> tuple[StepState, list[str]]:
    """Firing when one tell speaks; quiet only when all are known not to."""
    spoken = [_spoken(tell) for tell in tells if tell.met]
    if spoken:
        return "firing", [f"holds now: {'; '.join(spoken)}"]
    missing = [tell.label for tell in tells if tell.met is None]
    return ("unknown", [_without(missing)]) if missing else ("quiet", ["none of it holds now"])


def _spoken(tell: Tell) -> str:
    value = tell.estimate.value
    return tell.label if value is None else f"{tell.label} {value:.4g} ({tell.condition})"


def _without(missing: list[str]) -> str:
    return f"can't be judged without: {'; '.join(missing)}"


def resting(  # noqa: PLR0913 - a step has that many parts
    ground: Ground,
    step_id: str,
    title: str,
    *,
    refs: list[str],
    condition: str,
    action: str,
    size_coin: float,
    price: float,
    because: list[str],
    invalidation: str,
    uncovered: str,
) -> Step:
    """An order that waits for a price; its cost is that of a market order there."""
    return Step(
        id=step_id, title=title, refs=refs, condition=condition, state="waiting", because=because,
        action=action, size_coin=ground.coins(size_coin), price=ground.modelled(price, PRICE),
        invalidation=invalidation, cost=ground.cost(size_coin, price), uncovered=uncovered,
    )  # fmt: skip
