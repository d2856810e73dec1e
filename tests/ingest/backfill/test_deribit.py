"""Deribit over REST: trades with who was liquidated in them, and its volatility index."""

import json
from pathlib import Path

import pytest
from ingest.backfill.fake_venue import FakeClock, FakeVenue, body, client
from ingest.venues.frames import wrapped

from airpocket.domain.errors import UndecodableFrame, VenueRefused
from airpocket.domain.units import parse_time
from airpocket.ingest.backfill.run import Report, backfill
from airpocket.ingest.lake import Lake

SPAN = (parse_time("2025-05-10T08:00Z"), parse_time("2025-05-10T10:00Z"))
EIGHT = SPAN[0] // 1_000_000
HOUR_MS = 3_600_000
TRADES = "get_last_trades_by_instrument_and_time"


def trade(count: int, at: int, direction: str, **more: object) -> dict[str, object]:
    """`at` in ms after eight; 5,000 USD at 2,500, which is 2 ETH."""
    return {
        "trade_seq": count, "trade_id": f"ETH-{count + 9_000}", "timestamp": EIGHT + at,
        "tick_direction": 0, "price": 2500.0, "mark_price": 2500.1, "index_price": 2499.0,
        "instrument_name": "ETH-PERPETUAL", "direction": direction, "amount": 5000.0,
    } | more  # fmt: skip


def venue(*trades: dict[str, object], page: int = 1_000) -> FakeVenue:
    """Answers like the venue: what lies between the stamps, oldest first, at most a page."""

    def answer(asked: dict[str, str]) -> object:
        first, last = int(asked["start_timestamp"]), int(asked["end_timestamp"])
        inside = [each for each in trades if first <= int(str(each["timestamp"])) <= last]
        assert (asked["sorting"], asked["include_old"]) == ("asc", "true")
        return {
            "jsonrpc": "2.0",
            "result": {"trades": inside[:page], "has_more": len(inside) > page},
        }

    return FakeVenue({"get_instruments": body("deribit_instruments"), TRADES: answer})


def run(fake: FakeVenue, lake: Lake, *kinds: str, symbol: str = "ETH-PERPETUAL") -> Report:
    clock = FakeClock()
    with client("deribit", fake, clock) as asked:
        return backfill(asked, symbol, kinds, SPAN, lake=lake, clock=clock)


def rows(lake: Lake, kind: str, *columns: str, symbol: str = "ETH-PERPETUAL") -> list[tuple]:
    return lake.read(kind, "deribit", symbol).select(columns).rows()


FORCED = ("forced_side", "price", "size", "notional_usd", "coverage", "seq")


def test_who_was_liquidated_decides_the_forced_side(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    fake = venue(
        trade(1, 5, "buy"),
        trade(2, 6, "sell", liquidation="T"),  # the taker sold: his long was closed
        trade(3, 6, "buy", liquidation="M"),  # the taker bought of a maker whose long was closed
        trade(4, 7, "buy", liquidation="MT"),  # one of each
        trade(5, HOUR_MS + 1, "sell", liquidation="M"),
    )

    report = run(fake, lake, "trade")

    assert rows(lake, "trade", "price", "size", "taker_side", "trade_id") == [
        (2500.0, 2.0, "buy", 1),
        (2500.0, 2.0, "sell", 2),
        (2500.0, 2.0, "buy", 3),
        (2500.0, 2.0, "buy", 4),
        (2500.0, 2.0, "sell", 5),
    ]
    assert rows(lake, "liquidation", *FORCED) == [
        ("sell", 2500.0, 2.0, 5000.0, "all", 4),
        ("sell", 2500.0, 2.0, 5000.0, "all", 6),
        ("buy", 2500.0, 2.0, 5000.0, "all", 8),
        ("sell", 2500.0, 2.0, 5000.0, "all", 9),
        ("buy", 2500.0, 2.0, 5000.0, "all", 10),
    ]
    assert report.kinds[0].notes == ["5 liquidations among them"]
    assert report.kinds[0].rows_new == 10


def test_an_hour_longer_than_a_page_is_asked_for_until_it_is_whole(tmp_path: Path) -> None:
    # 2,500 trades, three of each millisecond: pages of 1,000 end inside one
    trades = [trade(n, n // 3, "buy") for n in range(2_500)]
    lake = Lake(tmp_path)

    report = run(venue(*trades), lake, "trade")

    assert [count for (count,) in rows(lake, "trade", "trade_id")] == list(range(2_500))
    assert report.kinds[0].requests == 4  # three pages of the first hour, one of the second
    assert report.kinds[0].rows_repeated > 0
    assert report.kinds[0].windows_empty == 1


def test_the_next_run_asks_only_for_the_hours_that_lack_trades(tmp_path: Path) -> None:
    lake, fake = Lake(tmp_path), venue(trade(1, 5, "buy"), trade(2, HOUR_MS + 5, "sell"))
    run(fake, lake, "trade")
    before = len(fake.asked_for(TRADES))

    report = run(fake, lake, "trade", "liquidation")

    assert (before, len(fake.asked_for(TRADES))) == (2, 2)
    assert [(kind.kind, kind.rows_new) for kind in report.kinds] == [
        ("trade", 0),
        ("liquidation", 0),
    ]
    assert report.kinds[1].notes == ["stored with the trades"]


def test_an_interrupted_run_leaves_whole_hours_only(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    broken = venue(trade(1, 5, "buy"), trade(2, HOUR_MS + 5, "sell") | {"trade_seq": None})

    with pytest.raises(UndecodableFrame, match="a trade without time or count"):
        run(broken, lake, "trade")
    assert rows(lake, "trade", "trade_id") == [(1,)]
    run(venue(trade(1, 5, "buy"), trade(2, HOUR_MS + 5, "sell")), lake, "trade")

    assert rows(lake, "trade", "trade_id") == [(1,), (2,)]


def test_hours_that_ended_a_moment_ago_are_left_for_later(tmp_path: Path) -> None:
    lake, clock, fake = Lake(tmp_path), FakeClock(), venue(trade(1, 5, "buy"))
    now = clock.now()  # 12:30

    with client("deribit", fake, clock) as asked:
        report = backfill(asked, "ETH-PERPETUAL", ["trade"], (SPAN[0], now), lake=lake, clock=clock)

    last = max(int(each["end_timestamp"]) for each in fake.asked_for(TRADES))
    assert last == EIGHT + 3 * HOUR_MS - 1  # 11:00, not 12:00
    assert report.kinds[0].notes[0].startswith("hours that ended before 2025-05-10T11:30")


def test_liquidations_may_be_asked_for_without_the_trades(tmp_path: Path) -> None:
    lake = Lake(tmp_path)

    run(venue(trade(1, 5, "buy"), trade(2, 6, "sell", liquidation="T")), lake, "liquidation")

    assert rows(lake, "liquidation", "seq") == [(4,)]
    assert rows(lake, "trade", "trade_id") == []


def test_holes_in_the_venues_count_and_block_trades_are_said(tmp_path: Path) -> None:
    fake = venue(
        trade(1, 5, "buy"), trade(2, 6, "buy", block_trade_id="ETH-7"), trade(6, 9, "sell")
    )
    lake = Lake(tmp_path)

    report = run(fake, lake, "trade")

    assert rows(lake, "trade", "trade_id") == [(1,), (6,)]
    assert report.kinds[0].notes == [
        "0 liquidations among them",
        "1 block trades left out: they did not meet in the book",
        "3 trades missing by the venue's own count",
    ]


def test_a_page_that_never_advances_ends(tmp_path: Path) -> None:
    fake = venue(*(trade(n, 5, "buy") for n in range(1_001)))

    with pytest.raises(VenueRefused, match="does not advance past 2025-05-10T08:00:00"):
        run(fake, Lake(tmp_path), "trade")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"instrument_name": "BTC-PERPETUAL"}, "a trade of 'BTC-PERPETUAL'"),
        ({"price": -1.0}, "price must be above zero"),
        ({"liquidation": "X"}, "liquidation 'X'"),
        ({"direction": "zero"}, "direction 'zero'"),
    ],
)
def test_an_impossible_trade_is_refused(
    change: dict[str, object], problem: str, tmp_path: Path
) -> None:
    with pytest.raises(UndecodableFrame, match=problem):
        run(venue(trade(1, 5, "buy") | change), Lake(tmp_path), "trade")


@pytest.mark.real
def test_the_two_longs_of_march_2020_are_forced_sells(shared: Path, tmp_path: Path) -> None:
    frames = [json.loads(each) for each in wrapped(shared / "wire/tardis-node/deribit.jsonl")]
    recorded = [
        each
        for frame in frames
        for each in frame["params"]["data"]
        if isinstance(each, dict) and each.get("liquidation")
    ]
    fake = FakeVenue(
        {
            "get_instruments": json.loads(
                json.dumps(body("deribit_instruments")).replace("ETH", "BTC")
            ),
            TRADES: {"jsonrpc": "2.0", "result": {"trades": recorded, "has_more": False}},
        }
    )
    midnight = parse_time("2020-03-13T00:00Z")
    clock, lake = FakeClock(), Lake(tmp_path)

    with client("deribit", fake, clock) as asked:
        span = (midnight, midnight + HOUR_MS * 1_000_000)
        backfill(asked, "BTC-PERPETUAL", ["trade"], span, lake=lake, clock=clock)

    found = rows(lake, "liquidation", "forced_side", "notional_usd", symbol="BTC-PERPETUAL")
    assert found == [("sell", 1120.0), ("sell", 2500.0)]


def dvol(asked: dict[str, str]) -> object:
    assert (asked["currency"], asked["resolution"]) == ("ETH", "3600")
    data = [[EIGHT + n * HOUR_MS, 60.5, 63.0, 60.0, 61.25 + n] for n in range(2)]
    return {"jsonrpc": "2.0", "result": {"data": data, "continuation": None}}


def test_the_volatility_index_is_per_cent_and_known_when_its_bar_closes(tmp_path: Path) -> None:
    lake, fake = Lake(tmp_path), FakeVenue({"get_volatility_index_data": dvol})

    report = run(fake, lake, "vol_index_1h", "bar_1h", symbol="ETH-DVOL")

    frame = lake.read("vol_index_1h", "deribit", "ETH-DVOL")
    assert frame.select("open", "high", "low", "close").rows() == [
        (60.5, 63.0, 60.0, 61.25),
        (60.5, 63.0, 60.0, 62.25),
    ]
    assert (frame["usable_from"] - frame["ts"]).dt.total_minutes().to_list() == [60, 60]
    assert report.kinds[1].notes == ["bar_1h: not offered by deribit for an index"]


def test_bars_of_the_index_in_another_length_are_not_offered(tmp_path: Path) -> None:
    report = run(FakeVenue({}), Lake(tmp_path), "vol_index_15m", symbol="ETH-DVOL")

    assert report.kinds[0].notes == ["bars of 15m: not offered by deribit"]


def test_a_contract_has_no_volatility_index_of_its_own(tmp_path: Path) -> None:
    report = run(venue(), Lake(tmp_path), "vol_index_1h")

    assert report.kinds[0].notes == [
        "vol_index_1h: not offered by deribit for a contract: ask for its index"
    ]
