"""Sheets of hedges as JSON and its JSON Schema: the structs' keys in their order, times as ISO 8601 text."""

from collections.abc import Sequence

from airpocket.brief import plan_json
from airpocket.playbook.hedging.records import SCHEMA, HedgeSheet

_KEY = "hedges"


def render(sheets: Sequence[HedgeSheet]) -> bytes:
    """UTF-8 JSON, one object with the key `hedges`, indented, ending in a newline."""
    return plan_json.render_all(_KEY, sheets)


def schema() -> bytes:
    """The JSON Schema (2020-12) of what `render` gives."""
    return plan_json.schema(HedgeSheet, SCHEMA, _KEY)
