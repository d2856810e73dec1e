"""Stress tests as JSON: the structs' keys in their order, times as ISO 8601 text."""

from collections.abc import Sequence

import msgspec

from airpocket.brief.plan_json import retimed
from airpocket.playbook.stress.records import StressTest


def render(tests: Sequence[StressTest]) -> bytes:
    """UTF-8 JSON, one object with the key `accounts`, indented, ending in a newline."""
    told = {"accounts": [retimed(msgspec.to_builtins(each)) for each in tests]}
    return msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"
