"""The brief as one self-contained page: no request to anywhere, every text escaped, whole without its script."""

from base64 import b64encode
from hashlib import sha256
from html import escape

from airpocket.brief import page, words
from airpocket.brief.drivers_picture import drivers_picture
from airpocket.brief.heat import heat_picture
from airpocket.brief.html_style import STYLE
from airpocket.brief.model import Brief
from airpocket.brief.pictures import market_picture
from airpocket.brief.pushes_picture import pushes_picture
from airpocket.brief.scene import encoded, scene_of
from airpocket.domain.estimates import Estimate
from airpocket.domain.tells import Graded, Reading, Tell

_PICTURES = {
    "price": market_picture,
    "map": heat_picture,
    "cascade": pushes_picture,
    "flows": drivers_picture,
}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def render(brief: Brief, chart: str = "") -> str:
    """The whole page as text, to be written as UTF-8.

    chart: the script that draws the interactive chart (a module; it finds `airpocket-scene` and
    `airpocket-chart`). It is the only one that the page's policy lets run. Without it, or where scripts
    are off, the still pictures stand in its place.

    Raises:
        ValueError: the script can't stand in a page.
    """
    scene = scene_of(brief) if chart else None
    allowed = f"; script-src '{_fingerprint(chart)}'" if scene is not None else ""
    title = f"{_plain(brief.asset)} · {_plain(brief.as_of)}"
    banner = f'<p class="simulated">{_plain(words.SIMULATED)}</p>' if brief.health.simulated else ""
    sections = "".join(_part(part, brief) for part in page.parts(brief, every_channel=True))
    drawn, script = "", ""
    if scene is not None:
        drawn = '<div id="airpocket-chart" hidden></div>'
        script = (
            f'<script type="application/json" id="airpocket-scene">{encoded(scene)}</script>'
            f'<script type="module">{chart}</script>'
        )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY + allowed)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body>{banner}"
        f'<header><h1>{_plain(brief.answer)}</h1><p class="line">{_plain(page.price_line(brief))}</p>'
        f"{_board(brief)}</header>{drawn}"
        f"<main>{sections}</main>{script}</body></html>\n"
    )


def _fingerprint(script: str) -> str:
    """How a policy names the one script it allows (CSP level 3, hash-source)."""
    lower = script.lower()
    if "\r" in script or any(ends in lower for ends in ("</script", "<script", "<!--")):
        raise ValueError("the chart's script holds what would end it within a page")
    return f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}"


def _plain(text: str) -> str:
    return escape(words.plain(text))


def _board(brief: Brief) -> str:
    """The triggers as tiles: state in words, colour only repeats it."""
    tiles = "".join(
        f'<li class="tile {_class(row.state)}"><strong>{_plain(words.name(row.state))}</strong>'
        f"<span>{_plain(row.title)}</span><small>tells met: {_plain(page.tells_met(row))}</small></li>"
        for row in brief.triggers
    )
    return f'<ul class="board" aria-label="Triggers">{tiles}</ul>'


def _class(state: str) -> str:
    return state if state in ("firing", "armed", "quiet", "unknown") else "other"


def _part(part: page.Part, brief: Brief) -> str:
    drawn = _PICTURES.get(part.id)
    picture = "" if drawn is None else drawn(brief)
    blocks = "".join(_block(block) for block in part.blocks)
    return f'<section id="{escape(part.id)}"><h2>{_plain(part.heading)}</h2>{picture}{blocks}</section>'


def _block(block: page.Block) -> str:
    match block:
        case page.Words():
            text = _plain(block.text)
            return f"<p><strong>{text}</strong></p>" if block.strong else f"<p>{text}</p>"
        case page.Points():
            return _points(block.heading, block.items)
        case page.Grid():
            return _grid(block)
        case page.Facts():
            return _facts(block.caption, block.tells)
        case Reading():
            return _reading(block)


def _points(heading: str, items: list[str]) -> str:
    head = f"<h4>{_plain(heading)}</h4>" if heading else ""
    return f"{head}<ul>{''.join(f'<li>{_plain(item)}</li>' for item in items)}</ul>"


def _grid(grid: page.Grid) -> str:
    rows: list[str] = []
    for at, row in enumerate(grid.rows):
        mark = ' class="marked"' if at == grid.marked else ""
        cells = zip(grid.columns, row, strict=True)
        rows.append(f"<tr{mark}>{''.join(_cell(column, cell) for column, cell in cells)}</tr>")
    return _table("grid", grid.caption, grid.columns, rows)


def _table(name: str, caption: str, columns: tuple[str, ...], rows: list[str]) -> str:
    """A table that scrolls rather than widens the page; on a phone the style sheet stacks its cells."""
    titled = f"<caption>{_plain(caption)}</caption>" if caption else ""
    head = "".join(f'<th scope="col">{_plain(column)}</th>' for column in columns)
    return (
        f'<div class="wide"><table class="{name}">{titled}<thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _cell(column: str, cell: page.Cell) -> str:
    text = f"{_figure(cell)} {_trust(cell)}" if isinstance(cell, Estimate) else _plain(cell)
    return f'<td data-label="{_plain(column)}"><span>{text}</span></td>' if text else "<td></td>"


def _figure(estimate: Estimate) -> str:
    """Value and interval; unknown keeps its reason."""
    name = "figure" if estimate.known else "figure dark"
    interval = words.interval(estimate)
    span = f" <small>({_plain(interval)})</small>" if interval else ""
    return f'<span class="{name}">{_plain(words.value(estimate))}</span>{span}'


def _trust(estimate: Estimate) -> str:
    """Provenance and age as a badge, the source behind it on hover."""
    text = words.trust(estimate)
    if not text:
        return ""
    return f'<span class="badge" title="{_plain(estimate.source)}">{_plain(text)}</span>'


def _facts(caption: str, tells: list[Tell]) -> str:
    conditions = any(words.met(tell) for tell in tells)
    columns = ("Figure", "Value", "From, age", *(("Speaks when", "") if conditions else ()))
    return _table("facts", caption, columns, [_fact(tell, conditions=conditions) for tell in tells])


def _fact(tell: Tell, *, conditions: bool) -> str:
    estimate, met = tell.estimate, _plain(words.met(tell))
    held = (
        f'<td>{_plain(tell.condition)}</td><td class="met {met.replace(" ", "-")}">{met}</td>'
        if conditions
        else ""
    )
    return (
        f'<tr><th scope="row">{_plain(tell.label)}</th><td>{_figure(estimate)}</td>'
        f"<td>{_trust(estimate)}</td>{held}</tr>"
    )


def _reading(reading: Reading) -> str:
    refs = f" <small>{_plain(', '.join(reading.refs))}</small>" if reading.refs else ""
    lines = list(reading.because)
    if isinstance(reading, Graded):
        lines += [
            f"Implies: {reading.implication}",
            f"Odds: {reading.odds}",
            f"Record: {reading.record}",
        ]
    state = (
        f'<span class="state {_class(reading.state)}">{_plain(words.name(reading.state))}</span>'
    )
    return (
        f'<article><h3>{_plain(reading.title)}: {state}{refs}</h3>'
        f"{_points('', lines)}{_facts('', reading.tells) if reading.tells else ''}</article>"
    )  # fmt: skip
