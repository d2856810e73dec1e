"""A mapping that can't be meant is refused, naming the file and the key; what it can say is applied exactly."""

import re
from pathlib import Path

import polars as pl
import pytest
from ingest.history.history_samples import CSV, HEADER, MAPPING, Folder

from airpocket.domain.errors import BadMapping, BadTable
from airpocket.domain.units import parse_time
from airpocket.ingest.history.mapping import read_mapping

BAD = {
    "not TOML": ("source = ", "not TOML"),
    "no licence": (MAPPING.replace('licence = "none"', ""), "'licence': is missing"),
    "unknown key": (MAPPING.replace("usable", "sauce = 1\nusable"), "unknown key 'sauce'"),
    "unknown top key": ("extra = 1\n" + MAPPING, "unknown key 'extra'"),
    "unknown kind": (MAPPING.replace('"bar"', '"candle"'), "unknown kind 'candle'"),
    "no interval": (MAPPING.replace('interval = "1h"', ""), "needs an interval"),
    "odd interval": (MAPPING.replace('interval = "1h"', 'interval = "1x"'), "not an interval"),
    "unknown venue": (MAPPING.replace("binance_usdm", "binance"), "unknown venue 'binance'"),
    "no symbol": (MAPPING.replace('symbol = "ETHUSDT"', ""), "'symbol': is missing"),
    "no usable": (MAPPING.replace('usable = "ts + 1h"', ""), "'usable': is missing"),
    "usable too early": (MAPPING.replace("ts + 1h", "ts"), "complete only one interval after"),
    "usable no rule": (MAPPING.replace("ts + 1h", "soon"), "write 'ts', 'ts + 1h'"),
    "usable no span": (MAPPING.replace("ts + 1h", "ts + 1hour"), "no span of time"),
    "no such column": (MAPPING + 'sise = "volume"\n', "has no column 'sise'"),
    "column missing": (MAPPING.replace('close = "close"', ""), "needs a column 'close'"),
    "odd time unit": (MAPPING.replace('"iso"', '"ns"'), "no unit of time"),
    "odd zone": (
        MAPPING.replace('"iso"', '"iso", zone = "../etc"'),
        "no time zone",
    ),
    "no files": (MAPPING.replace('file = "bars.csv"', ""), "'file': is missing"),
    "outside": (MAPPING.replace("bars.csv", "../bars.csv"), "must lie below"),
    "absolute": (MAPPING.replace("bars.csv", "/etc/hosts"), "must lie below"),
    "glob finds nothing": (MAPPING.replace("bars.csv", "*.parquet"), "finds no file"),
    "unit without multiplier": (
        MAPPING.replace('"volume"', '{ column = "volume", unit = "contracts" }'),
        "say 'multiply'",
    ),
    "multiplier zero": (
        MAPPING.replace('"volume"', '{ column = "volume", multiply = 0 }'),
        "must be a positive number",
    ),
    "no such definition": (
        MAPPING.replace('"ETHUSDT"', '{ column = "coin", translate = "coins" }'),
        "no [define.coins]",
    ),
    "drop without reason": (
        MAPPING.replace("[table.columns]", '[[table.drop]]\ncolumn = "a"\nnull = true\n[table.columns]'),
        "'reason': is missing",
    ),
    "nothing in it": ('source = "a"\nlicence = "b"\n', "neither [[table]] nor [[skip]]"),
    "unknown format": (MAPPING.replace("kind", 'format = "xlsx"\nkind'), "is no format"),
    "unknown market": (
        'source="a"\nlicence="b"\n[[table]]\nformat="binance_archive"\nfile="a.zip"\nmarket="um2"',
        "no market",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_mapping_that_cannot_be_meant_is_refused(name: str, tmp_path: Path) -> None:
    mapping, problem = BAD[name]
    folder = Folder(tmp_path)
    folder.put("bars.csv", CSV)

    with pytest.raises(BadMapping, match=re.escape(problem)) as caught:
        folder.read(mapping)

    assert "mapping.toml" in str(caught.value)


def test_bars_keep_every_value_and_are_usable_when_they_close(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.put("bars.csv", CSV)

    [table] = folder.read().tables

    assert (table.kind, table.venue, table.symbol) == ("bar_1h", "binance_usdm", "ETHUSDT")
    assert table.frame["close"].to_list() == [105.0, 102.0, 91.25]
    assert table.frame["taker_buy"].null_count() == 3  # not in the file: unknown, not 0
    waits = (table.frame["usable_from"] - table.frame["ts"]).dt.total_minutes()
    assert waits.to_list() == [60, 60, 60]


def test_an_offset_in_the_text_is_applied(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.put("bars.csv", CSV.replace("Z,", "+05:30,").replace("T00:00", "T00:30"))
    text = (
        (tmp_path / "bars.csv").read_text().replace("T01:00", "T01:30").replace("T02:00", "T02:30")
    )
    folder.put("bars.csv", text)

    found = folder.read()

    assert found.series[0].first == parse_time("2025-04-30T19:00Z")


@pytest.mark.parametrize(
    ("usable", "expected"),
    [
        ('"ts + 1d13h"', "2025-03-11T13:00:00Z"),
        ('{ columns = ["date", "seen"], unit = "date", plus = "1h" }', "2025-03-12T01:00:00Z"),
    ],
)
def test_a_date_is_usable_from_the_rule_of_the_mapping(
    usable: str, expected: str, tmp_path: Path
) -> None:
    folder = Folder(tmp_path)
    folder.put("flows.csv", "date,seen,usd_mn\n2025-03-10,2025-03-12,-1.5\n")
    mapping = f"""
source = "s"
licence = "none"
[[table]]
file = "flows.csv"
kind = "flow"
venue = "flows"
symbol = "BTC"
time = {{ column = "date", unit = "date" }}
usable = {usable}
[table.columns]
series = {{ constant = "etf_net_flow" }}
value = {{ column = "usd_mn", multiply = 1e6 }}
unit = {{ constant = "USD" }}
"""

    [table] = folder.read(mapping).tables

    assert table.frame["value"].to_list() == [-1_500_000.0]
    assert table.frame["usable_from"].dt.to_string("%FT%TZ")[0] == expected


WIDE = """
source = "s"
licence = "none"
[define.symbols.a]
ETH = "ETHUSDT"
[define.symbols]
b = "BTCUSDT"
[[table]]
file = "wide.csv"
kind = "ratio"
venue = { column = "venue", translate = { a = "binance_usdm", b = "bybit_linear" } }
symbol = { column = "coin", by = "venue", translate = "symbols" }
time = { column = "t", unit = "s" }
usable = "ts + 5m"
where = { keep = [1, 2] }
[table.unpivot.columns]
x = "account"
y = "taker_volume"
[table.columns]
name = "name"
value = { column = "value", null_if = 9 }
[[table.drop]]
column = "x"
null = true
reason = "no answer"
[[table.drop]]
time = "2025-05-01T00:10:00Z"
reason = "known to be broken"
"""


def test_where_drop_and_unpivot_account_for_every_row(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    start = parse_time("2025-05-01T00:00Z") // 10**9
    rows = [(start, "a", "ETH", 1, 1, 2), (start, "b", "anything", 2, 3, 4)]
    rows += [(start + 300, "a", "ETH", 3, 5, 6), (start + 300, "a", "ETH", 1, "", 8)]
    rows += [(start + 600, "a", "ETH", 1, 9, 9)]
    lines = [",".join(map(str, row)) for row in rows]
    folder.put("wide.csv", "\n".join(["t,venue,coin,keep,x,y", *lines]) + "\n")

    found = folder.read(WIDE)

    [account] = found.files
    assert account.rows_read == 5
    assert account.left_out == (
        ("keep is not 1 or 2", 1),
        ("no answer", 1),
        ("known to be broken", 1),
    )
    by_venue = {table.venue: table.frame for table in found.tables}
    assert by_venue["binance_usdm"]["value"].to_list() == [1.0, 2.0]
    assert by_venue["bybit_linear"]["name"].to_list() == ["account", "taker_volume"]


def test_numbers_count_the_rows_that_share_a_moment(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.put("liq.csv", "t,px\n1746057600,10\n1746057600,10\n1746057601,11\n")
    mapping = """
source = "s"
licence = "none"
[[table]]
file = "liq.csv"
kind = "liquidation"
venue = "okx"
symbol = "ETH-USDT-SWAP"
time = { column = "t", unit = "s" }
usable = "ts"
revision = "head"
[table.columns]
forced_side = { constant = "unknown" }
price = "px"
coverage = { constant = "sample" }
seq = { number = true }
"""

    [table] = folder.read(mapping).tables

    assert table.symbol == "ETH-USDT-SWAP~head"
    assert table.frame["seq"].to_list() == [0, 1, 0]


def test_overlapping_files_of_one_source_may_repeat_but_not_contradict(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    lines = CSV.splitlines()
    folder.put("a.csv", "\n".join(lines[:3]) + "\n")
    folder.put("b.csv", "\n".join([HEADER, *lines[2:]]) + "\n")
    mapping = MAPPING.replace("bars.csv", "?.csv")

    assert folder.read(mapping).series[0].rows == 3

    folder.put("b.csv", "\n".join([HEADER, lines[2].replace("20.5", "21"), lines[3]]) + "\n")
    with pytest.raises(BadTable, match=r"b\.csv, row 1.*than row 2 of a\.csv: volume 21"):
        folder.read(mapping)


def test_skipped_files_are_told_with_their_reason(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.put("bars.csv", CSV)

    found = folder.read(MAPPING + '[[skip]]\nfile = "x.parquet"\nreason = "no time in it"\n')

    assert [(skip.file, skip.reason) for skip in found.skipped] == [("x.parquet", "no time in it")]


def test_a_small_exact_factor_table_is_applied_per_row(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    start = pl.datetime(2025, 5, 1, time_zone="UTC")
    frame = pl.select(
        pl.repeat(start, 2).alias("ts"), pl.Series("coin", ["ETH", "DOGE"]), *(
            pl.repeat(10.0, 2).alias(name) for name in ("open", "high", "low", "close", "volume")
        ),
    )  # fmt: skip
    frame.write_parquet(tmp_path / "bars.parquet")
    symbols = '{ column = "coin", translate = { ETH = "ETHUSDT", DOGE = "DOGEUSDT" } }'
    factors = '{ column = "coin", translate = { ETH = 0.1, DOGE = 1000 } }'
    mapping = (
        MAPPING.replace("bars.csv", "bars.parquet")
        .replace('{ column = "time", unit = "iso" }', '"ts"')
        .replace('"ETHUSDT"', symbols)
        .replace('volume = "volume"', f'volume = {{ column = "volume", multiply = {factors} }}')
    )

    volumes = {
        table.symbol: table.frame["volume"].to_list() for table in folder.read(mapping).tables
    }

    assert volumes == {"ETHUSDT": [1.0], "DOGEUSDT": [10_000.0]}


def test_the_mappings_in_the_documentation_are_mappings(tmp_path: Path) -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "import.md"
    blocks = re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL)

    assert len(blocks) == 6
    for number, block in enumerate(blocks):
        path = tmp_path / f"{number}.toml"
        path.write_text(block)
        assert len(read_mapping(path).tables) == 1
