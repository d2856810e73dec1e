"""The fine integration against the closed forms, on even ground both ways, and where fuel or ground end."""

import numpy as np
import pytest
from cascade.grounds import ALPHA, even
from hypothesis import given
from hypothesis import strategies as st

from airpocket.cascade.dynamics import overshoot_peak, runaway_threshold
from airpocket.cascade.integrate import peak_of
from airpocket.cascade.paths import Ground
from airpocket.cascade.static import static_scan

# science §3.3: checked there against another integration
KNOWN = [
    (0.5, 0.1, 1.30364), (0.8, 0.1, 1.87795), (0.9, 0.5, 1.11667), (1.0, 0.25, 1.62141),
    (1.2, 0.25, 2.07896), (1.5, 1.0, 1.10275), (3.0, 2.0, 1.22474),
]  # fmt: skip


def multiple(reproduction, kappa_tau, jump=0.001):
    return peak_of(even(reproduction), jump, 6.0, 6.0 / kappa_tau)


@pytest.mark.parametrize(("reproduction", "kappa_tau", "peak"), KNOWN)
@pytest.mark.parametrize("way", [1.0, -1.0])
def test_even_ground_gives_the_closed_form(reproduction, kappa_tau, peak, way):
    found, closed = (
        multiple(reproduction, kappa_tau, way * 0.001),
        overshoot_peak(reproduction, kappa_tau),
    )
    assert found.high / (way * 0.001) == pytest.approx(closed.peak, abs=1e-6)
    assert found.high / (way * 0.001) == pytest.approx(peak, abs=1e-5)
    assert found.after_s / 6.0 == pytest.approx(closed.time_to_peak, abs=0.01)
    assert found.forced_usd == pytest.approx(reproduction * ALPHA * abs(found.high), rel=1e-9)
    assert found.inside
    assert found.settled


@given(st.floats(0.01, 3.0), st.floats(0.02, 3.0))
def test_any_burst_that_ends_gives_the_closed_form(reproduction, kappa_tau):
    closed = overshoot_peak(reproduction, kappa_tau)
    if (
        closed.peak is None
        or closed.peak > 400.0
        or reproduction > 0.98 * runaway_threshold(kappa_tau)
    ):
        return
    found = multiple(reproduction, kappa_tau)
    assert found.high / 0.001 == pytest.approx(closed.peak, rel=2e-6)


def test_a_runaway_leaves_the_ground_and_says_so():
    found = multiple(2.0, 0.04)
    assert not found.inside
    assert found.high >= 0.5


def test_without_resilience_it_stops_where_the_static_scan_says():
    """Uneven ladder: κ → 0 is the fast limit, for which a push is the jump it makes."""
    rng = np.random.default_rng(3)
    edges = np.linspace(-0.2, 0.2, 401)
    buckets = rng.gamma(0.5, 1e7, 200)
    above = np.concatenate([[0.0], np.cumsum(buckets * np.linspace(1.0, 0.0, 200))])
    ladder = np.concatenate([np.zeros(200), above])
    ground = Ground(edges, ladder[None, :], np.full(400, 4e9))
    jump = 0.004
    found = peak_of(ground, jump, 6.0, 1e9)
    scan = static_scan(4e9 * edges[200:], above, np.array([4e9 * jump]))
    assert found.inside
    assert found.high == pytest.approx(edges[200 + int(scan.stop_index[0])], abs=0.0011)


def test_where_the_fuel_ends_the_burst_ends():
    edges = np.linspace(-0.1, 0.1, 201)
    ladder = np.minimum(np.abs(edges), 0.01) * 3.0 * ALPHA
    found = peak_of(Ground(edges, ladder[None, :], np.full(200, ALPHA)), 0.005, 6.0, 600.0)
    assert found.forced_usd == pytest.approx(0.01 * 3.0 * ALPHA)
    assert 0.01 < found.high < 0.005 + 0.03
    assert found.settled


@pytest.mark.parametrize(
    ("jump", "latency", "recovery", "draw", "word"),
    [(0.6, 6.0, 60.0, 0, "leaves"), (0.01, 0.0, 60.0, 0, "latency"), (0.01, 6.0, -1.0, 0, "recovery"),
     (0.01, 6.0, 60.0, 1, "draw"), (float("nan"), 6.0, 60.0, 0, "leaves"),
     (0.01, float("nan"), 60.0, 0, "latency")],
)  # fmt: skip
def test_what_cannot_be_integrated_is_refused(jump, latency, recovery, draw, word):
    with pytest.raises(ValueError, match=word):
        peak_of(even(0.5), jump, latency, recovery, draw=draw)


def test_no_jump_moves_nothing():
    assert peak_of(even(2.0), 0.0, 6.0, 60.0).high == 0.0
