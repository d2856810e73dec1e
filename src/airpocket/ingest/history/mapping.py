"""Mapping files: reads the TOML that says how a table becomes facts, and refuses what it cannot mean."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast

from airpocket.domain.errors import BadMapping
from airpocket.domain.instruments import venues
from airpocket.domain.kinds import Column, split_name, stored_name
from airpocket.ingest.history.archive_rules import FORMATS, archive_rule
from airpocket.ingest.history.rules import (
    ArchiveRule,
    ColumnRule,
    Drop,
    HistoryMapping,
    Lookup,
    Scalar,
    Skip,
    TableRule,
    TimeRule,
    Unpivot,
    UsableRule,
)
from airpocket.ingest.history.section import Section, parse_span

TIME_UNITS = ("us", "ms", "s", "iso", "date")
_USABLE = re.compile(r"ts(?:\s*\+\s*(?P<plus>\w+))?")

Defined = Mapping[str, Mapping[str, object]]


def find_mappings(paths: Iterable[Path]) -> list[Path]:
    """Mapping files in the order given; a folder stands for its *.toml, by name.

    Raises:
        BadMapping: nothing there, or a folder without mappings.
    """
    found: list[Path] = []
    for path in paths:
        inside = sorted(path.glob("*.toml")) if path.is_dir() else [path]
        if not inside:
            raise BadMapping(f"{path}: no mapping (*.toml) in this folder")
        if not inside[0].is_file():
            raise BadMapping(f"{path}: no such file")
        found.extend(inside)
    if not found:
        raise BadMapping("no mapping given")
    return found


def read_mapping(path: Path) -> HistoryMapping:
    """One mapping file, checked; see docs/import.md for every key.

    Raises:
        BadMapping: unreadable, not TOML, or it says something that cannot be done.
    """
    try:
        data = tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise BadMapping(f"{path}: {error.strerror or error}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadMapping(f"{path}: not TOML: {error}") from error
    top = Section(path.name, data)
    source, licence = top.text("source"), top.text("licence")
    defined = _defined(top)
    tables = tuple(_table(section, defined) for section in top.tables("table", "table"))
    skips = tuple(_skip(section) for section in top.tables("skip", "skip"))
    if not tables and not skips:
        top.fail("has neither [[table]] nor [[skip]]")
    top.done()
    return HistoryMapping(path, source, licence, tables, skips)


def _defined(top: Section) -> Defined:
    section = top.table("define")
    names = section.keys() if section else ()
    found: dict[str, Mapping[str, object]] = {}
    for name in names:
        value = section.get(name) if section else None
        if not isinstance(value, dict):
            top.fail("must be a table", f"define.{name}")
        found[name] = cast("dict[str, object]", value)
    return found


def _skip(section: Section) -> Skip:
    skip = Skip(section.text("file"), section.text("reason"))
    section.done()
    return skip


def _table(section: Section, defined: Defined) -> TableRule | ArchiveRule:
    form = section.text("format", "table")
    files = section.texts("file") + section.texts("files")
    if not files:
        section.fail("is missing", "file")
    if form not in FORMATS:
        section.fail(f"{form!r} is no format; known: {', '.join(FORMATS)}", "format")
    if form != "table":
        return archive_rule(section, files, form)
    kind = _kind(section)
    rule = TableRule(
        label=section.label,
        files=files,
        kind=kind,
        venue=_name(section, "venue", defined),
        symbol=_name(section, "symbol", defined),
        time=_time(section, "time"),
        usable=_usable(section, kind),
        columns=_columns(section, kind, defined),
        revision=section.text("revision", ""),
        where=_where(section),
        drops=tuple(_drop(each) for each in section.tables("drop", "drop")),
        unpivot=_unpivot(section),
        unordered=section.flag("unordered"),
        expect_step_ns=section.span_ns("expect_step"),
        other_symbols=section.text("other_symbols", ""),
    )
    section.done()
    return rule


def _kind(section: Section) -> str:
    family, interval = section.text("kind"), section.text("interval", "")
    try:
        return stored_name(family, interval or None)
    except ValueError as error:
        section.fail(str(error), "kind")


def _name(section: Section, key: str, defined: Defined) -> ColumnRule:
    """Venue or symbol: a plain text is a constant, a table is a column with its translation."""
    value = section.get(key)
    if isinstance(value, str):
        rule = ColumnRule(constant=section.text(key))
    elif (inner := section.table(key)) is not None:
        rule = ColumnRule(
            column=inner.text("column"),
            lookup=_lookup(inner, "translate", defined),
            form=inner.text("form", ""),
        )
        if rule.form not in ("", "ccxt"):
            inner.fail(f"{rule.form!r} is no form; known: ccxt", "form")
        inner.done()
    else:
        section.fail("is missing", key)
    if key == "venue":
        for venue in _named(rule):
            if venue not in venues():
                section.fail(f"unknown venue {venue!r}; known: {', '.join(venues())}", key)
    return rule


def _named(rule: ColumnRule) -> list[object]:
    if rule.constant is not None:
        return [rule.constant]
    if rule.lookup is None:
        return []
    found: list[object] = []
    for value in rule.lookup.table.values():
        inner = cast("dict[str, object]", value).values() if isinstance(value, dict) else [value]
        found.extend(inner)
    return found


def _lookup(section: Section, key: str, defined: Defined) -> Lookup | None:
    """`key` holds a table, or the name of one under [define]."""
    value = section.get(key)
    by = section.text("by", "")
    if value is None:
        if by:
            section.fail(f"'by' needs '{key}'", "by")
        return None
    if isinstance(value, str):
        if value not in defined:
            section.fail(f"no [define.{value}]", key)
        value = defined[value]
    if not isinstance(value, dict) or not value:
        section.fail("must be a table, or the name of one under [define]", key)
    table = cast("dict[str, object]", value)
    if not by and any(isinstance(entry, dict) for entry in table.values()):
        section.fail("is a table of tables: say which column chooses, with 'by'", key)
    return Lookup(section.text("column"), by, table, f"{section.label}.{key}")


def _time(section: Section, key: str) -> TimeRule:
    if isinstance(section.get(key), str):
        return TimeRule(column=section.text(key))
    inner = section.table(key)
    if inner is None:
        section.fail("is missing", key)
    if inner.has("constant"):
        rule = TimeRule(constant_ns=inner.time_ns("constant"))
    else:
        rule = TimeRule(inner.text("column"), inner.text("unit", ""), inner.text("zone", ""))
    _check_time(inner, rule)
    inner.done()
    return rule


def _check_time(section: Section, rule: TimeRule) -> None:
    if rule.unit and rule.unit not in TIME_UNITS:
        section.fail(f"{rule.unit!r} is no unit of time; known: {', '.join(TIME_UNITS)}", "unit")
    if rule.zone and not re.fullmatch(r"[A-Za-z]+(?:/[A-Za-z_+\-0-9]+)*", rule.zone):
        section.fail(f"{rule.zone!r} is no time zone; write UTC or America/New_York", "zone")
    if rule.zone and rule.unit in ("us", "ms", "s"):
        section.fail("a count since 1970 is UTC; leave 'zone' out", "zone")


def _usable(section: Section, kind: str) -> UsableRule:
    value = section.get("usable")
    if isinstance(value, str):
        match = _USABLE.fullmatch(value.strip())
        if match is None:
            section.fail(f"{value!r}: write 'ts', 'ts + 1h', or a table with columns", "usable")
        rule = UsableRule((), parse_span(section, "usable", match["plus"]) if match["plus"] else 0)
    else:
        inner = section.table("usable")
        if inner is None:
            section.fail("is missing: from when could anyone have known a row?", "usable")
        unit, zone = inner.text("unit", ""), inner.text("zone", "")
        names = inner.texts("column") + inner.texts("columns")
        if not names:
            inner.fail("is missing", "column")
        times = tuple(TimeRule(name, unit, zone) for name in names)
        for each in times:
            _check_time(inner, each)
        rule = UsableRule(times, inner.span_ns("plus"))
        inner.done()
    if not rule.times and rule.plus_ns < split_name(kind)[1]:
        section.fail(f"a {kind} is complete only one interval after ts", "usable")
    return rule


def _columns(section: Section, kind: str, defined: Defined) -> dict[str, ColumnRule]:
    inner = section.table("columns")
    if inner is None:
        section.fail("is missing", "columns")
    wanted = {column.name: column for column in split_name(kind)[0].columns}
    rules: dict[str, ColumnRule] = {}
    for name in inner.keys():  # noqa: SIM118 - a Section is no dict: keys() also marks them read
        if name not in wanted:
            inner.fail(f"{kind} has no column {name!r}; it has {', '.join(wanted)}")
        rules[name] = _column(inner, name, wanted[name], defined)
    for column in wanted.values():
        if column.name not in rules and not column.nullable:
            inner.fail(f"{kind} needs a column '{column.name}'")
    return rules


def _column(section: Section, name: str, column: Column, defined: Defined) -> ColumnRule:
    if isinstance(section.get(name), str):
        time = TimeRule(section.text(name)) if column.dtype == "time" else None
        return ColumnRule(column=section.text(name), time=time)
    inner = section.table(name)
    if inner is None:
        section.fail("must be the name of a column, or a table", name)
    rule = _column_rule(inner, column, defined)
    if not (rule.column or rule.number or rule.constant is not None):
        inner.fail("needs 'column', 'constant' or 'number'")
    _check_unit(inner, column, rule)
    inner.done()
    return rule


def _column_rule(inner: Section, column: Column, defined: Defined) -> ColumnRule:
    if column.dtype == "time":
        rule = TimeRule(inner.text("column"), inner.text("unit", ""), inner.text("zone", ""))
        _check_time(inner, rule)
        return ColumnRule(column=rule.column, time=rule)
    return ColumnRule(
        column=inner.text("column", ""),
        constant=_scalar(inner, "constant"),
        lookup=_lookup(inner, "translate", defined),
        multiply=_multiply(inner, defined),
        null_if=_scalar(inner, "null_if"),
        number=inner.flag("number"),
    )


def _multiply(section: Section, defined: Defined) -> float | str | Lookup | None:
    """A factor, {column}: factors in the file, {column, by, translate}: factors by symbol."""
    value = section.get("multiply")
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not 0.0 < value < float("inf"):
            section.fail(f"must be a positive number, not {value!r}", "multiply")
        return float(value)
    inner = section.table("multiply")
    assert inner is not None  # get() gave a value: table() gave or raised
    lookup = _lookup(inner, "translate", defined)
    column = inner.text("column")
    inner.done()
    return column if lookup is None else lookup


def _check_unit(section: Section, column: Column, rule: ColumnRule) -> None:
    """`unit` is what the file's figure is in: another unit than the kind's needs a multiplier."""
    if column.dtype == "time":
        return
    unit = section.text("unit", "")
    if unit and unit != column.unit and rule.multiply is None:
        section.fail(f"is in {unit!r}, the store wants {column.unit!r}: say 'multiply'", "unit")


def _scalar(section: Section, key: str) -> Scalar | None:
    value = section.get(key)
    if value is not None and not isinstance(value, str | int | float | bool):
        section.fail(f"must be a text or a number, not {value!r}", key)
    return value


def _where(section: Section) -> tuple[tuple[str, tuple[Scalar, ...]], ...]:
    inner = section.table("where")
    found: list[tuple[str, tuple[Scalar, ...]]] = []
    for key in inner.keys() if inner else ():
        assert inner is not None
        value = inner.get(key)
        items = cast("list[object]", value) if isinstance(value, list) else [value]
        if not items or not all(isinstance(item, str | int | float | bool) for item in items):
            inner.fail(f"must be a value or a list of values, not {value!r}", key)
        found.append((key, tuple(cast("list[Scalar]", items))))
    return tuple(found)


def _drop(section: Section) -> Drop:
    drop = Drop(
        reason=section.text("reason"),
        column=section.text("column", ""),
        equals=_scalar(section, "equals"),
        null=section.flag("null"),
        time_ns=section.time_ns("time"),
    )
    by_column = (drop.equals is not None) + drop.null
    if drop.time_ns is not None:
        if drop.column or by_column:
            section.fail("either 'time', or 'column' with 'equals' or 'null'")
    elif not drop.column or by_column != 1:
        section.fail("needs 'time', or 'column' with 'equals' or 'null'")
    section.done()
    return drop


def _unpivot(section: Section) -> Unpivot | None:
    inner = section.table("unpivot")
    if inner is None:
        return None
    names = inner.table("columns")
    if names is None:
        inner.fail("is missing", "columns")
    columns = {key: names.text(key) for key in names.keys()}  # noqa: SIM118
    if len(set(columns.values())) != len(columns) or not columns:
        names.fail("must give each column a name of its own")
    rule = Unpivot(columns, inner.text("name", "name"), inner.text("value", "value"))
    inner.done()
    return rule
