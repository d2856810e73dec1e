"""The command `airpocket calc`: one closed form of the models, from flags or from JSON lines."""

import sys
from collections.abc import Iterable, Sequence
from typing import IO, TYPE_CHECKING, Annotated, cast

from cyclopts import Parameter

from airpocket.domain.errors import AirpocketError, BadInput

if TYPE_CHECKING:
    from airpocket.delivery.calculators.registry import Entry

HELP = """Usage: airpocket calc FUNCTION --input value ... [--json]
       airpocket calc FUNCTION --jsonl < inputs.jsonl
       airpocket calc --list

One closed form of the models: margin and funding, the cascade, levels.

Inputs are flags (--entry-price-usd 3150 or --entry_price_usd=3150); units are in their names. Lists are
values with commas or a repeated flag; tables are JSON. "none" (null in JSON): no such value exists, as the
liquidation price of a position that is never liquidated.

  FUNCTION --help  What a function takes.
  --list           Every function with its inputs.
  --json           Answer as one JSON object.
  --jsonl          Read one JSON object per line from standard input and answer each line; a line that
                   can't be answered says {"error": ...}, and the exit status is then 1.
"""
_UNITS = (
    ("_usd_per_day", "USD a day"), ("_per_usd", "per USD"), ("_usd_m", "USD m"), ("_usd_bn", "USD bn"),
    ("_usd", "USD"), ("_coin", "coin"), ("_fraction", "fraction"), ("_percent", "%"), ("_x", "x"),
    ("_s", "s"), ("_hours", "h"), ("_days", "days"), ("_tau", "tau"),
)  # fmt: skip


def calc(*words: Annotated[str, Parameter(allow_leading_hyphen=True)]) -> int:
    """One closed form of the models, from flags or from JSON lines.

    Parameters
    ----------
    words
        The function and its inputs; `airpocket calc --help` says more.
    """
    if not words or words[0] in ("--help", "-h"):
        sys.stdout.write(HELP)
        return 0
    if words[0] == "--list":
        sys.stdout.write(_listing())
        return 0
    from airpocket.delivery.calculators.registry import answer_of, entry_of

    entry = entry_of(words[0])
    flags = _flags(words[1:])
    as_json, as_lines = flags.pop("json", None) is not None, flags.pop("jsonl", None) is not None
    if as_lines:
        if flags:
            raise BadInput(
                f"--jsonl takes its inputs from standard input, not --{next(iter(flags))}"
            )
        return _answer_lines(entry, sys.stdin.buffer, sys.stdout)
    if "help" in flags or not flags:
        sys.stdout.write(_usage(entry))
        return 0
    said = answer_of(entry, _values(entry, flags), as_text=True)
    sys.stdout.write(_json(said) if as_json else _table(said))
    return 0


def _answer_lines(entry: "Entry", source: Iterable[bytes], sink: IO[str]) -> int:
    """Answer each line at once; blank lines are passed over. Exit status 1 if any had no answer."""
    import msgspec

    from airpocket.delivery.calculators.registry import answer_of

    status = 0
    for line in source:
        if not line.strip():
            continue
        try:
            sink.write(_json(answer_of(entry, msgspec.json.decode(line))))
        except (AirpocketError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            sink.write(_json({"error": str(error)}))
            status = 1
        sink.flush()
    return status


def _flags(words: Sequence[str]) -> dict[str, list[str]]:
    """--side short --x=3 → names with underscores and their values, in the order given."""
    flags: dict[str, list[str]] = {}
    rest = iter(words)
    for word in rest:
        if not word.startswith("--") or word == "--":
            raise BadInput(f"'{word}' is no flag; inputs are written --name value")
        name, equals, value = word[2:].partition("=")
        name = name.replace("-", "_")
        if name in ("json", "jsonl", "help"):
            if equals:
                raise BadInput(f"--{name} takes no value")
            flags[name] = []
            continue
        if not equals:
            value = next(rest, "--")
            if value.startswith("--"):
                raise BadInput(f"--{name.replace('_', '-')} needs a value")
        flags.setdefault(name, []).append(value)
    return flags


def _values(entry: "Entry", flags: dict[str, list[str]]) -> dict[str, object]:
    """Flag texts as what the inputs are: lists where commas or repetition say so, JSON where it is."""
    import msgspec

    lists = {field.name for field in entry.fields if _is_list(field.type)}
    values: dict[str, object] = {}
    for name, texts in flags.items():
        text = texts[0]
        if len(texts) > 1:
            values[name] = texts
        elif text.startswith(("[", "{")):
            try:
                values[name] = msgspec.json.decode(text)
            except msgspec.DecodeError as error:
                raise BadInput(f"--{name.replace('_', '-')} is not JSON: {error}") from error
        elif "," in text or name in lists:
            values[name] = [part.strip() for part in text.split(",")]
        else:
            values[name] = text
    return values


def _is_list(kind: object) -> bool:
    from msgspec import inspect

    info = inspect.type_info(kind)
    if isinstance(info, inspect.UnionType):
        return all(isinstance(one, (inspect.ListType, inspect.NoneType)) for one in info.types)
    return isinstance(info, inspect.ListType)


def _listing() -> str:
    from airpocket.delivery.calculators.registry import calculators

    lines: list[str] = []
    for entry in calculators().values():
        inputs = ", ".join(
            field.name if field.required else f"[{field.name}]" for field in entry.fields
        )
        lines += [entry.name, f"    {entry.about}", f"    {inputs}"]
    return "\n".join(lines) + "\n"


def _usage(entry: "Entry") -> str:
    lines = [
        f"Usage: airpocket calc {entry.name} --input value ...",
        "",
        entry.about,
        "",
        "Inputs:",
    ]
    width = max(len(field.name) for field in entry.fields) + 2
    for field in entry.fields:
        need = "needed" if field.required else "optional"
        flag = "--" + field.name.replace("_", "-")
        lines.append(f"  {flag:<{width}}  {need:<8}  {_kind_of(field.type)}")
    return "\n".join(lines) + "\n"


def _kind_of(kind: object) -> str:
    """What a value may be, in words: number above 0, one of long, short, ..."""
    from msgspec import inspect

    return " or ".join(
        dict.fromkeys(
            _word_for(one)
            for one in _members(inspect.type_info(kind))
            if not isinstance(one, inspect.NoneType)
        )
    )


def _members(info: object) -> tuple[object, ...]:
    from msgspec import inspect

    return info.types if isinstance(info, inspect.UnionType) else (info,)


def _word_for(info: object) -> str:
    from msgspec import inspect

    if isinstance(info, inspect.LiteralType):
        return ", ".join(str(value) for value in info.values)
    if isinstance(info, inspect.ListType):
        return f"list of {_word_for(info.item_type)}"
    if isinstance(info, inspect.StructType):
        return "JSON object with " + ", ".join(field.name for field in info.fields)
    if isinstance(info, (inspect.FloatType, inspect.IntType)):
        word = "number" if isinstance(info, inspect.FloatType) else "whole number"
        bounds = (
            ("above", info.gt),
            ("at least", info.ge),
            ("below", info.lt),
            ("at most", info.le),
        )
        limits = [f"{name} {bound:g}" for name, bound in bounds if bound is not None]
        return " ".join([word, " and ".join(limits)]).strip()
    return "text" if isinstance(info, inspect.StrType) else "value"


def _json(said: dict[str, object]) -> str:
    import msgspec

    return msgspec.json.encode(said).decode() + "\n"


def _table(said: dict[str, object]) -> str:
    """name, value, unit in columns; the unit comes from the name's ending."""
    cells = [(name, _shown(value), _unit(name)) for name, value in said.items()]
    wide = [max(len(row[k]) for row in cells) for k in (0, 1)] if cells else [0, 0]
    rows = [
        f"{name:<{wide[0]}}  {value:>{wide[1]}}  {unit}".rstrip() for name, value, unit in cells
    ]
    return "\n".join(rows) + "\n"


def _unit(name: str) -> str:
    return next((unit for ending, unit in _UNITS if name.endswith(ending)), "")


def _shown(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, list):
        return ", ".join(_shown(one) for one in cast("list[object]", value))
    return str(value)
