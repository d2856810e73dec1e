"""Which one driver would flip the hinge's reading, and by how much it would have to change (M20)."""

import numpy as np

from airpocket.domain.estimates import Estimate, known, unknown
from airpocket.domain.events import FloatArray
from airpocket.domain.tells import Graded


def turning(
    creations: Graded, issuance: Graded, readings: tuple[FloatArray, FloatArray]
) -> tuple[str | None, str, Estimate]:
    """The driver's id (None: no single one), the sentence, and the change needed.

    readings: each driver's past figures, by which a change is measured: of two that hold, the one nearer to its
    threshold in its own standard deviations would turn first.
    """
    both = (creations, issuance)
    stalled = [row for row in both if row.state == "not supportive"]
    dark = [row for row in both if row.state == "unknown"]
    if len(stalled) == 2:
        return (
            None,
            "Both stalled: no single one would flip the reading.",
            _nothing("both would have to turn"),
        )
    if stalled and dark:
        text = (
            f"{stalled[0].title} stalled; were it to turn, the reading would hang on {dark[0].title}, which is"
            f" unknown: {dark[0].because[0]}."
        )
        return None, text, _nothing(dark[0].because[0])
    if len(dark) == 2:
        return (
            None,
            "Neither is known, so nothing can be said to turn the reading.",
            _nothing("neither is known"),
        )
    if dark:
        text = f"{dark[0].title} decides: the other holds, and it is unknown: {dark[0].because[0]}."
        return dark[0].id, text, _nothing(dark[0].because[0])
    if stalled:
        row = stalled[0]
        needed = _needed(row)
        text = f"{row.title} is the hinge: a change by {_said(needed)} would make both hold."
        return row.id, text, needed
    row = min(zip(both, readings, strict=True), key=lambda pair: _distance(*pair))[0]
    needed = _needed(row)
    return row.id, f"{row.title} is the hinge: a change by {_said(needed)} would stall it.", needed


def _distance(row: Graded, readings: FloatArray) -> float:
    """From the threshold of zero, in standard deviations of the driver's own readings."""
    value, clean = row.tells[0].estimate.value, readings[np.isfinite(readings)]
    spread = float(clean.std()) if len(clean) > 1 else 0.0
    return abs(value or 0.0) / spread if spread > 0.0 else float("inf")


def _needed(row: Graded) -> Estimate:
    lead = row.tells[0].estimate
    if lead.value is None or lead.as_of is None or lead.age_s is None:
        return _nothing("its figure is unknown")
    now = lead.as_of + round(lead.age_s * 1e9)
    return known(-lead.value, lead.unit, as_of=lead.as_of, now=now, source=lead.source)


def _said(needed: Estimate) -> str:
    if needed.value is None:
        return "an unknown amount"
    if needed.unit == "USD":
        return f"{'-' if needed.value < 0 else '+'}${abs(needed.value) / 1e6:,.0f} mn"
    return f"{needed.value:+.2f} {needed.unit}"


def _nothing(why: str) -> Estimate:
    return unknown("USD", why)
