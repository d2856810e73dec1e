"""Files of slow figures: told apart by their head; what is wrong names file, row and column; nothing is kept."""

from pathlib import Path

import pytest

from airpocket.domain.errors import BadInput
from airpocket.domain.units import parse_time
from airpocket.ingest.flows.files import calendar_tables, read_file
from airpocket.ingest.flows.keep import Publisher, keep
from airpocket.ingest.lake import Lake

NOW = parse_time("2025-07-09T12:00Z")
HEAD = "series,asset,event,value,unit,published,first_seen\n"


def file(tmp_path: Path, text: str, name: str = "told.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_figures_keep_their_three_times_and_every_vintage(tmp_path: Path) -> None:
    path = file(
        tmp_path,
        HEAD
        + "custody,ETH,2025-07-01,1000,coin,2025-07-02T06:00Z,2025-07-02T08:00Z\n"
        + "custody,ETH,2025-07-01,1100,coin,,2025-07-05T08:00Z\n"
        + "custody,ETH,2025-07-02,1200,coin,,\n",
    )
    told = read_file(path, "", NOW)
    lake = Lake(tmp_path / "store")
    kept = keep(lake, Publisher("flows", path.name), told, NOW)
    assert (kept.new, kept.revised) == (2, 1)
    frame = lake.read("flow", "flows", "ETH")
    assert frame["value"].to_list() == [1000.0, 1100.0, 1200.0]
    assert str(frame["published"][0]) == "2025-07-02 06:00:00+00:00"
    assert frame["published"].null_count() == 2
    assert [str(each)[:10] for each in frame["usable_from"]] == [
        "2025-07-02",
        "2025-07-05",
        "2025-07-09",
    ]


@pytest.mark.parametrize(
    ("row", "column", "says"),
    [
        ("custody,ETH,2025-07-01,-1,coin,,", "value", "can't be below zero"),
        ("usdt_supply,USDT,2025-07-01,1e15,tokens,,", "value", "another unit"),
        ("usdt_supply,USDT,2025-07-01,1e11,dollars,,", "unit", "is not tokens or USD"),
        ("moon_phase,ETH,2025-07-01,1,coin,,", "series", "is none of"),
        ("custody,ETH,2025-07-01T03:00Z,1,coin,,", "event", "not the start of a UTC day"),
        ("custody,ETH,2025-08-01,1,coin,,", "event", "in the future"),
        ("custody,ETH,2025-07-01,one,coin,,", "value", "is not a number"),
        (
            "custody,ETH,2025-07-01,1,coin,2025-07-03T00:00Z,2025-07-02T00:00Z",
            "first_seen",
            "in that order",
        ),
        ("custody,ETH,2025-07-01,1,coin,2025-07-03 00:00,", "published", "time zone"),
    ],
)
def test_a_wrong_cell_names_file_row_and_column(
    tmp_path: Path, row: str, column: str, says: str
) -> None:
    path = file(tmp_path, HEAD + "custody,ETH,2025-07-01,1,coin,,\n" + row + "\n")
    with pytest.raises(BadInput, match=says) as raised:
        read_file(path, "", NOW)
    assert str(raised.value).startswith(f"told.csv, row 2, column '{column}'")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<html></html>\n<p>", "an HTML page"),
        ("a,b\n1,2\n", "its head is a, b"),
        ("Date,IBIT,Total\n02 Jul 2025,1.0,1.0\n", "give --asset"),
        (HEAD, "no rows under a head"),
        (HEAD + "custody,ETH\n", "2 cells under 7 names"),
    ],
)
def test_a_file_of_no_form_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        read_file(file(tmp_path, text), "", NOW)


def test_transfers_name_their_parties(tmp_path: Path) -> None:
    head = "time,asset,size,usd,from,to,tx\n"
    told = read_file(
        file(tmp_path, head + "2025-07-01T03:00Z,USDT,5000000,,wallet,exchange,0xaa\n"), "", NOW
    )
    [moved] = told.transfers
    assert (moved.symbol, moved.target, moved.notional_usd) == ("USDT", "exchange", None)
    with pytest.raises(BadInput, match="column 'to': 'binance' is none of exchange"):
        read_file(file(tmp_path, head + "2025-07-01T03:00Z,USDT,1,,wallet,binance,0xaa\n"), "", NOW)


def test_a_calendar_is_kept_from_when_each_event_was_public(tmp_path: Path) -> None:
    path = file(
        tmp_path,
        '[[catalyst]]\ntime = "2025-07-30T18:00Z"\nknown_from = "2024-08-09T00:00Z"\nkind = "macro"\n'
        'name = "FOMC"\nconfidence = "certain"\n',
        "dates.toml",
    )
    lake = Lake(tmp_path / "store")
    lake.write(calendar_tables(path, ""))
    assert len(lake.read("catalyst", "flows", "ALL", until=parse_time("2024-08-08T00:00Z"))) == 0
    [due] = lake.read("catalyst", "flows", "ALL", until=NOW)["due"]
    assert str(due) == "2025-07-30 18:00:00+00:00"
