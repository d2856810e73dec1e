"""Plans as JSON: the structs' keys in their order, times as ISO 8601 text."""

from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from airpocket.domain.units import format_time
from airpocket.playbook.records import Plan

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

_TIMES = frozenset({"as_of", "opened_at", "time", "known_from", "expires_at", "expiry"})


def render(plans: Sequence[Plan]) -> bytes:
    """UTF-8 JSON, one object with the key `plans`, indented, ending in a newline."""
    told = {"plans": [retimed(msgspec.to_builtins(plan)) for plan in plans]}
    return msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"


def retimed(value: Json) -> Json:
    """The same tree with nanoseconds as text: they don't fit the numbers of a JavaScript reader."""
    if isinstance(value, list):
        return [retimed(each) for each in value]
    if isinstance(value, dict):
        return {
            key: format_time(each) if key in _TIMES and isinstance(each, int) else retimed(each)
            for key, each in value.items()
        }
    return value
