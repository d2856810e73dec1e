"""Hyperliquid's archive: contexts, books, and the only complete public tape of forced closes."""

import json
import sys
from pathlib import Path

import pytest
from ingest.history.archive_samples import DAY_MS, MINUTE_MS, lines, packed, read, said

from airpocket.domain.errors import BadTable, MissingExtra

CONTEXTS = (
    "time,coin,funding,open_interest,prev_day_px,day_ntl_vlm,premium,oracle_px,mark_px,mid_px,"
    "impact_bid_px,impact_ask_px"
)


def test_contexts_become_prices_open_interest_and_running_funding(tmp_path: Path) -> None:
    content = "\n".join(
        (
            CONTEXTS,
            "2025-05-01T00:00:00Z,BTC,0.0000125,1000.5,9,9,0.0001,95000,95010,95005,95000,95010",
            "2025-05-01T00:00:00Z,kPEPE,,,9,9,,0.01,,,,",
            "2025-05-01T00:01:00Z,BTC,-0.00001,1001,9,9,0.0001,95001,95011,95005,95000,95010",
        )
    )

    found = read(tmp_path, "hyperliquid_archive", "20250501.csv.lz4", content)

    frames = {(table.kind, table.symbol): table.frame for table in found.tables}
    assert frames["ticker", "BTC"].select("last", "mark", "index").rows() == [
        (None, 95010.0, 95000.0),
        (None, 95011.0, 95001.0),
    ]
    assert frames["ticker", "kPEPE"].select("mark", "index").rows() == [(None, 0.01)]
    assert frames["open_interest", "BTC"].select("amount", "unit").rows() == [
        (1000.5, "coin"),
        (1001.0, "coin"),
    ]
    assert frames["funding_estimate", "BTC"].select("rate", "interval_s").rows() == [
        (0.0000125, 3600),
        (-0.00001, 3600),
    ]
    assert ("open_interest", "kPEPE") not in frames  # empty is unknown, and makes no row


LONG, SHORT, MAKER, WINNER, VAULT = (f"0x{n:040x}" for n in range(1, 6))
FILE = "node_fills_by_block/hourly/20250501/9.lz4"
NINE = DAY_MS + 9 * 60 * MINUTE_MS


def fill(side: str, direction: str, tid: int, victim: str = "", *, at: int = 0, **more):
    base = {
        "coin": "ETH", "px": "2000.5", "sz": "3", "side": side, "time": NINE + at,
        "startPosition": "3.0", "dir": direction, "closedPnl": "-9.5", "hash": "0xab", "oid": 5,
        "crossed": True, "fee": "0.1", "tid": tid, "feeToken": "USDC", "twapId": None,
    }  # fmt: skip
    if victim:
        base["liquidation"] = {"liquidatedUser": victim, "markPx": "1999", "method": "market"}
    return base | more


def block(*events: list[object], minute: str = "09:00:00.1234", number: int = 7):
    return {
        "local_time": f"2025-05-01T{minute}56", "block_time": f"2025-05-01T{minute}",
        "block_number": number, "events": list(events),
    }  # fmt: skip


def taken(found) -> dict[str, list[tuple]]:
    columns = ("forced_side", "price", "size", "notional_usd", "seq")
    return {table.kind: table.frame.select(columns).rows() for table in found.tables}


def test_each_liquidation_is_counted_once_as_the_fill_of_whom_it_happened_to(
    tmp_path: Path,
) -> None:
    content = lines(
        [
            block(
                [LONG, fill("A", "Liquidated Cross Long", 11, LONG.upper().replace("0X", "0x"))],
                [MAKER, fill("B", "Open Long", 11, LONG)],
                [MAKER, fill("B", "Open Long", 12)],
                [SHORT, fill("B", "Liquidated Isolated Short", 13, SHORT)],
                [MAKER, fill("A", "Close Long", 13, SHORT)],
            )
        ]
    )

    found = read(tmp_path, "hyperliquid_archive", FILE, content)

    assert taken(found) == {
        "liquidation": [("sell", 2000.5, 3.0, 6001.5, 11), ("buy", 2000.5, 3.0, 6001.5, 13)]
    }
    [table] = found.tables
    assert table.frame["coverage"].unique().to_list() == ["all"]
    # the fill says its millisecond; its block became known 0.4 ms later
    waits = (table.frame["usable_from"].dt.epoch("us") - table.frame["ts"].dt.epoch("us")).to_list()
    assert waits == [123_400, 123_400]
    assert found.files[0].left_out == (
        ("fills of nobody who was forced out", 1),
        ("the other side of a liquidation", 2),
    )
    assert found.files[0].rows_read == 5


def test_a_winner_who_was_cut_is_no_liquidation_but_a_kind_of_its_own(tmp_path: Path) -> None:
    content = lines(
        [
            block(
                [WINNER, fill("B", "Auto-Deleveraging", 21, VAULT, startPosition="-28.53")],
                [VAULT, fill("A", "Auto-Deleveraging", 21, VAULT)],
                [LONG, fill("A", "Liquidated Cross Long", 22, LONG)],
            )
        ]
    )

    found = read(tmp_path, "hyperliquid_archive", FILE, content)

    assert taken(found) == {
        "deleveraging": [("buy", 2000.5, 3.0, 6001.5, 21)],
        "liquidation": [("sell", 2000.5, 3.0, 6001.5, 22)],
    }
    [cut] = [table for table in found.tables if table.kind == "deleveraging"]
    assert cut.frame["cause"].to_list() == ["market"]
    assert ("the other side of a deleveraging", 1) in found.files[0].left_out


def test_an_hour_without_forced_closes_is_complete_and_empty(tmp_path: Path) -> None:
    content = lines([block([MAKER, fill("B", "Open Long", 12)]), block(number=8)])

    found = read(tmp_path, "hyperliquid_archive", FILE, content)

    assert found.tables == ()
    assert [(one.kind, one.rows_read, one.rows_taken) for one in found.files] == [
        ("liquidation", 1, 0),
        ("deleveraging", 1, 0),
    ]


def test_only_the_coins_asked_for_and_known_are_taken(tmp_path: Path) -> None:
    content = lines(
        [
            block(
                [LONG, fill("A", "Liquidated Cross Long", 1, LONG)],
                [LONG, fill("A", "Liquidated Cross Long", 2, LONG, coin="BTC")],
                [LONG, fill("A", "Liquidated Cross Long", 3, LONG, coin="xyz:GOLD")],
            )
        ]
    )

    all_known = read(tmp_path, "hyperliquid_archive", FILE, content)
    only = read(tmp_path, "hyperliquid_archive", FILE, content, 'symbols = ["BTC"]')

    assert [one.symbol for one in all_known.series] == ["BTC", "ETH"]
    assert [one.symbol for one in only.series] == ["BTC"]
    [(reason, count)] = only.files[0].left_out
    assert (reason, count) == ("contracts that 'symbols' does not name, or of unknown name", 2)


GOOD = lines([block([LONG, fill("A", "Liquidated Cross Long", 1, LONG)])])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (packed(FILE, GOOD)[:-12], "is no whole lz4 file"),
        (b"\x04\x22\x4d\x18 no frame", "is no whole lz4 file"),
        (b"PK", "is no whole lz4 file"),
        (packed(FILE, b" " * 60_000_000), "refused as a bomb"),
        (packed(FILE, ""), "holds no fill"),
        (packed(FILE, GOOD + '{"block_time"'), "row 2: is no block of fills"),
        (
            packed(FILE, lines([block([LONG, fill("B", "Liquidated Cross Long", 1, LONG)])])),
            "row 1: is no block of fills: side 'B' of a fill 'Liquidated Cross Long'",
        ),
        (
            packed(FILE, lines([block([LONG, fill("A", "Liquidated Cross Long", 1, SHORT)])])),
            "of an account that was not liquidated",
        ),
        (
            packed(
                FILE, lines([block([LONG, fill("A", "Liquidated Cross Long", 1, LONG, px="0")])])
            ),
            "price must be above zero",
        ),
        (packed(FILE, lines([block(minute="11:30:00.0")])), "outside the hour of 2025-05-01T09:00"),
        (
            packed(
                FILE,
                lines([block([LONG, fill("A", "Liquidated Cross Long", 1, LONG, at=90_000)])]),
            ),
            "in a block of 2025-05-01T09:00:00",
        ),
    ],
    ids=said,
)
def test_a_damaged_file_of_fills_is_refused(content: bytes, problem: str, tmp_path: Path) -> None:
    with pytest.raises(BadTable) as caught:
        read(tmp_path, "hyperliquid_archive", FILE, content, raw=True)

    assert problem in str(caught.value)
    assert caught.value.file == FILE


BOOK_FILE = "market_data/20250501/9/l2Book/ETH.lz4"


def book(at: int, bid: float, size: str, *, wrapped: bool = True):
    """20 levels of 5 a side: known to 5 % of 2,000."""
    levels = [
        [{"px": f"{bid - 5 * n:.1f}", "sz": size, "n": 1} for n in range(20)],
        [{"px": f"{bid + 1 + 5 * n:.1f}", "sz": "4", "n": 1} for n in range(20)],
    ]
    frame = {"channel": "l2Book", "data": {"coin": "ETH", "time": NINE + at, "levels": levels}}
    return {"time": "2025-05-01T09:00:00.1", "ver_num": 1, "raw": frame} if wrapped else frame


@pytest.mark.parametrize("wrapped", [True, False])
def test_recorded_books_become_the_depth_of_each_minute(wrapped: bool, tmp_path: Path) -> None:
    rows = [
        book(500, 2000, "1", wrapped=wrapped),
        book(59_500, 2000, "7", wrapped=wrapped),
        book(61_000, 2010, "2", wrapped=wrapped),
    ]

    [table] = read(tmp_path, "hyperliquid_archive", BOOK_FILE, lines(rows)).tables

    assert (table.kind, table.venue, table.symbol) == ("depth", "hyperliquid", "ETH")
    near = table.frame.filter(table.frame["percent"] == -0.1)
    # 0.1 % of 2,000 is 2: one bid of it
    assert near.select("depth_coin", "notional_usd").rows() == [(7.0, 14000.0), (2.0, 4020.0)]
    assert ((near["ts"].dt.epoch("ms") - NINE) // MINUTE_MS).to_list() == [1, 2]


def test_a_book_whose_folders_name_no_hour_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadTable, match="folders must name day, hour and coin"):
        read(tmp_path, "hyperliquid_archive", "l2Book/ETH.lz4", lines([book(1, 2000, "1")]))


def test_without_lz4_the_message_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lz4.frame", None)

    with pytest.raises(MissingExtra, match=r"pip install 'airpocket\[archive\]'"):
        read(tmp_path, "hyperliquid_archive", FILE, packed(FILE, GOOD), raw=True)


@pytest.mark.real
def test_a_recorded_fill_of_the_other_side_is_no_liquidation(shared: Path, tmp_path: Path) -> None:
    path = shared / "wire/nautilus_trader/hyperliquid/ws_user_fill_liquidation.json"
    [real] = json.loads(path.read_text())["data"]["fills"]
    at = "2026-06-15T12:54:25.9"  # 1781528065899 ms
    content = lines(
        [{"local_time": at, "block_time": at, "block_number": 1, "events": [[MAKER, real]]}]
    )

    found = read(tmp_path, "hyperliquid_archive", "node_fills_by_block.lz4", content,
                 'type = "node_fills_by_block"')  # fmt: skip

    assert found.tables == ()
    assert found.files[0].left_out == (("the other side of a liquidation", 1),)
