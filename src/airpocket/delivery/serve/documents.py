"""An assessment as the documents that the API serves: all of one moment, all as bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from airpocket.brief import as_json
from airpocket.brief.compose import compose
from airpocket.brief.flows_view import flows_view
from airpocket.brief.fuel import fuel_view
from airpocket.brief.levels_view import levels_view
from airpocket.brief.map_view import map_view
from airpocket.brief.model import Brief
from airpocket.delivery.serve.columns import INTERVALS, bars_of, funding_panes
from airpocket.delivery.serve.heat_frame import Grid, grid_of
from airpocket.delivery.serve.models import Squeeze
from airpocket.domain.errors import NothingKnown
from airpocket.domain.estimates import unknown
from airpocket.domain.units import TimeNs
from airpocket.liquidations.records import LiquidationMap, Unmapped
from airpocket.pipeline import Assessment


@dataclass(frozen=True, slots=True)
class Edition:
    """Everything said of one moment. documents: name → JSON. head: of the `state` topic, less what the web adds.

    grid: None where there is no map.
    """

    as_of: TimeNs
    documents: Mapping[str, bytes]
    head: bytes
    grid: Grid | None
    health: bytes


def edition_of(found: Assessment, then: TimeNs, before: LiquidationMap | Unmapped) -> Edition:
    """All documents of an assessment; `before`: the map at `then`, to compare with."""
    brief = compose(found)
    whole: dict[str, Any] = msgspec.json.decode(as_json.render(brief))
    told = {key: whole[key] for key in ("asset", "as_of")} | {"simulated": brief.health.simulated}
    documents = {
        "brief": _encoded(whole),
        "map": _compact(as_json.render_struct(map_view(found, then, before))),
        "levels": _compact(as_json.render_struct(levels_view(found))),
        "cascade": _encoded(
            {
                "schema": whole["schema"],
                "asset": whole["asset"],
                "as_of": whole["as_of"],
                "cascade": whole["cascade"],
                "simulated": brief.health.simulated,
            }
        ),
        "triggers": _encoded(
            {
                "schema": "airpocket.triggers/1",
                **told,
                **{
                    key: whole[key]
                    for key in ("verdict", "triggers", "clusters", "regimes", "record")
                },
            }
        ),
        "flows": _compact(as_json.render_struct(flows_view(brief))),
        "fuel": msgspec.json.encode(fuel_view(found)),
        "funding": msgspec.json.encode(funding_panes(found.market)),
        **_bars(found),
    }
    grid = (
        grid_of(found.map, found.market.simulated)
        if isinstance(found.map, LiquidationMap)
        else None
    )
    head = {
        **told, "answer": whole["answer"], "headline": whole["at_risk"]["headline"],
        "price": whole["price"]["last"], "verdict": whole["verdict"], "triggers": whole["triggers"],
        "squeeze": _compacted([_squeeze(brief, way) for way in ("up", "down")]),
    }  # fmt: skip
    health = {"channels": whole["health"]["channels"], "missing": whole["health"]["missing"]}
    return Edition(found.market.now, documents, _encoded(head), grid, _encoded(health))


def _bars(found: Assessment) -> dict[str, bytes]:
    made: dict[str, bytes] = {}
    for interval in INTERVALS:
        try:
            made[f"bars/{interval}"] = msgspec.json.encode(bars_of(found.market, interval))
        except NothingKnown:
            continue  # no contract has bars: asking for them says so
    return made


def _squeeze(brief: Brief, direction: str) -> Squeeze:
    pushes = brief.cascade.pushes
    for way in pushes.ways:
        if way.direction == direction:
            return Squeeze(direction=way.direction, next=way.squeeze, pocket=way.pocket_squeeze)
    why = unknown("ratio", pushes.unknown or "no pushes were walked this way")
    return Squeeze(direction="up" if direction == "up" else "down", next=why, pocket=why)


def _compacted(views: list[Squeeze]) -> list[Any]:
    return [msgspec.json.decode(as_json.render_struct(view)) for view in views]


def _compact(text: bytes) -> bytes:
    return msgspec.json.format(text, indent=0)


def _encoded(value: object) -> bytes:
    return msgspec.json.encode(value)
