"""Evidence on levels: outcomes as a plain twin reads them, placebos without skill, a planted skill found."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpocket.delivery.cli import main
from airpocket.domain.units import DAY_NS, HOUR_NS
from airpocket.evaluation.level_events import AFTER_BARS, AWAY, GO, TOUCH_BARS, Asked, outcomes
from airpocket.evaluation.level_history import Day, Known
from airpocket.evaluation.level_page import learned_source, markdown
from airpocket.evaluation.level_rates import rates_of
from airpocket.evaluation.level_rows import Band, rows_of
from airpocket.evaluation.level_study import _discovered, judged, study_of
from airpocket.levels.learned import RECORDS
from airpocket.levels.roadmap import Level
from airpocket.market.bars import Bars

ROOT = Path(__file__).resolve().parents[2]
START = 1_577_836_800_000_000_000  # 2020-01-01
STEP = 0.01


def walk(n, seed, drop=()):
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(STEP / 3 * rng.standard_normal(n)))
    opened = np.concatenate([[100.0], close[:-1]])
    values = np.full((7, n), np.nan)
    values[0], values[3], values[4] = opened, close, 1.0
    values[1] = np.maximum(opened, close) * 1.0005
    values[2] = np.minimum(opened, close) * 0.9995
    ts = START + HOUR_NS * np.arange(n, dtype=np.int64)
    keep = np.setdiff1d(np.arange(n), np.array(drop, dtype=int))
    return Bars(ts[keep], ts[keep] + HOUR_NS, values[:, keep])


def plainly(  # noqa: C901
    bars, row, side, near, far, unit
):
    """One band's story, bar by bar; prices signed so that the level is a support."""
    gaps, n = bars.gap_before(), len(bars)
    best = side * (bars.high if side > 0 else bars.low)
    worst = side * (bars.low if side > 0 else bars.high)
    near, far, answers = side * near, side * far, [-1] * 5

    def first(start, stop, up, down):
        for j in range(start, min(stop, n)):
            if gaps[j] or (best[j] >= up and worst[j] <= down):
                return 0, j
            if best[j] >= up or worst[j] <= down:
                return (1 if best[j] >= up else -1), j
        return 0, n

    window = range(row, row + TOUCH_BARS)
    broken_off = [j for j in window if j >= n or gaps[j]]
    touches = [j for j in window if j < n and worst[j] <= near]
    if not touches or (broken_off and broken_off[0] <= touches[0]):
        answers[0] = -1 if broken_off else 0
        return answers
    answers[0], at = 1, touches[0]
    way, broke = first(at + 1, at + 1 + AFTER_BARS, near + AWAY * unit, far - AWAY * unit)
    if worst[at] <= far - AWAY * unit:
        way, broke = -1, at
    elif side * bars.close[at] >= near + AWAY * unit:
        way = 1
    if way:
        answers[1] = int(way > 0)
    if way >= 0:
        return answers
    then, _ = first(broke + 1, broke + 1 + AFTER_BARS, far, far - (AWAY + GO) * unit)
    if then:
        answers[2] = int(then < 0)
    back, gone = None, False
    for j in range(broke + 1, broke + 1 + AFTER_BARS):
        if j >= n or gaps[j]:
            gone = True
            break
        if best[j] >= far:
            back = j
            break
    if back is None:
        answers[3] = -1 if gone else 0
        return answers
    answers[3] = 1
    then, _ = first(back + 1, back + 1 + AFTER_BARS, near + AWAY * unit, far - AWAY * unit)
    if then:
        answers[4] = int(then < 0)
    return answers


@settings(max_examples=40)
@given(
    st.integers(0, 10_000),
    st.sampled_from([-1, 1]),
    st.floats(0.2, 3.0),
    st.floats(0.0, 1.0),
    st.integers(0, 380),
    st.sets(st.integers(1, 399), max_size=1),
)
def test_outcomes_equal_a_plain_reading_of_the_bars(seed, side, distance, depth, row, gap):
    bars = walk(400, seed, sorted(gap))
    unit = float(STEP * bars.close[row])
    near = float(bars.open[row]) - side * distance * unit
    far = near - side * depth * unit
    one = Asked(
        np.array([row]), np.array([side]), np.array([near]), np.array([far]), np.array([unit])
    )
    found = [int(column[0]) for column in outcomes(bars, one)]
    assert found == plainly(bars, row, side, near, far, unit)


def history(seed, *, pinned=False, days=700):
    """A walk with daily moments; `pinned`: two days of three, price turns at the level within half a day."""
    bars = walk(24 * days, seed)
    values = bars.values.copy()
    told: list[Day] = []
    for k in range(2, days - 10):
        row = 24 * k
        price, unit = float(values[3, row - 1]), STEP * 1.6 * float(values[3, row - 1])
        at = price - 0.6 * unit
        if pinned and k % 12 in (2, 4, 6, 8):
            path = np.concatenate([np.linspace(price, at, 8), np.linspace(at, price + unit, 16)])
            shift = values[3, row + 23]
            values[3, row : row + 24] = path
            values[0, row : row + 24] = np.concatenate([[price], path[:-1]])
            values[1, row : row + 24] = np.maximum(values[0, row : row + 24], path)
            values[2, row : row + 24] = np.minimum(values[0, row : row + 24], path)
            values[:4, row + 24 :] *= path[-1] / shift
        kind = "volume_node" if pinned and k % 12 in (2, 4, 6, 8) else "fibonacci"
        level = Level(price=at, kind=kind, label=kind, formed_at=0, confirmed_at=0, prominence=1.0)
        told.append(Day(START + k * DAY_NS, row, price, unit, (level,)))
    return Known("BTC", Bars(bars.ts, bars.end, values), tuple(told))


def test_random_prices_on_a_random_walk_have_no_skill():
    rng = np.random.default_rng(4)
    dice = rows_of(
        [history(seed) for seed in range(4)],
        lambda day: [Band(f"{k % 5}", x, x) for k, x in enumerate(
            (day.price + day.atr * rng.uniform(-2, 2, 10)).tolist())],
    )  # fmt: skip
    assert {one.skill for one in judged(rates_of(dice))} == {"none"}


def test_a_kind_that_holds_is_found_and_weighs_and_the_other_does_not():
    study = study_of([history(1, pinned=True), history(2, pinned=True)])
    found = {one.named.name: one for one in study.kinds}
    assert found["volume_node"].skill == "holds"
    assert found["volume_node"].weight > 0.5
    assert found["fibonacci"].weight <= 0.0
    assert re.search(r"volume node: held more often \(\d+ % of [\d,]+ touches", markdown(study))
    assert '"volume_node": KindRecord("volume node"' in learned_source(study)


def test_the_rule_of_false_discoveries_keeps_the_largest_set_allowed():
    assert _discovered({"a": 0.01, "b": 0.04, "c": 0.5}) == {"a", "b"}
    assert _discovered({"a": 0.04, "b": 0.06, "c": 0.09}) == {"a", "b", "c"}
    assert _discovered({"a": 0.2}) == set()


def test_the_table_the_roadmap_reads_is_the_page_that_is_shown():
    page = (ROOT / "docs/evidence/levels.md").read_text(encoding="utf-8")
    rows = {
        cells[0]: cells
        for line in page.split("## By kind\n")[1].split("## By confluence")[0].splitlines()
        if line.startswith("| ")
        and (cells := [cell.strip() for cell in line.strip("|").split("|")])
    }
    assert len(RECORDS) >= 15
    for record in RECORDS.values():
        row = rows[record.name]
        assert row[3] == f"{record.touches:,}"
        assert row[9].split(" (")[0] == record.skill


def test_a_folder_without_the_data_is_refused_by_name(tmp_path, capsys):
    assert main(["evaluate", "levels", "--real", str(tmp_path)]) == 2
    assert "btcusdt_perp_1h.parquet" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.real
def test_the_levels_of_recorded_ether_are_watched_and_counted(shared):
    from airpocket.evaluation.level_history import known_history
    from airpocket.evaluation.level_rows import level_bands

    known = known_history(shared / "data", "ETH")
    assert len(known.days) == 1_444
    rows = rows_of([known], level_bands)
    held = {one.name: one.rates["held"] for one in rates_of(rows)}
    assert held["swing"].count > 500
