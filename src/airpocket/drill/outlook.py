"""What airpocket makes of the drill's market, from what its venues told: pockets, and a plan for a position."""

from collections.abc import Iterable
from dataclasses import dataclass

from airpocket.cascade.records import Cascade, Pocket
from airpocket.domain.errors import AirpocketError
from airpocket.domain.events import Batch
from airpocket.domain.units import TimeNs
from airpocket.drill.account import Account
from airpocket.pipeline import Assessment, Assessor
from airpocket.playbook.plan import plan_for
from airpocket.playbook.records import Plan, Step

_WIDE_PERCENT = 0.5


@dataclass(frozen=True, slots=True)
class Outlook:
    """At one moment: the plan of the position, or why there is none, and the nearest pocket each way."""

    plan: Plan | None
    why_not: str
    up: Pocket | None
    down: Pocket | None

    @property
    def steps(self) -> list[Step]:
        """Of all plays, in order."""
        return (
            [] if self.plan is None else [step for play in self.plan.plays for step in play.steps]
        )

    @property
    def no_stop(self) -> str:
        """Why the plan knows no stop."""
        plays = () if self.plan is None else self.plan.plays
        return next((p.unknown for p in plays if p.id in ("staggered", "stop") and p.unknown), "")

    @property
    def firing(self) -> list[Step]:
        """What the plan would have done now."""
        return [step for step in self.steps if step.state == "firing"]

    @property
    def first(self) -> Step | None:
        """The first exit of a short on the way to its stop."""
        return next((step for step in self.steps if step.id == "first_extension"), None)

    @property
    def stop(self) -> Step | None:
        """The step at which the plan is out of everything."""
        return next((step for step in self.steps if step.id in ("hard_stop", "stop")), None)


class Analyst:
    """Owns the state of the analysis; the same for every position asked about."""

    def __init__(self, asset: str) -> None:
        self._assessor = Assessor(asset)
        self._found: Assessment | None = None
        self._why_not = ""

    @property
    def found(self) -> Assessment | None:
        """What is thought of the market since the last look; None where that could not be."""
        return self._found

    def take(self, facts: Iterable[Batch]) -> None:
        """Facts, in order."""
        for fact in facts:
            self._assessor.apply(fact)

    def look(self, facts: Iterable[Batch], now: int) -> None:
        """Take facts and judge anew."""
        self.take(facts)
        try:
            self._found, self._why_not = self._assessor.assess(TimeNs(now)), ""
        except AirpocketError as error:
            self._found, self._why_not = None, str(error)

    def outlook(self, account: Account, opened_at: int) -> Outlook:
        """For a position as it is now."""
        found = self._found
        if found is None:
            return Outlook(None, self._why_not, None, None)
        up, down = _nearest(found)
        if not account.open:
            return Outlook(None, "nothing is held", up, down)
        try:
            plan = plan_for(account.position(opened_at), found.situation())
        except AirpocketError as error:
            return Outlook(None, str(error), up, down)
        return Outlook(plan, "", up, down)


def _nearest(found: Assessment) -> tuple[Pocket | None, Pocket | None]:
    cascade = found.cascade
    if not isinstance(cascade, Cascade):
        return None, None
    ways = [
        sorted(filter(_wide, way.pockets), key=lambda p: abs(p.start_percent))
        for way in (cascade.up, cascade.down)
    ]
    up, down = (way[0] if way else None for way in ways)
    return up, down


def _wide(pocket: Pocket) -> bool:
    """Narrower ones are met at every step, and say nothing to who holds a position."""
    return (
        not pocket.inside_grid or abs(pocket.stop_percent - pocket.start_percent) >= _WIDE_PERCENT
    )
