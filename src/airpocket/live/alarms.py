"""What a recorder has to say out loud: few words for many faults, and nothing while all is well."""

from collections.abc import Iterable, Mapping

from airpocket.ingest.skew import Skew
from airpocket.ingest.values import UNIT_CHANGED
from airpocket.live.intake import MISDATED
from airpocket.market.pulse import PulseStatus

SKEW_MS = 500.0  # a clock that is off by more makes every age and every order of events doubtful
_TRIES = 3
_MANY = 0.5  # of the venues: then it is our own network, or the whole market


def alarms(
    channels: Iterable[PulseStatus],
    troubles: Mapping[str, tuple[int, str, bool]],
    skews: Iterable[Skew] = (),
    notes: Iterable[str] = (),
    refused: Mapping[tuple[str, str], int] | None = None,
) -> tuple[str, ...]:
    """One line an incident: several venues that are lost at once are one.

    Args:
        troubles: 'venue route' → attempts in a row that opened nothing, what the last said, and whether no
            more will be made.
        notes: what else is to be said, as it stands: of this machine itself, for one.
        refused: (venue, reason) → frames or events not taken; told here are those whose time is wrong.
    """
    known = list(channels)
    venues = {channel.venue for channel in known}
    lost = {v for v in venues if all(c.state == "down" for c in known if c.venue == v)}
    found: list[str] = []
    if len(lost) > 1 and len(lost) >= _MANY * len(venues):
        found.append(f"{len(lost)} of {len(venues)} venues are not connected")
    else:
        lost = set[str]()
        for route, (failures, said, for_good) in sorted(troubles.items()):
            if failures >= _TRIES and not for_good:
                found.append(f"{route}: {failures} attempts in a row failed: {said}")
    for route, (_, said, for_good) in sorted(troubles.items()):
        if for_good:
            found.append(f"{route}: not called again: {said}")
    ill = [c for c in known if c.state in ("silent", "stale", "degraded") and c.venue not in lost]
    for venue in sorted({channel.venue for channel in ill}):
        found.append(f"{venue}: {_grouped([c for c in ill if c.venue == venue])}")
    for (venue, reason), count in sorted((refused or {}).items()):
        if reason == MISDATED or UNIT_CHANGED in reason:
            found.append(f"{venue}: {reason} ({count:,} times)")
    known_skews = list(skews)
    off = [skew for skew in known_skews if skew.least_ms > SKEW_MS]
    if off:
        worst = max(off, key=lambda skew: skew.least_ms)
        found.append(
            f"our clock is {-worst.offset_ms:+,.0f} ± {worst.error_ms:,.0f} ms off, by that of {worst.venue}"
            f" ({len(off)} of {len(known_skews)} venues say so)"
        )
    return (*found, *notes)


def _grouped(ill: list[PulseStatus]) -> str:
    """'price silent (ETHUSDT), book stale (37 symbols)'."""
    symbols: dict[str, list[str]] = {}
    for channel in ill:
        symbols.setdefault(f"{channel.channel} {channel.state}", []).append(channel.symbol)
    return ", ".join(
        f"{what} ({', '.join(sorted(named)) if len(named) <= 2 else f'{len(named)} symbols'})"
        for what, named in sorted(symbols.items())
    )
