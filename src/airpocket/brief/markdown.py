"""The brief as GitHub-style Markdown; text from outside can't open a link, a tag, a table or a formula."""

import re

from airpocket.brief import page, words
from airpocket.brief.blocks import Part
from airpocket.brief.model import Brief
from airpocket.domain.estimates import Estimate
from airpocket.domain.tells import Graded, Reading, Tell

_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~$@])")
_ADDRESS = re.compile(r"(?i)(www)(?=\.)|:(?=//)")
_OPENING = re.compile(r"^(?=[-+=!])|^(\d+)(?=[.)])")


def render(brief: Brief) -> str:
    """The brief as Markdown, ending in a newline."""
    parts = page.parts(brief, every_channel=True)
    return sheet(brief.answer, page.price_line(brief), parts, simulated=brief.health.simulated)


def sheet(answer: str, line: str, parts: list[Part], *, simulated: bool) -> str:
    """Any page of parts as Markdown: the answer, a line under it, then every part."""
    lines: list[str] = []
    if simulated:
        lines += [f"> **{escape(words.SIMULATED)}**", ""]
    lines += [f"# {opening(answer)}", "", opening(line), ""]
    for part in parts:
        lines += [f"## {part.heading}", ""]
        for block in part.blocks:
            lines += [*_block(block), ""]
    return "\n".join(lines).rstrip() + "\n"


def escape(text: str) -> str:
    """Text as itself: Markdown, HTML, formulas, mentions and bare addresses lose their meaning."""
    quiet = _SPECIAL.sub(r"\\\1", words.plain(text))
    quiet = quiet.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _ADDRESS.sub(lambda found: f"{found[1]}\\" if found[1] else r"\:", quiet)


def opening(text: str) -> str:
    """Escaped text that begins a line: it can't open a list, a rule or a heading either."""
    return _OPENING.sub(lambda found: f"{found[1] or ''}\\", escape(text))


def _block(block: page.Block) -> list[str]:
    match block:
        case page.Words():
            return [f"**{escape(block.text)}**" if block.strong else opening(block.text)]
        case page.Points():
            return _points(block.heading, block.items)
        case page.Grid():
            return _grid(block)
        case page.Facts():
            return _facts(block.caption, block.tells)
        case Reading():
            return _reading(block)


def _points(heading: str, items: list[str]) -> list[str]:
    head = [f"{opening(heading)}:", ""] if heading else []
    return [*head, *(f"- {opening(item)}" for item in items)]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _table(columns: list[str], rows: list[list[str]]) -> list[str]:
    return [_row(columns), _row(["---"] * len(columns)), *(_row(row) for row in rows)]


def _grid(grid: page.Grid) -> list[str]:
    caption = [f"{opening(grid.caption)}:", ""] if grid.caption else []
    rows: list[list[str]] = []
    for at, row in enumerate(grid.rows):
        cells = [escape(words.figure(cell) if isinstance(cell, Estimate) else cell) for cell in row]
        rows.append(
            [f"**{cell}**" if cell else "" for cell in cells] if at == grid.marked else cells
        )
    return [*caption, *_table([escape(column) for column in grid.columns], rows)]


def _facts(caption: str, tells: list[Tell]) -> list[str]:
    rows = [
        [
            escape(tell.label),
            escape(words.value(tell.estimate)),
            escape(words.interval(tell.estimate)),
            escape(words.trust(tell.estimate)),
            escape(tell.condition),
            words.met(tell),
        ]
        for tell in tells
    ]
    head = ["Figure", "Value", "Interval", "From, age", "Speaks when", "Met"]
    kept = [at for at in range(len(head)) if at < 2 or any(row[at] for row in rows)]
    table = _table([head[at] for at in kept], [[row[at] for at in kept] for row in rows])
    return [*([f"{opening(caption)}:", ""] if caption else []), *table]


def _reading(reading: Reading) -> list[str]:
    refs = f" ({escape(', '.join(reading.refs))})" if reading.refs else ""
    lines = [f"### {opening(reading.title)}: {escape(words.name(reading.state))}{refs}", ""]
    lines += [f"- {opening(each)}" for each in reading.because]
    if isinstance(reading, Graded):
        pairs = (
            ("Implies", reading.implication),
            ("Odds", reading.odds),
            ("Record", reading.record),
        )
        lines += [f"- {label}: {escape(text)}" for label, text in pairs if text]
    if reading.tells:
        lines += ["", *_facts("", reading.tells)]
    return lines
