"""The brief for a terminal: plain text of a given width, readable without colour."""

import io
import math

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from airpocket.brief import page, words
from airpocket.brief.blocks import Part
from airpocket.brief.model import Brief
from airpocket.domain.estimates import Estimate
from airpocket.domain.tells import Graded, Reading, Tell

NARROWEST = 40
_GAP = 2
_TRUST = 18  # 'model, 120 min old'
_MET = 7  # 'not met'
_LONG_WORD = 18
_TABLE_FROM = 80  # below this many columns a table row becomes a few lines
_STATES = {
    "firing": "bold red", "squeeze on": "bold red", "ignition": "bold red", "armed": "bold yellow",
    "met": "bold green", "ok": "green", "stale": "yellow", "gap": "yellow", "waiting": "",
    "not met": "dim", "quiet": "dim", words.UNKNOWN: "italic dim",
}  # fmt: skip


def render(brief: Brief, *, width: int, colour: bool) -> str:
    """The brief as text at most `width` columns wide (never narrower than 40), ending in a newline."""
    return sheet(
        brief.answer, page.price_line(brief), page.parts(brief, every_channel=False),
        simulated=brief.health.simulated, width=width, colour=colour,
    )  # fmt: skip


def sheet(
    answer: str, line: str, parts: list[Part], *, simulated: bool, width: int, colour: bool
) -> str:
    """Any page of parts as text: the answer, a line under it, then every part."""
    console = Console(
        file=io.StringIO(),
        width=max(width, NARROWEST),
        color_system="standard" if colour else None,
        force_terminal=colour,
        force_interactive=False,
        no_color=not colour,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
        _environ={},  # the caller decides about colour and width, not the environment
    )
    with console.capture() as captured:
        _head(console, answer, line, simulated=simulated)
        for part in parts:
            console.print()
            console.print(Rule(_text(part.heading.upper(), "bold"), align="left", style="dim"))
            for block in part.blocks:
                _block(console, block)
    return "\n".join(line.rstrip() for line in captured.get().split("\n"))


def _text(text: str, style: str = "") -> Text:
    return Text(words.plain(text), style=style, overflow="fold")


def _head(console: Console, answer: str, line: str, *, simulated: bool) -> None:
    if simulated:
        console.print(_text(f"*** {words.SIMULATED} ***", "bold reverse"))
    console.print(_text(answer, "bold"))
    console.print(_text(line))


def _block(console: Console, block: page.Block) -> None:
    match block:
        case page.Words():
            style = _state_style(block.text) or "bold" if block.strong else ""
            console.print(_text(block.text, style))
        case page.Points():
            _points(console, block.heading, block.items)
        case page.Grid():
            _grid(console, block)
        case page.Facts():
            _facts(console, block.caption, block.tells, indent=0)
        case Reading():
            _reading(console, block)


def _state_style(state: str) -> str:
    return _STATES.get("unknown" if state.startswith(words.UNKNOWN) else state.lower(), "")


def _points(console: Console, heading: str, items: list[str], indent: int = 0) -> None:
    if heading:
        console.print(Padding(_text(f"{heading}:"), (0, 0, 0, indent)))
    for item in items:
        bullet = Table.grid(padding=(0, 1, 0, 0))
        bullet.add_column(width=1)
        bullet.add_column(overflow="fold")
        bullet.add_row("-", _text(item))
        console.print(Padding(bullet, (0, 0, 0, indent), expand=False))


def _reading(console: Console, reading: Reading) -> None:
    console.print()
    refs = f"  [{', '.join(words.plain(ref) for ref in reading.refs)}]" if reading.refs else ""
    state = words.name(reading.state)
    title = Text.assemble(
        (words.plain(reading.title), "bold"),
        ": ",
        (state.upper(), _state_style(state) or "bold"),
        (refs, "dim"),
    )
    title.overflow = "fold"
    console.print(title)
    _points(console, "", reading.because, indent=2)
    if isinstance(reading, Graded):
        lines = (
            ("Implies", reading.implication),
            ("Odds", reading.odds),
            ("Record", reading.record),
        )
        _lines(console, [(label, _text(text)) for label, text in lines if text], indent=2)
    if reading.tells:
        _facts(console, "", reading.tells, indent=2)


def _lines(console: Console, pairs: list[tuple[str, Text]], indent: int) -> None:
    """'Label: text' lines with a hanging indent."""
    for label, text in pairs:
        line = Text.assemble((f"{words.plain(label)}: ", "dim"), text)
        line.overflow = "fold"
        console.print(Padding(line, (0, 0, 0, indent)))


def _figure(estimate: Estimate) -> Text:
    style = "italic dim" if estimate.value is None else "bold"
    between = words.interval(estimate)
    text = Text(words.value(estimate), style=style, overflow="fold")
    return text.append(f" ({between})", "not bold") if between else text


def _whole(estimate: Estimate) -> Text:
    text, trust = _figure(estimate), words.trust(estimate)
    return text.append(f" [{trust}]", "not bold") if trust else text


def _cell(cell: page.Cell) -> Text:
    return _whole(cell) if isinstance(cell, Estimate) else _text(cell, _state_style(cell))


def _table(titles: list[str], widths: list[int]) -> Table:
    table = Table(box=None, padding=(0, _GAP, 0, 0), header_style="dim", pad_edge=False)
    for title, width in zip(titles, widths, strict=True):
        table.add_column(title, width=width, overflow="fold")
    return table


def _facts(console: Console, caption: str, tells: list[Tell], indent: int) -> None:
    if caption:
        console.print(_text(f"{caption}:"))
    if console.width < _TABLE_FROM:
        _told(console, tells, indent)
        return
    conditions = any(words.met(tell) for tell in tells)
    room = console.width - indent - _TRUST - (4 * _GAP + _MET if conditions else 2 * _GAP)
    label, value = room * 3 // 10, room * 4 // 10
    titles, widths = ["Figure", "Value", "From, age"], [label, value, _TRUST]
    if conditions:
        titles, widths = [*titles, "Speaks when", ""], [*widths, room - label - value, _MET]
    table = _table(titles, widths)
    for tell in tells:
        row = [_text(tell.label), _figure(tell.estimate), _text(words.trust(tell.estimate))]
        met = _text(words.met(tell), _state_style(words.met(tell)))
        table.add_row(*row, *([_text(tell.condition), met] if conditions else []))
    console.print(Padding(table, (0, 0, 0, indent)))


def _told(console: Console, tells: list[Tell], indent: int) -> None:
    """Tells as lines, for narrow terminals."""
    for tell in tells:
        _lines(console, [(tell.label, _whole(tell.estimate))], indent)
        if words.met(tell):
            met = words.met(tell)
            console.print(
                Padding(_text(f"{tell.condition}: {met}", _state_style(met)), (0, 0, 0, indent + 2))
            )


def _grid(console: Console, grid: page.Grid) -> None:
    if grid.caption:
        console.print(_text(f"{grid.caption}:"))
    rows = [[_cell(cell) for cell in row] for row in grid.rows]
    widths = _widths([list(map(Text, grid.columns)), *rows], console.width)
    if console.width < _TABLE_FROM or widths is None:
        _stacked(console, grid)
        return
    table = _table(list(grid.columns), widths)
    for at, row in enumerate(rows):
        table.add_row(*row, style="reverse" if at == grid.marked else "")
    console.print(table)


def _widths(rows: list[list[Text]], room: int) -> list[int] | None:
    """Column widths that fit `room` and break no ordinary word; None when there are none."""
    columns = list(zip(*rows, strict=True))
    floors = [max(_longest_word(cell) for cell in column) for column in columns]
    wishes = [max(cell.cell_len for cell in column) for column in columns]
    spare = room - sum(floors) - _GAP * (len(columns) - 1)
    if spare < 0:
        return None
    wanted = [max(0, wish - floor) for wish, floor in zip(wishes, floors, strict=True)]
    if sum(wanted) <= spare:
        return wishes
    shares = [math.sqrt(more) for more in wanted]  # a long cell may wrap before a short one does
    return [
        floor + min(more, int(spare * share / sum(shares)))
        for floor, more, share in zip(floors, wanted, shares, strict=True)
    ]


def _longest_word(cell: Text) -> int:
    return min(_LONG_WORD, max((cell_len(word) for word in cell.plain.split()), default=1))


def _stacked(console: Console, grid: page.Grid) -> None:
    """A row as its first cell, then 'column: cell' lines: for narrow terminals."""
    for at, row in enumerate(grid.rows):
        first = _cell(row[0])
        first.stylize("reverse" if at == grid.marked else "bold")
        console.print(first)
        pairs = zip(grid.columns[1:], row[1:], strict=True)
        _lines(console, [(column, _cell(cell)) for column, cell in pairs if cell != ""], indent=2)
