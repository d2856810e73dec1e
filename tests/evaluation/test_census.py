"""The model against a census: what accounts hold, scaled to open interest, beside what the model alone says."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from liquidations.accounts import KEY, PRICE, S, account, isolated, market, modelled

from airpocket.delivery.cli import main
from airpocket.delivery.simulated import bundled_store
from airpocket.evaluation.census import against_census, summed
from airpocket.liquidations.blend import blended
from airpocket.liquidations.measured import layers_of

BUCKETS = 400


def counted(positions, *, interest=1_000.0):
    """A map of even buckets with accounts (coin, price) blended in; shorts have negative coin."""
    at = market(interest=interest)
    states = [account(f"a{n}", isolated(coin, price)) for n, (coin, price) in enumerate(positions)]
    even = np.full(BUCKETS, interest / BUCKETS)
    return blended(modelled(even, even, interest=interest), layers_of(at, states, [], S), at, S)


def test_what_accounts_hold_is_scaled_to_open_interest():
    found = counted([(-100.0, PRICE * 1.02), (-100.0, PRICE * 1.2)])
    rows = {row.percent: row for row in against_census(found)}
    assert set(rows) == {1.0, 3.0, 5.0, 10.0}  # no account holds a long
    assert {row.key for row in rows.values()} == {KEY}
    assert rows[1.0].coverage == pytest.approx(0.2)
    assert rows[1.0].counted == 0.0
    assert rows[3.0].counted == pytest.approx(500.0 * PRICE * 1.02, rel=2e-3)
    assert rows[3.0].modelled == pytest.approx(1_000.0 / BUCKETS * 30 * PRICE * 1.015, rel=0.1)


@given(st.lists(st.tuples(st.floats(-200.0, -1.0), st.floats(1.001, 1.3)), min_size=2, max_size=9))
def test_the_model_beside_it_has_not_seen_the_accounts(shorts):
    one = counted([(coin, PRICE * way) for coin, way in shorts])
    other = counted([(-500.0, PRICE * 1.01)])
    seen = {row.percent: row.modelled for row in against_census(one)}
    alone = {row.percent: row.modelled for row in against_census(other)}
    assert all(seen[percent] == pytest.approx(alone[percent], rel=1e-3) for percent in seen)


def test_too_little_counted_says_nothing_of_the_rest():
    assert against_census(counted([(-40.0, PRICE * 1.02)])) == []


def test_bands_are_summed_with_their_verdicts():
    rows = against_census(counted([(-500.0, PRICE * 1.02)]))
    (one, three, *_) = summed(rows)
    assert one[:2] == (1.0, 1)
    assert three[3] == pytest.approx(rows[1].modelled / rows[1].counted)
    assert rows[0].verdict == "too large"
    assert rows[1].verdict == "too small"


def test_the_command_scores_the_lab_s_census(tmp_path, capsys):
    bundled_store(tmp_path)
    asked = [
        "evaluate",
        "census",
        "ETH",
        "--venue",
        "sim_perp2",
        "--store",
        str(tmp_path),
        "--days",
        "1",
        "--json",
    ]
    assert main(asked) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert {row["key"].split(":")[0] for row in rows} == {"sim_perp2"}
    assert all(row["low"] <= row["modelled"] <= row["high"] for row in rows)
    assert {row["verdict"] for row in rows} <= {"inside", "too small", "too large"}
    assert main(["evaluate", "census", "ETH", "--venue", "nowhere", "--store", str(tmp_path)]) != 0
    assert "nothing of ETH on 'nowhere'" in capsys.readouterr().err
