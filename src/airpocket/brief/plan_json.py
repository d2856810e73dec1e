"""Plans as JSON and its JSON Schema: the structs' keys in their order, times as ISO 8601 text."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from airpocket.brief.as_json import tightened
from airpocket.domain.units import format_time
from airpocket.playbook.records import SCHEMA, Plan

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

# fields that are nanoseconds in the structs of positions, plans, hedges and stress tests
TIMES = frozenset({"as_of", "opened_at", "time", "known_from", "expires_at", "expiry"})
_TIMES_OF = {
    "Position": ("opened_at",),
    "Step": ("expires_at",),
    "Catalyst": ("time", "known_from"),
}


def render(plans: Sequence[Plan]) -> bytes:
    """UTF-8 JSON, one object with the key `plans`, indented, ending in a newline."""
    return render_all("plans", plans)


def schema(of: type[Struct] = Plan, name: str = SCHEMA, key: str = "plans") -> bytes:
    """The JSON Schema (2020-12) of what `render_all` gives of a struct: every key present, no others."""
    records: dict[str, dict[str, Any]] = tightened(msgspec.json.schema(of)["$defs"], _TIMES_OF)
    records[of.__name__]["properties"]["schema"] = {"const": name}
    told = {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": name, "type": "object",
        "properties": {key: {"type": "array", "items": {"$ref": f"#/$defs/{of.__name__}"}}},
        "required": [key], "additionalProperties": False, "$defs": records,
    }  # fmt: skip
    return msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"


def render_all(key: str, sheets: Sequence[Struct]) -> bytes:
    """The same of any structs about positions, under a key."""
    told = {key: [retimed(msgspec.to_builtins(each)) for each in sheets]}
    return msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"


def retimed(value: Json) -> Json:
    """The same tree with nanoseconds as text: they don't fit the numbers of a JavaScript reader."""
    if isinstance(value, list):
        return [retimed(each) for each in value]
    if isinstance(value, dict):
        return {
            key: format_time(each) if key in TIMES and isinstance(each, int) else retimed(each)
            for key, each in value.items()
        }
    return value
