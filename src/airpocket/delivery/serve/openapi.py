"""The description of the API: FastAPI's of the requests, our structs' own schemas of the answers."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from airpocket import __version__
from airpocket.brief.as_json import TIME_SCHEMA, tightened
from airpocket.brief.flows_view import FlowsView
from airpocket.brief.fuel_model import FuelView
from airpocket.brief.levels_model import LevelsView
from airpocket.brief.map_model import MapView
from airpocket.brief.model import Brief
from airpocket.brief.plan_json import TIMES
from airpocket.delivery.serve import models
from airpocket.delivery.serve.drill_state import DrillState

# answers by path below /api/v1
DOCUMENTS = {
    "brief": "Brief", "map": "MapView", "levels": "LevelsView", "cascade": "CascadeView", "triggers": "Triggers",
    "flows": "FlowsView", "fuel": "FuelView", "funding": "Funding",
}  # fmt: skip
_STRUCTS = (
    Brief, MapView, LevelsView, models.CascadeView, models.Triggers, FlowsView, FuelView, models.Funding,
    models.BarColumns, models.Plans, models.StressTests, models.Hedges, models.ServerHealth,
    models.ReplayState, models.Token, models.Ticket, models.LaunchCode, models.Problem, models.State,
    models.Tape, models.HeatHead, DrillState,
)  # fmt: skip
_WHAT_IF = {
    "type": "object",
    "required": ["schema", "asset", "simulated", "provenance", "as_of"],
    "properties": {
        "schema": {"const": "airpocket.whatif/1"},
        "simulated": {"type": "boolean"},
        "as_of": TIME_SCHEMA,
    },
}
_REF = "#/components/schemas/"


def answers(struct: str, *more: int) -> dict[int | str, dict[str, Any]]:
    """The responses of a route: its struct, and problems."""
    problems = (400, 401, 403, 413, 421, 422, 429, 503, *more)
    content = {"application/json": {"schema": {"$ref": f"{_REF}{struct}"}}}
    refused = {"application/json": {"schema": {"$ref": f"{_REF}Problem"}}}
    return {
        200: {"description": struct, "content": content},
        **{status: {"description": "Problem", "content": refused} for status in problems},
    }


def binary() -> dict[int | str, dict[str, Any]]:
    """The responses of the heatmap."""
    found = answers("HeatHead", 404)
    schema = {"type": "string", "format": "binary"}
    found[200] = {
        "description": "The heatmap; docs/api.md has the layout, HeatHead its head.",
        "content": {"application/octet-stream": {"schema": schema}},
    }
    return found


@cache
def described(app: FastAPI) -> bytes:
    """The whole description, JSON."""
    whole = get_openapi(
        title="airpocket", version=__version__, routes=app.routes, description=_ABOUT
    )
    for methods in whole["paths"].values():
        for operation in methods.values():
            operation["security"] = [{"bearer": []}]
    whole["paths"]["/api/v1/session"]["post"]["security"] = []
    parts = whole.setdefault("components", {})
    parts.setdefault("schemas", {}).update(_schemas())
    parts["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    return msgspec.json.encode(whole)


def _schemas() -> dict[str, Any]:
    _, records = msgspec.json.schema_components(_STRUCTS, ref_template=f"{_REF}{{name}}")
    found = tightened(records, {name: tuple(_times(record)) for name, record in records.items()})
    return {**found, "WhatIf": _WHAT_IF}


def _times(record: dict[str, Any]) -> Iterator[str]:
    """The fields that are nanoseconds in a struct and text in what is told of positions."""
    for name, field in record.get("properties", {}).items():
        kinds = {each.get("type") for each in (field, *field.get("anyOf", ()))}
        if name in TIMES and "integer" in kinds:
            yield name


_ABOUT = "Forced-flow risk of one asset. docs/api.md has the websocket and the binary heatmap."
