"""The slow drivers of a brief as a view of their own: the whole table, the hinge, and the four readings."""

from msgspec import Struct

from airpocket.brief.model import Brief
from airpocket.domain.tells import Graded, Reading
from airpocket.signals.driver_records import DriverTable

SCHEMA = "airpocket.flows/2"


class FlowsView(Struct, frozen=True, kw_only=True):
    """What `airpocket flows show --json` says. flows: the four that the verdict counts; drivers: all there are."""

    schema: str = SCHEMA
    asset: str
    as_of: str
    simulated: bool
    hinge: Reading
    drivers: DriverTable | None
    flows: list[Graded]


def flows_view(brief: Brief) -> FlowsView:
    """The view of a brief."""
    return FlowsView(
        asset=brief.asset, as_of=brief.as_of, simulated=brief.health.simulated,
        hinge=next(each for each in brief.regimes if each.id == "hinge"),
        drivers=brief.drivers, flows=brief.flows,
    )  # fmt: skip
