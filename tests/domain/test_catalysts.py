"""An event is used from the moment it was known until it is here."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.domain.catalysts import Catalyst, ahead

TIMES = st.integers(0, 1_000)


@given(st.lists(st.tuples(TIMES, TIMES), max_size=8), TIMES, TIMES)
def test_nothing_is_ahead_that_was_not_known_or_is_over(pairs, now, within) -> None:
    events = [
        Catalyst(time=max(pair), known_from=min(pair), kind="other", name="x", confidence="likely")
        for pair in pairs
    ]
    found = ahead(events, now, within)
    assert all(e.known_from <= now < e.time <= now + within for e in found)
    assert [e.time for e in found] == sorted(e.time for e in found)
    assert len(found) == sum(e.known_from <= now < e.time <= now + within for e in events)


def test_an_event_cannot_become_known_after_it_happened() -> None:
    with pytest.raises(ValueError, match="after the event itself"):
        Catalyst(time=5, known_from=6, kind="other", name="x", confidence="likely")
