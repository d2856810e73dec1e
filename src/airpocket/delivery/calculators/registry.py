"""Finds a calculator by name, checks its inputs against its signature and asks it."""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeAlias, cast, get_type_hints

import msgspec

from airpocket.domain.errors import AirpocketError, BadInput

Calculator: TypeAlias = Callable[..., dict[str, object]]

_HERE = "airpocket.delivery.calculators"
_MODULES = ("margin", "cascade", "levels", "options")


@dataclass(frozen=True, slots=True)
class Entry:
    """One calculator: what it answers, the inputs it takes, and whether they go in as one record."""

    name: str
    about: str
    inputs: type[msgspec.Struct]
    function: Calculator
    as_record: bool

    @property
    def fields(self) -> tuple[msgspec.structs.FieldInfo, ...]:
        return msgspec.structs.fields(self.inputs)


def calculators() -> dict[str, Entry]:
    """Every calculator by name, in the order of the modules."""
    found: dict[str, Entry] = {}
    for module in _MODULES:
        table = cast("Mapping[str, Calculator]", import_module(f"{_HERE}.{module}").CALCULATORS)
        found |= {name: _entry(name, function) for name, function in table.items()}
    return found


def entry_of(name: str) -> Entry:
    """The calculator of this name.

    Raises:
        BadInput: there is none.
    """
    known = calculators()
    if name not in known:
        raise BadInput(f"no calculator is called '{name}'; there are: {', '.join(known)}")
    return known[name]


def answer(name: str, inputs: Mapping[str, object], *, as_text: bool = False) -> dict[str, object]:
    """What a calculator says; values may be text that holds numbers where `as_text` is set.

    Raises:
        BadInput: an input is missing, unknown, of the wrong type or impossible, or has no finite answer;
            the message names it.
    """
    return answer_of(entry_of(name), inputs, as_text=as_text)


def answer_of(entry: Entry, inputs: object, *, as_text: bool = False) -> dict[str, object]:
    """`answer` with the calculator looked up already."""
    try:
        record = msgspec.convert(inputs, entry.inputs, strict=not as_text)
    except msgspec.ValidationError as error:
        raise BadInput(f"{entry.name}: {error}") from error
    _refuse_endless(entry, record)
    try:
        said = _ask(entry, record)
    except AirpocketError:
        raise
    except (ArithmeticError, IndexError, ValueError) as error:
        raise BadInput(f"{entry.name}: these inputs have no answer ({error})") from error
    plain = cast("dict[str, object]", msgspec.to_builtins(said, enc_hook=_plain))
    if not all(_finite(value) for value in plain.values()):
        raise BadInput(f"{entry.name}: these inputs have no finite answer")
    return plain


def _ask(entry: Entry, record: msgspec.Struct) -> dict[str, object]:
    if entry.as_record:
        return entry.function(record)
    return entry.function(**{field.name: getattr(record, field.name) for field in entry.fields})


def _entry(name: str, function: Calculator) -> Entry:
    hints = get_type_hints(function, include_extras=True)
    parameters = list(inspect.signature(function).parameters.values())
    about = (inspect.getdoc(function) or "").split("\n", 1)[0]
    first = hints.get(parameters[0].name)
    if len(parameters) == 1 and isinstance(first, type) and issubclass(first, msgspec.Struct):
        return Entry(name, about, first, function, as_record=True)
    fields = [
        (one.name, hints[one.name])
        if one.default is inspect.Parameter.empty
        else (one.name, hints[one.name], one.default)
        for one in parameters
    ]
    inputs = msgspec.defstruct(
        name, cast("Any", fields), kw_only=True, frozen=True, forbid_unknown_fields=True
    )
    return Entry(name, about, inputs, function, as_record=False)


def _refuse_endless(entry: Entry, record: msgspec.Struct) -> None:
    for field in entry.fields:
        if not _finite(getattr(record, field.name)):
            raise BadInput(f"{entry.name}: {field.name} must be a finite number")


def _finite(value: object) -> bool:
    """No NaN or infinity anywhere inside."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, msgspec.Struct):
        return all(_finite(getattr(value, name)) for name in value.__struct_fields__)
    if isinstance(value, (list, tuple)):
        return all(_finite(one) for one in cast("list[object]", value))
    return True


def _plain(value: object) -> object:
    """NumPy's scalars and arrays as plain numbers and lists."""
    tolist = getattr(value, "tolist", None)
    if tolist is None:
        raise BadInput(f"a calculator answered with a {type(value).__name__}")
    return tolist()
