"""SQL over the store: right answers, and no way out of the store."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from ingest.lake_samples import bars, files_of, trades

from airpocket.domain.errors import AirpocketError, BadInput, StoreDamaged
from airpocket.ingest.lake import Lake
from airpocket.ingest.query import run_sql


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "we'ird [s]tore *?%41")
    lake.write([bars(40 * 24), bars(3, symbol="币安人生USDT", close=7.0), trades(4)])
    return lake


@pytest.mark.fault("V15")
def test_counts_by_symbol_agree_with_the_list(lake: Lake) -> None:
    columns, rows = run_sql(lake, "SELECT symbol, count(*) AS n FROM bar_1h GROUP BY 1 ORDER BY n")
    assert columns == ["symbol", "n"]
    assert rows == [("币安人生USDT", 3), ("BTCUSDT", 960)]


def test_values_agree_with_a_reader_of_its_own(lake: Lake) -> None:
    sql = "SELECT ts, close FROM bar_1h WHERE symbol = 'BTCUSDT' AND ts >= '2025-11-01' ORDER BY ts"
    _, rows = run_sql(lake, sql)
    paths = sorted(lake.root.rglob("symbol=BTCUSDT/month=2025-11/*.parquet"))
    with paths[0].open("rb") as file:
        frame = pl.read_parquet(file).sort("ts")
    assert rows == list(zip(frame["ts"], frame["close"], strict=True))


def test_times_are_in_utc_and_say_so(lake: Lake) -> None:
    _, [(first,)] = run_sql(lake, "SELECT min(ts) FROM bar_1h")
    assert first == datetime(2025, 10, 10, 20, tzinfo=UTC)


def test_unknown_is_null_not_zero(lake: Lake) -> None:
    _, [row] = run_sql(lake, "SELECT sum(volume_usd), count(volume_usd) FROM bar_1h")
    assert row == (None, 0)


def test_no_more_rows_than_asked(lake: Lake) -> None:
    assert len(run_sql(lake, "SELECT * FROM bar_1h", limit_rows=7)[1]) == 7


@pytest.mark.parametrize(
    "sql",
    [
        "FROM bar_1h SELECT count(*)",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        'SELECT count(*) FROM "BAR_1H"',
        "SELECT count(*) FROM memory.main.bar_1h",
        "SELECT count(*) FROM bar_1h b JOIN trade t USING (venue, symbol);",
        "SHOW TABLES",
        "DESCRIBE bar_1h",
        "SELECT count(*) -- all of them\nFROM trade -- end",
    ],
)
def test_what_reads_is_answered(lake: Lake, sql: str) -> None:
    assert run_sql(lake, sql)[1]


@pytest.mark.fault("W09")
@pytest.mark.parametrize(
    "sql",
    [
        "DROP VIEW bar_1h",
        "CREATE TABLE x AS SELECT 1",
        "INSERT INTO bar_1h VALUES (1)",
        "COPY bar_1h TO 'out.csv'",
        "ATTACH 'x.db'",
        "SET memory_limit = '100GB'",
        "PRAGMA version",
        "INSTALL httpfs",
        "SELECT 1; DROP VIEW bar_1h",
        "EXPLAIN ANALYZE COPY bar_1h TO 'out.csv'",
        "CALL pragma_version()",
        "",
        ";",
        "-- nothing",
    ],
)
def test_what_is_no_single_select_is_refused(lake: Lake, sql: str) -> None:
    before = files_of(lake.root)
    with pytest.raises(BadInput, match=r"one SELECT|Error"):
        run_sql(lake, sql)
    assert files_of(lake.root) == before


@pytest.mark.fault("W09")
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('{}')",
        "SELECT * FROM read_csv('{}')",
        "SELECT * FROM '{}'",
        "SELECT * FROM read_text('{}'), bar_1h",
        "SELECT * FROM glob('/*'), read_text('{}')",
        "SELECT (SELECT content FROM read_text('{}')) FROM bar_1h",
    ],
)
def test_files_outside_the_store_cannot_be_read(lake: Lake, tmp_path: Path, sql: str) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\n1,2\n")
    with pytest.raises(BadInput, match="Permission Error"):
        run_sql(lake, sql.format(secret))


def test_listing_the_disk_shows_nothing_outside(lake: Lake) -> None:
    with pytest.raises(BadInput, match="Permission Error"):
        run_sql(lake, "SELECT * FROM glob('/etc/*')")


def test_variables_of_the_program_are_out_of_reach(lake: Lake) -> None:
    secret = pl.DataFrame({"x": [1]})
    with pytest.raises(BadInput, match="secret does not exist"):
        run_sql(lake, "SELECT * FROM secret")
    assert len(secret) == 1


@pytest.mark.fault("W09")
def test_the_door_is_shut_and_the_key_is_gone(lake: Lake) -> None:
    _, [row] = run_sql(
        lake,
        "SELECT current_setting('enable_external_access'), current_setting('lock_configuration'),"
        " current_setting('autoinstall_known_extensions'), current_setting('autoload_known_extensions')",
    )
    assert row == (False, True, False, False)
    with pytest.raises(BadInput):
        run_sql(lake, "SELECT getenv('HOME')")


def test_an_unknown_table_is_answered_with_those_that_exist(lake: Lake) -> None:
    with pytest.raises(BadInput, match=r"nope does not exist.*the store has bar_1h, trade"):
        run_sql(lake, "SELECT * FROM nope")


def test_an_error_of_the_query_is_one_short_line(lake: Lake) -> None:
    for sql in ("SELEC 1", "SELECT nope FROM bar_1h", "SELECT " + "x" * 10_000 + " FROM trade"):
        with pytest.raises(BadInput) as caught:
            run_sql(lake, sql)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) <= 400


def test_a_time_with_a_zone_is_refused_with_the_way_to_write_it(lake: Lake) -> None:
    with pytest.raises(BadInput, match="AT TIME ZONE"):
        run_sql(lake, "SELECT ts AT TIME ZONE 'UTC' FROM bar_1h")


def test_a_query_over_a_damaged_file_is_refused_and_beside_it_answered(lake: Lake) -> None:
    path = sorted(lake.root.rglob("kind=trade/**/*.parquet"))[0]
    whole = bytearray(path.read_bytes())
    whole[40] ^= 1
    path.write_bytes(whole)
    fresh = Lake(lake.root)
    with pytest.raises(StoreDamaged, match=path.name):
        run_sql(fresh, "SELECT * FROM trade")
    assert run_sql(fresh, "SELECT count(*) FROM bar_1h")[1] == [(963,)]


def test_an_empty_store_says_that_it_is_empty(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the store is empty"):
        run_sql(Lake(tmp_path), "SELECT * FROM bar_1h")
    assert run_sql(Lake(tmp_path), "SELECT 1 AS x") == (["x"], [(1,)])


@pytest.mark.fault("S11")
def test_a_query_without_end_is_stopped_with_a_word(lake: Lake) -> None:
    endless = "SELECT count(*) FROM range(10000000000) a, range(10000000000) b WHERE a.range % 7 = b.range % 5"
    with pytest.raises(BadInput, match=r"stopped after .* s; ask for less"):
        run_sql(lake, endless, limit_s=0.2)
    assert run_sql(lake, "SELECT count(*) FROM bar_1h", limit_s=60.0)[1] == [(963,)]


@pytest.mark.fault("S11")
def test_a_query_that_outgrows_its_memory_fails_with_a_word(lake: Lake) -> None:
    with pytest.raises(BadInput, match=r"(?i)memory"):
        run_sql(lake, "SELECT list(range) FROM range(2000000000)", limit_s=120.0)


@pytest.mark.fault("S09")
def test_files_replaced_between_verifying_and_opening_are_asked_for_anew(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer commits in the worst moment, three times."""
    writer, asked, close = Lake(lake.root), Lake.verified_files, iter([8.0, 9.0, 10.0])

    def then_replaced(reader: Lake, kinds: list[str]) -> dict[str, list[Path]]:
        files = asked(reader, kinds)
        if (value := next(close, None)) is not None:
            writer.write([bars(3, symbol="币安人生USDT", close=value)], on_conflict="replace")
        return files

    monkeypatch.setattr(Lake, "verified_files", then_replaced)
    _, rows = run_sql(lake, "SELECT DISTINCT open FROM bar_1h WHERE symbol = '币安人生USDT'")
    assert rows == [(10.0,)]


@pytest.mark.fault("S09", "S10")
def test_many_readers_beside_a_writer_see_whole_commits_only(tmp_path: Path) -> None:
    """Each commit gives every row of a series the same open; nobody sees two of them, or a file that went."""
    store = Lake(tmp_path)
    store.write([bars(4, close=100.0)])
    ended, wrong = threading.Event(), list[object]()

    def ask() -> None:
        mine = Lake(tmp_path)
        while not ended.is_set():
            try:
                rows = run_sql(mine, "SELECT DISTINCT open FROM bar_1h")[1]
                table = mine.read("bar_1h", "binance", "BTCUSDT")["open"].n_unique()
            except AirpocketError as error:
                wrong.append(error)
                return
            if len(rows) != 1 or table != 1:
                wrong.append(rows)

    readers = [threading.Thread(target=ask) for _ in range(6)]
    for reader in readers:
        reader.start()
    for commit in range(1, 40):
        store.write([bars(4, close=100.0 + commit)], on_conflict="replace")
    ended.set()
    for reader in readers:
        reader.join()
    assert wrong == []
