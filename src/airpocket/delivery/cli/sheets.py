"""What commands that answer a position file share: the moment and store asked for, and how sheets leave."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol, TypeVar

from cyclopts import Parameter

if TYPE_CHECKING:
    from airpocket.brief.blocks import Part

_WIDEST, _UNTOLD = 120, 100  # columns: of a terminal that is wider, and of what is no terminal


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Asked:
    """The moment, the store and the form of the answer; each field is a flag.

    Args:
        asof: The moment, with its time zone: 2025-10-10T20:00Z. Default: the newest price stored.
        store: Folder of the store.
        md: Also write Markdown to this file.
        as_json: Print JSON instead of the terminal page.
    """

    asof: str | None = None
    store: Path = Path("store")
    md: Path | None = None
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False


AS_USUAL = Asked()


class _Sheet(Protocol):
    """The answer on one position or account."""

    @property
    def answer(self) -> str: ...
    @property
    def simulated(self) -> bool: ...


Sheet = TypeVar("Sheet", bound=_Sheet)


def put_out(
    found: Sequence[Sheet], asked: Asked, as_json: Callable[[Sequence[Sheet]], bytes],
    head_line: Callable[[Sheet], str], parts: "Callable[[Sheet], list[Part]]", *,
    glance: "Callable[[Sheet], list[Part]] | None" = None, drawn: tuple[Path, bytes] | None = None,
) -> int:  # fmt: skip
    """Write the files asked for and print the sheets; the exit code.

    Args:
        head_line, parts: of a sheet's page.
        glance: the parts that the terminal shows, where they are not all.
        drawn: a picture and its place.
    """
    from airpocket.delivery.files import write_bytes, write_text

    written: list[Path] = []
    if asked.md is not None:
        write_text(asked.md, _as_markdown(found, head_line, parts))
        written.append(asked.md)
    if drawn is not None:
        write_bytes(*drawn)
        written.append(drawn[0])
    if asked.as_json:
        sys.stdout.write(as_json(found).decode())
    else:
        sys.stdout.write(_as_pages(found, head_line, glance or parts))
    for path in written:
        sys.stderr.write(f"wrote {path}\n")
    return 0


def _as_markdown(
    found: Sequence[Sheet],
    head_line: Callable[[Sheet], str],
    parts: "Callable[[Sheet], list[Part]]",
) -> str:
    from airpocket.brief import markdown

    return "\n".join(
        markdown.sheet(each.answer, head_line(each), parts(each), simulated=each.simulated)
        for each in found
    )


def _as_pages(
    found: Sequence[Sheet],
    head_line: Callable[[Sheet], str],
    parts: "Callable[[Sheet], list[Part]]",
) -> str:
    from rich.console import Console

    from airpocket.brief import terminal

    console = Console()
    width = min(console.width, _WIDEST) if console.is_terminal else _UNTOLD
    colour = console.is_terminal and not console.no_color
    return "\n\n".join(
        terminal.sheet(
            each.answer, head_line(each), parts(each), simulated=each.simulated, width=width, colour=colour
        )
        for each in found
    )  # fmt: skip
