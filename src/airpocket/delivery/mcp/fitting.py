"""Answers of bounded size: columns for charts go, long lists are cut, and what was left off is said. Pure."""

from typing import Any, TypeAlias

import msgspec

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

MOST_BYTES = 48_000  # what a reader's window can bear
_CUTS = (40, 20, 10, 6, 4, 2, 1)
_FOR_CHARTS = frozenset(
    {"heat", "history", "history_ts", "candles", "averages", "curve", "trail_fan"}
)


def fitted(told: Json) -> tuple[Json, str]:
    """An answer within the bound, and a sentence of what is not in it ('' where all of it is).

    Keys that are null are left out, except `value`: an unknown figure keeps it beside its reason.
    """
    slim = _slim(told)
    if len(msgspec.json.encode(slim)) <= MOST_BYTES:
        return slim, "columns for charts" if slim != _slim(told, charts=True) else ""
    for most in _CUTS:
        cut = _cut(slim, most)
        if len(msgspec.json.encode(cut)) <= MOST_BYTES:
            return cut, f"columns for charts, and lists beyond their first {most}"
    return None, "everything: the answer is too large; ask for a part of it"


def provenances(told: Json) -> dict[str, int]:
    """How many figures of an answer are measured, modelled, mixed, or unknown."""
    found = {"measured": 0, "modelled": 0, "mixed": 0, "unknown": 0}
    _count(told, found)
    return found


def _count(told: Json, found: dict[str, int]) -> None:
    if isinstance(told, list):
        for each in told:
            _count(each, found)
    elif isinstance(told, dict):
        if "provenance" in told and "unknown" in told and "value" in told:
            kind = "unknown" if told["value"] is None else str(told["provenance"])
            found[kind] = found.get(kind, 0) + 1
        for each in told.values():
            _count(each, found)


def _slim(told: Json, *, charts: bool = False) -> Json:
    if isinstance(told, list):
        return [_slim(each, charts=charts) for each in told]
    if isinstance(told, dict):
        return {
            key: _slim(each, charts=charts) for key, each in told.items()
            if (each is not None or key == "value") and (charts or not _is_for_charts(key))
        }  # fmt: skip
    return float(f"{told:.8g}") if isinstance(told, float) else told


def _is_for_charts(key: str) -> bool:
    return key in _FOR_CHARTS or key.startswith("chart_")


def _cut(told: Json, most: int) -> Json:
    if isinstance(told, list):
        return [_cut(each, most) for each in told[:most]]
    if isinstance(told, dict):
        return {key: _cut(each, most) for key, each in told.items()}
    return told


def as_text(envelope: dict[str, Any]) -> str:
    """As the client gets it."""
    return msgspec.json.encode(envelope).decode()
