"""The hedged share: what is off the ladder already is not discounted twice."""

import numpy as np
import pytest

from airpocket.domain.estimates import PERCENT, known, unknown
from airpocket.liquidations.hedged import left_on
from airpocket.liquidations.records import Ladder


def test_what_is_off_the_ladder_already_is_not_taken_off_twice():
    usd = np.full(4, 20e6)
    believed = known(
        40.0,
        PERCENT,
        as_of=1,
        now=2,
        provenance="modelled",
        source="a belief",
        interval=(10.0, 60.0),
    )
    left = left_on(Ladder(usd, usd[None, :], beyond=20e6), believed)  # a fifth of the side
    assert left.value == pytest.approx(25.0)
    assert (left.low, left.high) == (0.0, pytest.approx(50.0))
    assert "20 % of the side" in left.source
    whole = 100e6 * (1.0 - believed.value / 100.0)
    assert usd.sum() * (1.0 - left.value / 100.0) == pytest.approx(whole)


def test_without_anything_off_the_ladder_or_a_belief_nothing_changes():
    usd = np.full(4, 20e6)
    believed = known(10.0, PERCENT, as_of=1, now=2, provenance="modelled", source="a belief")
    assert left_on(Ladder(usd, usd[None, :]), believed) == believed
    nobody = unknown(PERCENT, "no funding")
    assert left_on(Ladder(usd, usd[None, :], beyond=1e6), nobody) == nobody
