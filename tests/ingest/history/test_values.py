"""The number and time grammars against second implementations: decimal.Decimal and datetime."""

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.domain.errors import BadTable
from airpocket.ingest.history.files import ROW
from airpocket.ingest.history.rules import TimeRule
from airpocket.ingest.history.values import Place, read_times, to_floats

decimals = st.decimals(min_value=-(10**17), max_value=10**17, places=8).map(lambda d: f"{d:f}")


def floats(*texts: str) -> list[float | None]:
    cells = pl.Series("x", texts, dtype=pl.String)
    rows = pl.Series(range(1, len(texts) + 1))
    return to_floats(cells, Place("f.csv", rows, "x")).to_list()


@given(st.lists(decimals, min_size=1, max_size=20))
def test_a_decimal_reads_as_its_nearest_float(texts: list[str]) -> None:
    assert floats(*texts) == [float(Decimal(text)) for text in texts]


@given(st.text(alphabet="0123456789.eE+-_ ,nafiNIAxX٣１", max_size=8))
def test_what_is_no_plain_decimal_is_refused(text: str) -> None:
    plain = re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?", text, re.ASCII)
    if plain and (float(text) == 0.0 or 1e-300 < abs(float(text)) <= 1e18):
        assert floats(text) == [float(text)]
    elif not plain:
        with pytest.raises(BadTable):
            floats(text)


moments = st.datetimes(datetime(2009, 1, 3), datetime(2099, 12, 30))  # noqa: DTZ001 - naive on purpose
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.lists(st.tuples(moments, offsets), min_size=1, max_size=10))
def test_a_time_with_offset_reads_as_datetime_reads_it(
    pairs: list[tuple[datetime, timezone]],
) -> None:
    zoned = [moment.replace(tzinfo=zone) for moment, zone in pairs]
    frame = pl.DataFrame({"t": [moment.isoformat() for moment in zoned]}).with_row_index(ROW)

    times = read_times(frame, TimeRule("t", "iso"), "f.csv")

    assert times.to_list() == [moment.astimezone(UTC) for moment in zoned]


@given(moments, st.sampled_from([("us", 1), ("ms", 1_000), ("s", 1_000_000)]))
def test_a_count_reads_in_its_declared_unit_and_in_no_other(
    moment: datetime, unit: tuple[str, int]
) -> None:
    name, us = unit
    count = (moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        microseconds=us
    )
    frame = pl.DataFrame({"t": [count]}).with_row_index(ROW)

    [time] = read_times(frame, TimeRule("t", name), "f").to_list()

    assert (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=us) == count
    for other in {"us", "ms", "s"} - {name}:
        with pytest.raises(BadTable, match=f"no time in {other}"):
            read_times(frame, TimeRule("t", other), "f")


def test_a_local_time_that_a_clock_change_skips_is_refused() -> None:
    frame = pl.DataFrame({"t": ["2025-03-09 02:30:00"]}).with_row_index(ROW, offset=1)

    with pytest.raises(BadTable, match="cannot be read as America/New_York time"):
        read_times(frame, TimeRule("t", "iso", "America/New_York"), "f")
