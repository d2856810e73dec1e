"""The brief as JSON and its JSON Schema: the struct's keys in their order, with times as ISO 8601.

Times are text because nanoseconds since 1970 don't fit the numbers of a JavaScript reader; they keep
whole microseconds. Everything else is the struct as it is: an unknown figure has `value` null and its
reason in `unknown`.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec

from airpocket.brief.model import SCHEMA, Brief
from airpocket.domain.units import format_time, parse_time

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

# fields that are nanoseconds in the structs, by struct; Brief.as_of is text already
_TIMES = {
    "Estimate": ("as_of",),
    "Level": ("formed_at", "confirmed_at"),
    "Track": ("state_since",),
    "Change": ("came_at",),
    "Candles": ("chart_ts",),
    "Average": ("chart_ts",),
    "PriceSection": ("chart_ts",),
    "Verdict": ("since",),
    "Transition": ("at",),
    "DriverRow": ("history_ts",),
    "HeatGrid": ("ts",),
}
_TIME_KEYS = frozenset(key for keys in _TIMES.values() for key in keys)
TIME_SCHEMA = {"type": "string", "format": "date-time"}


def render(brief: Brief) -> bytes:
    """UTF-8 JSON, indented, keys in the order of the struct, ending in a newline."""
    return render_struct(brief)


def render_struct(view: msgspec.Struct) -> bytes:
    """Any of the brief's structs in the same form."""
    told = _retimed(msgspec.to_builtins(view), _as_text)
    return msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"


def parse(text: bytes) -> Brief:
    """A brief back from its JSON.

    Raises:
        msgspec.ValidationError: not a brief of this schema.
        ValueError: a time that is not ISO 8601 in UTC.
    """
    told: Json = msgspec.json.decode(text)
    if not isinstance(told, dict):
        raise msgspec.ValidationError("a brief is a JSON object")
    if told.get("schema") != SCHEMA:
        raise msgspec.ValidationError(f"this reads {SCHEMA}, not {told.get('schema')!r}")
    # the brief's own as_of is text in the struct too
    inner = {
        key: value if key == "as_of" else _retimed(value, _as_number) for key, value in told.items()
    }
    return msgspec.convert(inner, Brief)


def schema(of: type[msgspec.Struct] = Brief, name: str = SCHEMA) -> bytes:
    """The JSON Schema (2020-12) of what `render` gives of a struct: every key present, no others."""
    told: dict[str, Any] = msgspec.json.schema(of)
    records = tightened(told["$defs"])
    records[of.__name__]["properties"]["schema"] = {"const": name}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": name}
    return msgspec.json.format(msgspec.json.encode({**head, **told}), indent=2) + b"\n"


def tightened(
    records: dict[str, dict[str, Any]], times: Mapping[str, tuple[str, ...]] | None = None
) -> dict[str, dict[str, Any]]:
    """The schemas of structs as they are written: every key present, no others, times as text.

    Args:
        times: struct → more of its fields that are written as times.
    """
    for record in records.values():
        record["required"] = list(record["properties"])
        record["additionalProperties"] = False
    for title, keys in (*_TIMES.items(), *(times or {}).items()):
        properties = records.get(title, {}).get("properties", {})
        for key in (key for key in keys if key in properties):
            properties[key] = _time_schema(properties[key])
    if "Estimate" in records:
        records["Estimate"]["oneOf"] = [
            {"properties": {"value": {"type": "number"}, "unknown": {"type": "null"}}},
            {"properties": {"value": {"type": "null"}, "unknown": {"type": "string"}}},
        ]
    return records


def _time_schema(given: dict[str, Any]) -> dict[str, Any]:
    """The schema of a time, an optional time, or a list of times, in place of whole numbers."""
    if given.get("type") == "array":
        return {"type": "array", "items": TIME_SCHEMA}
    return (
        {"anyOf": [TIME_SCHEMA, {"type": "null"}], "default": None}
        if "anyOf" in given
        else TIME_SCHEMA
    )


def _as_text(value: Json) -> Json:
    return format_time(value) if isinstance(value, int) else value


def _as_number(value: Json) -> Json:
    return parse_time(value) if isinstance(value, str) else value


def _retimed(value: Json, change: Callable[[Json], Json]) -> Json:
    """The same tree with every time field changed."""
    if isinstance(value, list):  # most of a brief is numbers of charts
        return [each if isinstance(each, float) else _retimed(each, change) for each in value]
    if isinstance(value, dict):
        return {key: _field(key, each, change) for key, each in value.items()}
    return value


def _field(key: str, value: Json, change: Callable[[Json], Json]) -> Json:
    if key not in _TIME_KEYS or isinstance(value, dict):
        return _retimed(value, change)
    return [change(each) for each in value] if isinstance(value, list) else change(value)
