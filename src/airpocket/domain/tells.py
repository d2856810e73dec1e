"""Tells and readings: a figure with the condition it is held against, and a named state built of them."""

from msgspec import Struct

from airpocket.domain.estimates import Estimate

NOT_EVALUATED = "not yet evaluated"


class Tell(Struct, frozen=True, kw_only=True):
    """One figure that argues for or against a state.

    `condition` says in words what would make it speak ("z-score at or above 2"), empty for context;
    `met` is whether it does: None when the figure is unknown or there is no condition.
    """

    id: str
    label: str
    estimate: Estimate
    condition: str = ""
    met: bool | None = None


class Reading(Struct, frozen=True, kw_only=True):
    """A named state of the market with its reasons: a regime, a trigger, a cluster effect, a flow driver.

    `state` is one word or a short phrase, `unknown` when a tell it needs is missing; `because` says why
    in sentences; `refs` are the requirement ids it answers.
    """

    id: str
    title: str
    state: str
    because: list[str]
    tells: list[Tell]
    refs: list[str]


class Graded(Reading, frozen=True, kw_only=True):
    """A reading that claims something about what follows: with odds and the record of earlier claims."""

    implication: str
    odds: str = NOT_EVALUATED
    record: str = NOT_EVALUATED


def context(tell_id: str, label: str, estimate: Estimate) -> Tell:
    """A figure shown for context, with no condition."""
    return Tell(id=tell_id, label=label, estimate=estimate)


def at_least(tell_id: str, label: str, estimate: Estimate, threshold: float, words: str) -> Tell:
    """A tell that speaks when the figure is at or above `threshold`."""
    return Tell(
        id=tell_id, label=label, estimate=estimate, condition=words, met=estimate.above(threshold)
    )


def at_most(tell_id: str, label: str, estimate: Estimate, threshold: float, words: str) -> Tell:
    """A tell that speaks when the figure is at or below `threshold`."""
    return Tell(
        id=tell_id, label=label, estimate=estimate, condition=words, met=estimate.below(threshold)
    )
