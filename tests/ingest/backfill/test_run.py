"""Tests of whole backfills: paging, resuming, venues that repeat themselves or go backwards."""

import polars as pl
import pytest
from ingest.backfill.fake_venue import HOUR_MS, FakeClock, FakeVenue, Say, body, client

from airpocket.domain.errors import BadInput, StoreConflict, UndecodableFrame, VenueRefused
from airpocket.domain.units import DAY_NS, HOUR_NS, format_time, parse_time
from airpocket.ingest.backfill.run import backfill
from airpocket.ingest.lake import Lake, Table

MS = 1_000_000
H = HOUR_NS
START = parse_time("2025-04-01T00:00Z")
DAYS_30 = START + 30 * DAY_NS


def kline(ms: int, close: float = 101.0) -> list[object]:
    """One bar of Binance USD-M."""
    volume = str(ms // HOUR_MS % 97)
    return [
        ms, "100", "110", "90", str(close), volume, ms + HOUR_MS - 1, "5000", 9, "1", "100", "0",
    ]  # fmt: skip


def klines(asked: dict[str, str], *, most: int = 1_000) -> list[list[object]]:
    """What Binance answers: oldest first, from startTime to endTime, at most `limit` rows."""
    first = -(-int(asked["startTime"]) // HOUR_MS) * HOUR_MS
    last = min(int(asked["endTime"]), FakeClock().now() // MS)
    rows = [kline(ms) for ms in range(first, last + 1, HOUR_MS)]
    return rows[: min(int(asked["limit"]), most)]


def binance(answer: object = klines) -> FakeVenue:
    return FakeVenue({"/exchangeInfo": body("binance_usdm_exchangeInfo"), "/klines": answer})


def run(fake, lake, span=(START, DAYS_30), *, venue="binance_usdm", symbol="ETHUSDT", **more):
    """One backfill; more: kinds, clock, progress."""
    clock = more.get("clock") or FakeClock()
    with client(venue, fake, clock) as asked:
        return backfill(
            asked,
            symbol,
            more.get("kinds", ["bar_1h"]),
            span,
            lake=lake,
            clock=clock,
            progress=more.get("progress", lambda _: None),
        )


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "store")


def times(lake, kind="bar_1h", venue="binance_usdm", symbol="ETHUSDT") -> list[int]:
    return [int(t) * 1_000 for t in lake.read(kind, venue, symbol)["ts"].dt.epoch("us")]


def hours(start: int, end: int) -> list[int]:
    return list(range(start, end, H))


def test_a_span_of_many_pages_is_stored_whole_and_a_second_run_asks_nothing(lake):
    span = (START - 60 * DAY_NS, DAYS_30)
    first = binance()
    [report] = run(first, lake, span).kinds

    assert times(lake) == hours(*span)
    assert (report.rows_new, report.requests) == (90 * 24, 3)
    assert len(first.asked_for("/klines")) == 3

    second = binance()
    [again] = run(second, lake, span).kinds
    assert second.asked_for("/klines") == []
    assert (again.rows_new, again.requests) == (0, 0)


def test_an_interrupted_run_keeps_its_pages_and_the_next_asks_only_for_the_rest(lake):
    def cut(asked):
        if int(asked["startTime"]) * MS > START:
            raise KeyboardInterrupt
        return klines(asked)

    span = (START - 60 * DAY_NS, DAYS_30)
    with pytest.raises(KeyboardInterrupt):
        run(binance(cut), lake, span)
    kept = times(lake)
    assert kept == hours(span[0], span[0] + 2_000 * H)

    fake = binance()
    run(fake, lake, span)
    [asked] = fake.asked_for("/klines")
    assert int(asked["startTime"]) * MS == span[0] + 2_000 * H
    assert times(lake) == hours(*span)


def test_holes_in_the_store_are_the_only_thing_asked_for(lake):
    run(binance(), lake)
    frame = lake.read("bar_1h", "binance_usdm", "ETHUSDT")
    other = Lake(lake.root / "holed")
    holed = frame.filter(~pl.int_range(pl.len()).is_in([0, 300, 301]))
    other.write([Table("bar_1h", "binance_usdm", "ETHUSDT", holed)])

    fake = binance()
    run(fake, other)

    [asked] = fake.asked_for("/klines")
    assert int(asked["startTime"]) * MS == START
    assert int(asked["endTime"]) * MS == START + 302 * H - MS
    assert other.read("bar_1h", "binance_usdm", "ETHUSDT").equals(frame)


def test_the_open_bar_is_not_asked_for_and_not_stored_even_when_it_is_sent(lake):
    clock = FakeClock()
    now = clock.now()

    def generous(asked):  # rows beyond endTime, the open bar among them
        return klines(asked | {"endTime": str(now // MS), "limit": "1000"})

    [report] = run(binance(generous), lake, (now - 5 * H, now), clock=clock).kinds

    closed = now - now % H
    assert times(lake)[-1] == closed - H
    assert report.rows_outside == 1  # the open bar

    clock.time += 31 * 60 * 10**9
    [report] = run(binance(), lake, (now - 5 * H, clock.now()), clock=clock).kinds
    assert report.rows_new == 1
    assert times(lake)[-1] == closed


def test_a_venue_with_smaller_pages_than_promised_is_asked_again_for_the_rest(lake):
    fake = binance(lambda asked: klines(asked, most=200))
    run(fake, lake)
    assert times(lake) == hours(START, DAYS_30)
    assert len(fake.asked_for("/klines")) == 4  # 720 bars by 200


def bybit_rows(asked: dict[str, str], most: int) -> object:
    """Bybit: newest first, and the newest of the window when it holds more than a page."""
    step = HOUR_MS
    first, last = int(asked["start"]), int(asked["end"])
    rows = [
        [str(ms), "100", "110", "90", "101", "1", "100"]
        for ms in range(-(-first // step) * step, last + 1, step)
    ]
    return {"retCode": 0, "result": {"list": rows[::-1][:most]}, "time": 0}


def test_newest_first_pages_that_are_cut_short_are_completed_backwards(lake):
    fake = FakeVenue(
        {
            "instruments-info": body("bybit_linear_instruments"),
            "kline": lambda asked: bybit_rows(asked, 200),
        }
    )
    run(fake, lake, venue="bybit_linear")
    assert times(lake, venue="bybit_linear") == hours(START, DAYS_30)
    assert len(fake.asked_for("kline")) == 4


def test_rows_out_of_order_and_repeated_within_and_across_pages_are_stored_once(lake):
    def shuffled(asked):
        rows = klines(asked, most=300)
        early = kline(int(asked["startTime"]) - HOUR_MS)
        return [*rows[150:], *rows[:150], rows[-1], early]

    [report] = run(binance(shuffled), lake).kinds

    assert times(lake) == hours(START, DAYS_30)
    assert report.rows_repeated > 0
    assert report.rows_new == 720


def test_two_different_answers_for_one_bar_are_refused_and_nothing_of_it_is_stored(lake):
    def torn(asked):
        rows = klines(asked, most=300)
        return [*rows, kline(int(rows[5][0]), close=102.0)]  # type: ignore[call-overload]

    with pytest.raises(UndecodableFrame, match=r"two different answers for 2025-04-01T05:00:00Z"):
        run(binance(torn), lake)
    assert times(lake) == []


def test_a_venue_that_contradicts_the_store_is_refused(lake):
    run(binance(), lake, (START, START + 10 * H))
    frame = lake.read("bar_1h", "binance_usdm", "ETHUSDT")
    changed = frame.with_columns(pl.lit(77.0).alias("volume")).head(5)
    other = Lake(lake.root / "other")
    other.write([Table("bar_1h", "binance_usdm", "ETHUSDT", changed)])
    # hole at hour 6 only: the merged window re-reads known rows 6..9 but none of 0..4
    run(binance(), other, (START, START + 10 * H))
    kept = other.read("bar_1h", "binance_usdm", "ETHUSDT")["volume"].to_list()
    assert kept[:5] == [77.0] * 5

    gap = other.read("bar_1h", "binance_usdm", "ETHUSDT").filter(
        ~pl.int_range(pl.len()).is_in([2, 8])
    )
    third = Lake(lake.root / "third")
    third.write([Table("bar_1h", "binance_usdm", "ETHUSDT", gap)])
    with pytest.raises(StoreConflict):  # one window from hour 2 to 8 brings 3 and 4 again, changed
        run(binance(), third, (START, START + 10 * H))


def test_a_venue_that_answers_with_another_stretch_ends_and_says_so(lake):
    fixed = [kline(ms // MS) for ms in hours(START - 50 * H, START)]
    [report] = run(binance(fixed), lake).kinds
    assert times(lake) == []
    assert (report.requests, report.windows_empty) == (1, 1)


def test_a_venue_that_gives_one_row_at_a_time_is_cut_off_by_the_request_budget(lake):
    fake = binance(lambda asked: klines(asked, most=1))
    with pytest.raises(VenueRefused, match="does not advance"):
        run(fake, lake)
    assert len(fake.asked_for("/klines")) == 32


def test_empty_pages_are_counted_and_do_not_stop_the_later_ones(lake):
    span = (START - 60 * DAY_NS, DAYS_30)
    fake = binance(lambda asked: [] if int(asked["startTime"]) * MS == span[0] else klines(asked))
    [report] = run(fake, lake, span).kinds
    assert times(lake) == hours(span[0] + 1_000 * H, span[1])
    assert report.windows_empty == 1


def settle(times_ms: list[int]):
    """Binance's funding history over these settlements."""

    def answer(asked):
        first, last = int(asked["startTime"]), int(asked["endTime"])
        rows = [
            {"symbol": "ETHUSDT", "fundingTime": ms, "fundingRate": "0.0001"}
            for ms in times_ms
            if first <= ms <= last
        ]
        return rows[: int(asked["limit"])]

    return FakeVenue({"/exchangeInfo": body("binance_usdm_exchangeInfo"), "/fundingRate": answer})


def funded(start: int, *spacings: int) -> list[int]:
    """Settlement times in ms from spacings in hours."""
    found = [start // MS]
    for spacing in spacings:
        found.append(found[-1] + spacing * HOUR_MS)
    return found


def intervals(lake) -> list[int]:
    seconds = lake.read("funding", "binance_usdm", "ETHUSDT")["interval_s"].to_list()
    return [s // 3_600 for s in seconds]


def test_a_change_of_the_funding_interval_is_read_from_the_spacing(lake):
    all_times = funded(START - 16 * H, 8, 8, 8, 8, 4, 4, 4, 8, 8, 8)
    span = (START, START + 52 * H + 1)
    run(settle(all_times), lake, span, kinds=["funding"])
    assert intervals(lake) == [8, 8, 8, 4, 4, 4, 8, 8, 8]


def test_a_missing_settlement_is_a_hole_and_not_a_longer_interval(lake):
    all_times = funded(START - 8 * H, 8, 8, 16, 8, 8)
    run(settle(all_times), lake, (START, START + 41 * H), kinds=["funding"])
    assert intervals(lake) == [8] * 5


@pytest.mark.parametrize("spacings", [(5, 5, 5), (8, 8, 7)])
def test_an_interval_no_venue_uses_is_an_error_and_not_a_guess(lake, spacings):
    fake = settle(funded(START, *spacings))
    with pytest.raises(UndecodableFrame, match=r"its interval can't be told"):
        run(fake, lake, (START, START + 30 * H), kinds=["funding"])


def test_a_lone_settlement_has_no_interval_and_is_an_error(lake):
    with pytest.raises(UndecodableFrame, match="lone settlement"):
        run(settle(funded(START + H)), lake, (START, START + 30 * H), kinds=["funding"])


def test_funding_resumes_where_it_stopped_and_a_second_run_asks_nothing(lake):
    all_times = funded(START - 16 * H, *[8] * 120)
    run(settle(all_times), lake, (START, START + 20 * DAY_NS), kinds=["funding"])
    fake = settle(all_times)
    run(fake, lake, (START, START + 30 * DAY_NS), kinds=["funding"])

    [asked] = fake.asked_for("/fundingRate")
    assert int(asked["startTime"]) * MS > START + 18 * DAY_NS
    assert times(lake, "funding") == [START + i * 8 * H for i in range(90)]
    assert set(intervals(lake)) == {8}

    idle = settle(all_times)
    run(idle, lake, (START, START + 30 * DAY_NS), kinds=["funding"])
    assert idle.asked_for("/fundingRate") == []


def test_hourly_funding_that_overflows_newest_first_pages_comes_in_full(lake):
    stamps = [ms // MS for ms in hours(START - 2 * DAY_NS, DAYS_30)]

    def answer(asked):
        first, last = int(asked["startTime"]), int(asked["endTime"])
        rows = [
            {"symbol": "ETHUSDT", "fundingRate": "0.00001", "fundingRateTimestamp": str(ms)}
            for ms in stamps
            if first <= ms <= last
        ]
        return {"retCode": 0, "result": {"category": "linear", "list": rows[::-1][:200]}}

    fake = FakeVenue(
        {"instruments-info": body("bybit_linear_instruments"), "funding/history": answer}
    )
    run(fake, lake, venue="bybit_linear", kinds=["funding"])
    assert times(lake, "funding", "bybit_linear") == hours(START, DAYS_30)
    frame = lake.read("funding", "bybit_linear", "ETHUSDT")
    assert frame["interval_s"].unique().to_list() == [3_600]


def test_history_older_than_the_venue_keeps_is_not_asked_for_and_said_so(lake):
    clock = FakeClock()

    def stats(asked):
        assert int(asked["startTime"]) * MS > clock.now() - 30 * DAY_NS
        stamps = range(int(asked["startTime"]), int(asked["endTime"]) + 1, HOUR_MS)
        rows = [
            {
                "symbol": "ETHUSDT",
                "sumOpenInterest": "5",
                "sumOpenInterestValue": "9",
                "timestamp": ms,
            }
            for ms in stamps
        ]
        return rows[: int(asked["limit"])]

    fake = FakeVenue(
        {"/exchangeInfo": body("binance_usdm_exchangeInfo"), "openInterestHist": stats}
    )
    span = (clock.now() - 90 * DAY_NS, clock.now())
    [report] = run(fake, lake, span, kinds=["open_interest"], clock=clock).kinds

    kept = times(lake, "open_interest")
    assert report.notes == [f"binance_usdm keeps none before {format_time(kept[0])}"]
    # it is 12:30 on May 10: 30 days back is 12:30 on April 10, an hour of slack, the next full hour
    assert kept == hours(parse_time("2025-04-10T14:00Z"), parse_time("2025-05-10T12:00Z"))


def test_bars_before_the_listing_are_not_asked_for(lake):
    fake = binance()
    listed = parse_time("2019-09-25T08:00Z")
    [report] = run(fake, lake, (listed - 300 * DAY_NS, listed + 2 * DAY_NS)).kinds
    [asked] = fake.asked_for("/klines")
    assert int(asked["startTime"]) * MS == listed - DAY_NS
    assert report.notes == ["listed 2019-09-25T08:00:00Z"]


@pytest.mark.parametrize(
    ("venue", "symbol", "kind", "note"),
    [
        ("hyperliquid", "ETH", "open_interest", "open_interest: not offered by hyperliquid"),
        ("okx", "ETH-USDT-SWAP", "premium_bar_1h", "premium_bar_1h: not offered by okx"),
        ("coinbase", "ETH-USD", "funding", "funding: not offered by coinbase"),
        ("deribit", "ETH-PERPETUAL", "bar_4h", "bars of 4h: not offered by deribit"),
        ("okx", "ETH-USDT", "funding", "funding: not offered by okx for spot"),
    ],
)
def test_what_a_venue_lacks_is_said_and_not_passed_over(lake, venue, symbol, kind, note):
    routes = {
        "public/instruments": lambda asked: body(f"okx_{asked['instType'].lower()}_instruments")
    }
    [report] = run(FakeVenue(routes), lake, venue=venue, symbol=symbol, kinds=[kind]).kinds
    assert (report.offered, report.notes) == (False, [note])


@pytest.mark.parametrize(
    ("kinds", "says"),
    [
        (["depth"], "does not ask for 'depth'"),
        (["bar"], "no kind"),
        (["bar_1w"], "do not fit a day"),
        (["bar_7h"], "do not fit a day"),
        ([], "at least one kind"),
    ],
)
def test_kinds_that_cannot_be_asked_for_are_refused_before_any_request(lake, kinds, says):
    fake = FakeVenue({})
    with pytest.raises(BadInput, match=says):
        run(fake, lake, kinds=kinds)
    assert fake.asked == []


def test_an_empty_or_future_span_is_refused_before_any_request(lake):
    fake = FakeVenue({})
    far = FakeClock().now() + DAY_NS
    for span in ((START, START), (DAYS_30, START), (far, far + DAY_NS)):
        with pytest.raises(BadInput, match="nothing lies between"):
            run(fake, lake, span)
    assert fake.asked == []


def test_progress_counts_every_window_to_the_end(lake):
    seen = []
    run(binance(), lake, (START - 60 * DAY_NS, DAYS_30), progress=seen.append)
    assert [(s.kind, s.done, s.planned) for s in seen] == [("bar_1h", i, 3) for i in range(4)]


def test_pages_before_a_refusal_stay_in_the_store(lake):
    def then_refuses(asked):
        if int(asked["startTime"]) * MS > START:
            return Say({"code": -1003, "msg": "x"}, 429, Retry_After="4000")
        return klines(asked)

    with pytest.raises(VenueRefused, match="what came before is stored"):
        run(binance(then_refuses), lake, (START - 60 * DAY_NS, DAYS_30))
    assert len(times(lake)) == 2_000
