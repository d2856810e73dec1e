"""How commands print: tables for people, JSON for programs, sentences; names of venues are never markup."""

import sys


def size_text(count: float) -> str:
    """Bytes, such as 1.2 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1_000:
            return f"{count:,.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1_000
    return f"{count:,.1f} TB"


def print_table(title: str, columns: list[str], rows: list[list[str]], *, right: set[str]) -> None:
    """A table on stdout; the columns named in `right` are set to the right."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        table.add_column(Text(name), justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        # Text: names from a venue are never markup, and control characters never reach the terminal
        table.add_row(*(Text(printable(cell)) for cell in row))
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(Text(title))
    console.print(table)


def printable(text: str) -> str:
    """The text with what a terminal would obey written out."""
    return text if text.isprintable() else repr(text)[1:-1]


def print_json(value: object) -> None:
    """One JSON document on stdout."""
    import msgspec

    sys.stdout.write(msgspec.json.encode(value, enc_hook=str).decode() + "\n")


def say(sentence: str) -> None:
    """One line on stdout."""
    sys.stdout.write(printable(sentence) + "\n")
