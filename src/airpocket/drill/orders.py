"""What a trader may say in a drill, read strictly; and scripts of timed orders."""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from airpocket.domain.errors import BadInput

What: TypeAlias = Literal["reduce", "close", "stop", "unstop", "margin", "hedge", "unhedge", "quit"]

HELP = (
    "reduce 25% | reduce 10 | close | stop PRICE [25%] | unstop | margin USD | hedge long 10 | hedge short 50%"
    " | unhedge | quit"
)
_TIME = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{2})")


@dataclass(frozen=True, slots=True)
class Order:
    """One order as said. size: coin, or where `share` a fraction of the position; price and usd as named."""

    what: What
    text: str
    size: float = 0.0
    share: bool = False
    price: float = 0.0
    usd: float = 0.0
    side: Literal["long", "short", ""] = ""

    def coin(self, position_coin: float) -> float:
        """The size in coin, of a position of so many."""
        return self.size * position_coin if self.share else self.size


def parse(text: str) -> Order:
    """One order.

    Raises:
        BadInput: no such order, or a number that is none; says what there is.
    """
    words = text.lower().split()
    if not words:
        raise BadInput(f"no order; there are: {HELP}")
    said, rest = " ".join(words), words[1:]
    match words[0], len(rest):
        case ("close" | "unstop" | "unhedge" | "quit") as what, 0:
            return Order(what, said)
        case "reduce", 1:
            size, share = _size(rest[0], said)
            return Order("reduce", said, size=size, share=share)
        case "stop", 1:
            return Order("stop", said, size=1.0, share=True, price=_number(rest[0], said))
        case "stop", 2:
            size, share = _size(rest[1], said)
            return Order("stop", said, size=size, share=share, price=_number(rest[0], said))
        case "margin", 1:
            return Order("margin", said, usd=_number(rest[0], said))
        case "hedge", 2 if rest[0] in ("long", "short"):
            size, share = _size(rest[1], said)
            side: Literal["long", "short"] = "long" if rest[0] == "long" else "short"
            return Order("hedge", said, size=size, share=share, side=side)
        case _:
            raise BadInput(f"'{said}' is no order; there are: {HELP}")


def _size(text: str, said: str) -> tuple[float, bool]:
    if not text.endswith("%"):
        return _number(text, said), False
    share = _number(text[:-1], said) / 100.0
    if share > 1.0:
        raise BadInput(f"'{said}': {text} is more than all of it")
    return share, True


def _number(text: str, said: str) -> float:
    try:
        value = float(text.replace(",", "").replace("_", ""))
    except ValueError:
        value = math.nan
    if not 0.0 < value < 1e12:
        raise BadInput(f"'{said}': {text!r} is no number above 0")
    return value


def read_script(path: Path) -> list[tuple[int, Order]]:
    """Orders with their seconds from a file: `MM:SS order` or `H:MM:SS order` a line, # begins a comment.

    Raises:
        BadInput: unreadable, or a line is wrong; names file and line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: can't be read: {error}") from error
    found: list[tuple[int, Order]] = []
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        stamp, _, said = text.partition(" ")
        time = _TIME.fullmatch(stamp)
        if time is None or int(time[3]) > 59:
            raise BadInput(f"{path}, line {number}: '{stamp}' is no time such as 05:00 or 1:05:00")
        at = int(time[1] or 0) * 3_600 + int(time[2]) * 60 + int(time[3])
        if found and at < found[-1][0]:
            raise BadInput(f"{path}, line {number}: {stamp} is before the line above")
        try:
            found.append((at, parse(said)))
        except BadInput as error:
            raise BadInput(f"{path}, line {number}: {error}") from error
    return found
