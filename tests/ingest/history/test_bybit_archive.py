"""Bybit's archive: trades and recorded books of each documented layout, and each way they can be wrong."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest.history.archive_samples import DAY_MS, MINUTE_MS, lines, packed, read, said
from ingest.venues.frames import wrapped

from airpocket.domain.errors import BadTable

HEADER = (
    "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,"
    "foreignNotional,RPI"
)
FIRST_ID = "0f67d8c2-6a3e-4c1d-8e2f-000000000001"
SECOND_ID = "0f67d8c2-6a3e-4c1e-8e2f-000000000002"
DAY = DAY_MS // 1_000


def trade(at: str, side: str, size: str, price: str, match: str, symbol: str = "ETHUSDT") -> str:
    return f"{at},{symbol},{side},{size},{price},PlusTick,{match},2.8e+10,0.042,281.3,0"


def trades(*rows: str) -> str:
    return "\n".join((HEADER, *rows)) + "\n"


def test_linear_trades_are_coin_at_their_microsecond(tmp_path: Path) -> None:
    content = trades(
        trade(f"{DAY}.0647", "Buy", "0.042", "6698.5", FIRST_ID),
        trade(f"{DAY + 1}", "Sell", "2", "6698", SECOND_ID),
    )

    [table] = read(tmp_path, "bybit_archive", "ETHUSDT2025-05-01.csv.gz", content).tables

    assert (table.kind, table.venue, table.symbol) == ("trade", "bybit_linear", "ETHUSDT")
    rows = table.frame.select("price", "size", "taker_side").rows()
    assert rows == [(6698.5, 0.042, "buy"), (6698.0, 2.0, "sell")]
    assert table.frame["ts"].dt.epoch("us").to_list() == [
        DAY * 1_000_000 + 64_700,
        (DAY + 1) * 1_000_000,
    ]


def test_trades_of_one_moment_are_told_apart_by_their_match(tmp_path: Path) -> None:
    row = trade(f"{DAY}.5", "Buy", "1", "2000", FIRST_ID)
    other = trade(f"{DAY}.5", "Buy", "1", "2000", SECOND_ID)

    found = read(tmp_path, "bybit_archive", "ETHUSDT2025-05-01.csv.gz", trades(row, other, row))

    [table] = found.tables
    # the first and the last 15 hexadecimal digits, folded onto each other
    folded = [0x0F67D8C26A3E4C1 ^ 0xE2F000000000001, 0x0F67D8C26A3E4C1 ^ 0xE2F000000000002]
    assert sorted(table.frame["trade_id"].to_list()) == sorted(folded)
    assert found.files[0].collapsed == 1


def test_inverse_trades_are_dollars(tmp_path: Path) -> None:
    content = trades(trade(f"{DAY}.5", "Sell", "5000", "2500", FIRST_ID, "ETHUSD"))

    [table] = read(tmp_path, "bybit_archive", "ETHUSD2025-05-01.csv.gz", content).tables

    assert (table.venue, table.frame["size"].to_list()) == ("bybit_inverse", [2.0])


def test_a_file_that_runs_backwards_is_sorted_and_counted(tmp_path: Path) -> None:
    content = trades(
        trade(f"{DAY + 9}", "Buy", "1", "2001", FIRST_ID),
        trade(f"{DAY}", "Buy", "1", "2000", SECOND_ID),
    )

    found = read(tmp_path, "bybit_archive", "ETHUSDT2025-05-01.csv.gz", content)

    assert found.tables[0].frame["price"].to_list() == [2000.0, 2001.0]
    assert found.files[0].moved == 1


def test_spot_trades_are_coin_in_milliseconds(tmp_path: Path) -> None:
    content = f"id,timestamp,price,volume,side,rpi\n1,{DAY_MS + 3},2500.5,0.2,buy,0\n"

    [table] = read(tmp_path, "bybit_archive", "ETHUSDT_2025-05-01.csv.gz", content).tables

    assert (table.venue, table.symbol) == ("bybit_spot", "ETHUSDT")
    columns = ("price", "size", "taker_side", "trade_id")
    assert table.frame.select(columns).rows() == [(2500.5, 0.2, "buy", 1)]
    assert table.frame["ts"].dt.epoch("ms").to_list() == [DAY_MS + 3]


GOOD_ROW = trade(f"{DAY}.5", "Buy", "1", "2000", FIRST_ID)
GOOD = packed("a.gz", trades(GOOD_ROW))
TRADE_FILE = "ETHUSDT2025-05-01.csv.gz"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (
            trade("1746057600000", "Buy", "1", "2000", FIRST_ID),
            "row 1, column 'timestamp'.*seconds",
        ),
        (trade(f"{DAY + 91_000}", "Buy", "1", "2000", FIRST_ID), "outside 2025-05-01"),
        (trade(f"{DAY}", "BUY", "1", "2000", FIRST_ID), "column 'side'.*neither Buy nor Sell"),
        (trade(f"{DAY}", "Buy", "", "2000", FIRST_ID), "column 'size'.*empty"),
        (trade(f"{DAY}", "Buy", "0", "2000", FIRST_ID), "size 0.0 is none"),
        (trade(f"{DAY}", "Buy", "1", "-2000", FIRST_ID), "column 'price'.*above 0"),
        (trade(f"{DAY}", "Buy", "1", "2000", "77"), "column 'trdMatchID'.*no id of a match"),
        (trade(f"{DAY}", "Buy", "1", "2000", FIRST_ID, "BTCUSDT"), "not the symbol of the file"),
    ],
)
def test_an_impossible_cell_is_named_by_row_and_column(
    row: str, problem: str, tmp_path: Path
) -> None:
    with pytest.raises(BadTable, match=problem):
        read(tmp_path, "bybit_archive", TRADE_FILE, trades(row))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (GOOD[:-20], "no whole gzip file"),
        (GOOD[: len(GOOD) // 2], "cut short"),
        (b"<Error>AccessDenied</Error>", "no whole gzip file"),
        (packed("a.gz", b"0" * 40_000_000), "refused as a bomb"),
        (packed("a.gz", ""), "is empty"),
        (packed("a.gz", HEADER + "\n"), "no rows"),
        (packed("a.gz", "timestamp,price\n1,2\n"), "the header is not id, timestamp"),
    ],
    ids=said,
)
def test_a_damaged_file_of_trades_is_refused(content: bytes, problem: str, tmp_path: Path) -> None:
    with pytest.raises(BadTable, match=re.escape(problem)) as caught:
        read(tmp_path, "bybit_archive", TRADE_FILE, content, raw=True)
    assert caught.value.file == TRADE_FILE


def test_a_file_in_several_gzip_streams_is_one_text(tmp_path: Path) -> None:
    parts = [packed("a.gz", text) for text in (HEADER + "\n", GOOD_ROW + "\n")]

    found = read(tmp_path, "bybit_archive", TRADE_FILE, b"".join(parts), raw=True)

    assert found.series[0].rows == 1


@given(position=st.integers(0, len(GOOD) - 1), flip=st.integers(1, 255))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_flipped_byte_changes_nothing_or_is_refused(
    position: int, flip: int, tmp_path: Path
) -> None:
    expected = read(tmp_path, "bybit_archive", TRADE_FILE, GOOD, raw=True).tables[0].frame
    content = bytearray(GOOD)
    content[position] ^= flip

    try:
        [table] = read(tmp_path, "bybit_archive", TRADE_FILE, bytes(content), raw=True).tables
    except BadTable:
        return
    assert table.frame.equals(expected)


@pytest.mark.parametrize("name", ["trades.csv.gz", "ETHUSDT.csv.gz", "2025-05-01_ob200.data.zip"])
def test_a_name_that_says_too_little_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadTable, match="not named as in Bybit's archive"):
        read(tmp_path, "bybit_archive", name, trades(GOOD_ROW))


BOOK_FILE = "linear/ETHUSDT/2025-05-01_ETHUSDT_ob200.data.zip"


def frame(at: int, update: int, bids: list, asks: list, kind: str = "delta", symbol="ETHUSDT"):
    """A frame of the websocket as the archive keeps it; `at` in ms of the day."""
    data = {"s": symbol, "b": bids, "a": asks, "u": update, "seq": update * 7}
    return {
        "topic": f"orderbook.200.{symbol}", "type": kind, "ts": DAY_MS + at, "data": data,
        "cts": DAY_MS + at - 2,
    }  # fmt: skip


def ladder(best: float, step: float, size: str, levels: int = 200) -> list[list[str]]:
    return [[f"{best + step * n:.2f}", size] for n in range(levels)]


def snapshot(at: int, update: int, **more):
    # 200 levels of 0.50 around 1000: the book is known to 10 % either side
    return frame(at, update, ladder(999.5, -0.5, "2"), ladder(1000.5, 0.5, "3"), "snapshot", **more)


def by_minute(found) -> dict[tuple[int, float], tuple[float, float]]:
    [table] = found.tables
    return {
        ((at - DAY_MS) // MINUTE_MS, percent): (coin, usd)
        for at, percent, coin, usd in table.frame.select(
            table.frame["ts"].dt.epoch("ms"), "percent", "depth_coin", "notional_usd"
        ).iter_rows()
    }


def test_a_recorded_book_gives_the_depth_of_each_minute(tmp_path: Path) -> None:
    rows = [
        snapshot(100, 10),
        frame(MINUTE_MS, 11, [["999.50", "7"]], []),  # published at the first minute: part of it
        frame(MINUTE_MS + 1, 12, [["999.50", "0"]], []),
        frame(2 * MINUTE_MS + 500, 13, [], [["1000.50", "1"]]),
    ]

    found = read(tmp_path, "bybit_archive", BOOK_FILE, lines(rows))

    depth = by_minute(found)
    # 0.1 % is meant in logarithms: 999.0005 to 1001.0005 holds one bid and two asks
    assert depth[1, -0.1] == (7.0, 7 * 999.5)
    assert depth[1, 0.1] == (6.0, 3 * 1000.5 + 3 * 1001.0)
    # 999.50 is gone: the mid is 999.75, and 999.00 lies within 0.1 % of it
    assert depth[2, -0.1] == (2.0, 2 * 999.0)
    assert depth[3, 0.1] == (1.0, 1000.5)
    assert {minute for minute, _ in depth} == {1, 2, 3}
    assert found.tables[0].frame["usable_from"].equals(found.tables[0].frame["ts"])
    assert found.files[0].rows_read == 4


@pytest.mark.parametrize("begins", [-40, 0, 40])
def test_a_day_ends_with_its_midnight_and_the_next_begins_after_it(
    begins: int, tmp_path: Path
) -> None:
    last = 1_440 * MINUTE_MS
    first_day = [snapshot(last - 500, 10)]
    next_file = BOOK_FILE.replace("05-01", "05-02")
    next_day = [snapshot(last + begins, 11), frame(last + 500, 12, [["999.50", "9"]], [])]
    next_day[0]["data"]["b"][0][1] = "8"  # another book than the one before midnight
    read(tmp_path, "bybit_archive", BOOK_FILE, lines(first_day))

    both = read(
        tmp_path, "bybit_archive", next_file, lines(next_day),
        more=f'file = "{BOOK_FILE}"',
    )  # fmt: skip

    assert {minute for minute, _ in by_minute(both)} == {1_440, 1_441}
    assert both.gaps == ()


def test_after_a_missing_change_there_is_no_depth_until_a_snapshot(tmp_path: Path) -> None:
    rows = [
        snapshot(100, 10),
        frame(MINUTE_MS + 1, 12, [["999.50", "7"]], []),
        snapshot(3 * MINUTE_MS - 1, 20),
    ]

    found = read(tmp_path, "bybit_archive", BOOK_FILE, lines(rows))

    assert {minute for minute, _ in by_minute(found)} == {1, 3}
    [(reason, steps)] = found.files[0].left_out
    assert (reason, steps) == (
        "steps without depth: a change is missing: after 10 came 12 to 12",
        1,
    )
    assert [(gap.kind, gap.missing) for gap in found.gaps] == [("depth", 1)]


def test_a_silent_recording_tells_no_depth(tmp_path: Path) -> None:
    rows = [snapshot(100, 10), frame(3 * MINUTE_MS + 1, 11, [["999.50", "7"]], [])]

    found = read(tmp_path, "bybit_archive", BOOK_FILE, lines(rows))

    assert {minute for minute, _ in by_minute(found)} == {1, 4}
    assert found.files[0].left_out == (
        ("steps without depth: no change for more than a minute", 2),
    )


def test_an_inverse_book_is_in_dollars_and_the_step_may_be_stated(tmp_path: Path) -> None:
    name = "inverse/ETHUSD/2025-05-01_ETHUSD_ob500.data.zip"
    rows = [snapshot(100, 10, symbol="ETHUSD")]

    found = read(tmp_path, "bybit_archive", name, lines(rows), 'step = "30s"')

    [table] = found.tables
    assert (table.venue, table.symbol) == ("bybit_inverse", "ETHUSD")
    row = table.frame.filter(table.frame["percent"] == -0.1).row(0, named=True)
    assert (row["ts"].minute, row["ts"].second) == (0, 30)
    assert row["depth_coin"] == pytest.approx(2 / 999.5)
    assert row["notional_usd"] == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([], "is no frame|holds no change"),
        ([snapshot(100, 10, symbol="BTCUSDT")], "row 1: tells of 'BTCUSDT', not of ETHUSDT"),
        ([snapshot(100, 10), snapshot(1_500 * MINUTE_MS, 11)], "row 2: .*outside 2025-05-01"),
        ([snapshot(9_000, 10), snapshot(100, 11)], "row 2: .*comes after"),
        ([snapshot(100, 10), {"op": "pong"}], "row 2: is no frame of a book"),
        ([frame(100, 10, [["1", "1"]], [])], "gives no depth: "),
    ],
)
def test_a_recording_that_can_not_be_replayed_is_refused(
    rows: list, problem: str, tmp_path: Path
) -> None:
    with pytest.raises(BadTable, match=problem):
        read(tmp_path, "bybit_archive", BOOK_FILE, lines(rows))


def test_a_recording_cut_in_a_line_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadTable, match="row 2: is no frame of a book"):
        read(tmp_path, "bybit_archive", BOOK_FILE, lines([snapshot(100, 1)]) + '{"topic":"order')


def test_a_book_whose_market_nothing_says_is_refused(tmp_path: Path) -> None:
    name = BOOK_FILE.rsplit("/", 1)[-1]

    with pytest.raises(BadTable, match="set 'market'"):
        read(tmp_path, "bybit_archive", name, lines([snapshot(100, 10)]))
    found = read(tmp_path, "bybit_archive", name, lines([snapshot(100, 10)]), 'market = "spot"')

    assert found.tables[0].venue == "bybit_spot"


def test_zip_bombs_and_second_members_are_refused(tmp_path: Path) -> None:
    bomb = packed(BOOK_FILE, b" " * 60_000_000)
    two = packed(BOOK_FILE, lines([snapshot(100, 10)]), members=2)

    with pytest.raises(BadTable, match="refused as a bomb"):
        read(tmp_path, "bybit_archive", BOOK_FILE, bomb, raw=True)
    with pytest.raises(BadTable, match="exactly one file, not 2"):
        read(tmp_path, "bybit_archive", BOOK_FILE, two, raw=True)


@pytest.mark.real
def test_a_recorded_frame_of_the_venue_is_read_as_the_archive_keeps_it(
    shared: Path, tmp_path: Path
) -> None:
    messages = [json.loads(each) for each in wrapped(shared / "wire/tardis-node/bybit.jsonl")]
    [first] = [
        each for each in messages if "orderbook.1." in str(each.get("topic")) and each["type"] == "snapshot"
    ][:1]  # fmt: skip
    symbol, day = first["data"]["s"], datetime.fromtimestamp(first["ts"] / 1_000, UTC).date()
    name = f"linear/{symbol}/{day}_{symbol}_ob500.data.zip"

    found = read(tmp_path, "bybit_archive", name, lines([first]))

    # decoded, applied and live; one level a side tells of no band
    assert found.tables == ()
    assert found.files[0].left_out == (
        ("steps without depth: the recorded levels reach beyond no band", 1),
    )
