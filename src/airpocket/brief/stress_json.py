"""Stress tests as JSON and its JSON Schema: the structs' keys in their order, times as ISO 8601 text."""

from collections.abc import Sequence

from airpocket.brief import plan_json
from airpocket.playbook.stress.records import SCHEMA, StressTest

_KEY = "accounts"


def render(tests: Sequence[StressTest]) -> bytes:
    """UTF-8 JSON, one object with the key `accounts`, indented, ending in a newline."""
    return plan_json.render_all(_KEY, tests)


def schema() -> bytes:
    """The JSON Schema (2020-12) of what `render` gives."""
    return plan_json.schema(StressTest, SCHEMA, _KEY)
