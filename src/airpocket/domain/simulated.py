"""The mark of an invented market: the first word of every source that nobody traded on."""

from collections.abc import Iterable

SIMULATED = "SIMULATED"
_LONGEST = 200


def is_simulated(source: str) -> bool:
    """Whether a source says of itself that it is invented."""
    return source.startswith(SIMULATED)


def labelled(what: str) -> str:
    """A label from what a simulated market says of itself: one printable line, the mark first."""
    line = "".join(c if c.isprintable() else " " for c in what).strip()[:_LONGEST]
    return line if is_simulated(line) else f"{SIMULATED} {line}".rstrip()


def sourced(label: str, sources: Iterable[str]) -> tuple[str, ...]:
    """Sources of rows heard from a simulated market; as they are where `label` is ''."""
    return tuple(f"{label}: {source}" if label else source for source in sources)
