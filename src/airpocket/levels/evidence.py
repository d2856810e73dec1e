"""What kinds of levels were worth in the past: a level's weight, a zone's strength, its record in words."""

import math
from collections.abc import Sequence

from airpocket.domain.tells import NOT_EVALUATED
from airpocket.levels.learned import RECORDS
from airpocket.levels.roadmap import Level

_SHOWN = 2


def weight_of(key: str) -> float:
    """The learned log-odds of holding against a placebo; 0 of a kind without skill, or never tested."""
    record = RECORDS.get(key)
    return 0.0 if record is None else record.weight


def strength_of(levels: Sequence[Level]) -> float:
    """The weights of levels, those of one kind counted once: ten swings at a price are one reason."""
    return math.fsum({level.key: level.weight for level in levels}.values())


def record_of(levels: Sequence[Level]) -> str:
    """How levels like the most telling of these did: those with skill first, then the most prominent."""
    prominent = sorted(levels, key=lambda level: (-abs(level.weight), -level.prominence))
    keys = list(dict.fromkeys(level.key for level in prominent if level.key in RECORDS))
    if not keys:
        return NOT_EVALUATED
    skilled = [key for key in keys if RECORDS[key].weight != 0.0]
    return "; ".join(RECORDS[key].text for key in (skilled or keys)[:_SHOWN])
