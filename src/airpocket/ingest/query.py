"""SQL over the store: DuckDB in memory, one view per stored kind, over verified files and nothing else."""

import re
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import duckdb

from airpocket.domain.columns import Column
from airpocket.domain.errors import BadInput
from airpocket.ingest.lake import Lake
from airpocket.ingest.tables import columns_of, kind_named

Row: TypeAlias = tuple[object, ...]

_TRIES = 25  # a writer that replaces files faster than this is not one of ours

_SETTINGS = (
    "SET TimeZone = 'UTC'",
    "SET temp_directory = ''",  # a query that outgrows the memory fails instead of filling the disk
    "SET memory_limit = '2GB'",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET python_enable_replacements = false",  # else a query could name variables of this program
)
_TYPES = {"f64": "DOUBLE", "i64": "BIGINT", "str": "VARCHAR", "time": "TIMESTAMPTZ"}
_CLOSED = ("SET enable_external_access = false", "SET lock_configuration = true")


def run_sql(
    lake: Lake, sql: str, *, limit_rows: int = 1_000, limit_s: float | None = None
) -> tuple[list[str], list[Row]]:
    """The column names and first `limit_rows` rows of one SELECT over the store.

    Every stored kind is a view under its name (bar_1h, funding, …) with venue and symbol columns; times
    are UTC. Other files, settings and statements that change something are out of reach. Where a writer
    replaced files before they were opened, the query is asked anew, of the store as it is then.

    Raises:
        BadInput: not one SELECT, or DuckDB refuses it: among others for its memory, or after `limit_s`.
        StoreDamaged: a file that the query would read is damaged.
    """
    kinds = sorted({series.kind for series in lake.series()})
    for left in reversed(range(_TRIES)):
        files = lake.verified_files(_kinds_named(sql, kinds))
        try:
            return _answer(files, sql, limit_rows, limit_s)
        except duckdb.InterruptException as error:
            raise BadInput(
                f"the query was stopped after {limit_s:,.0f} s; ask for less, or give it more (--seconds)"
            ) from error
        except duckdb.Error as error:
            if left and not all(path.exists() for found in files.values() for path in found):
                continue
            raise BadInput(_shortened(error, kinds)) from error
    raise AssertionError  # the last round returns or raises


def _kinds_named(sql: str, kinds: list[str]) -> list[str]:
    """The kinds whose names occur in a query, so that only their files are verified; all where none does."""
    return [kind for kind in kinds if re.search(rf"\b{kind}\b", sql, re.IGNORECASE)] or kinds


def _answer(
    files: dict[str, list[Path]], sql: str, limit_rows: int, limit_s: float | None
) -> tuple[list[str], list[Row]]:
    with closing(duckdb.connect(":memory:")) as connection, _stopping(connection, limit_s):
        statements = connection.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise BadInput("the query must be one SELECT: the store is read-only for SQL")
        paths = [path.absolute() for found in files.values() for path in found]
        _execute_all(
            connection,
            *_SETTINGS,
            f"SET allowed_paths = [{_quoted(paths)}]",
            *(_view(kind, found) for kind, found in files.items() if found),
            *_CLOSED,
        )
        result = connection.execute(sql)
        names = [str(column[0]) for column in result.description or ()]
        rows = result.fetchmany(limit_rows)
    return names, [tuple(_in_utc(value) for value in row) for row in rows]


@contextmanager
def _stopping(connection: duckdb.DuckDBPyConnection, limit_s: float | None) -> Generator[None]:
    """Interrupt whatever the connection does when its time is over."""
    if limit_s is None:
        yield
        return
    timer = threading.Timer(limit_s, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # else it might interrupt a connection that is closed


def _execute_all(connection: duckdb.DuckDBPyConnection, *statements: str) -> None:
    for statement in statements:
        # an unfetched result would own the connection (DuckDB 2)
        connection.execute(statement).fetchall()


def _view(kind: str, files: list[Path]) -> str:
    """DuckDB returns times with a zone only through pytz; so views give UTC times without one."""
    wanted = columns_of(kind_named(kind))
    listed = _quoted([path.absolute() for path in files])
    rows = f"SELECT * FROM read_parquet([{listed}], hive_partitioning = false)"  # noqa: S608 - own names
    optional = [f'NULL::{_TYPES[c.dtype]} AS "{c.name}"' for c in wanted if c.optional]
    if optional:  # files may lack them, all or some
        rows = rows.replace("= false)", "= false, union_by_name = true)")
        rows += f" UNION ALL BY NAME SELECT {', '.join(optional)} WHERE false"
    return f'CREATE VIEW "{kind}" AS SELECT venue, symbol, {", ".join(map(_viewed, wanted))} FROM ({rows})'  # noqa: S608


def _viewed(column: Column) -> str:
    name = f'"{column.name}"'
    return f"{name} AT TIME ZONE 'UTC' AS {name}" if column.dtype == "time" else name


def _quoted(paths: list[Path]) -> str:
    return ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)


def _in_utc(value: object) -> object:
    return (
        value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
    )


def _shortened(error: Exception, kinds: list[str]) -> str:
    text = str(error)
    if "pytz" in text:
        return "the query returns a time with a zone; write it as (… AT TIME ZONE 'UTC')"
    first = text.partition("\n")[0].strip()
    if isinstance(error, duckdb.CatalogException) and "Table with name" in text:
        known = f"the store has {', '.join(kinds)}" if kinds else "the store is empty"
        return f"{first} ({known})"
    if isinstance(error, duckdb.PermissionException):
        return f"{first}; a query reads the kinds of the store and nothing else"
    return first if len(first) <= 300 else first[:299] + "…"
