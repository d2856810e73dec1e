"""`airpocket brief ASSET`: the brief from the store."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from airpocket.delivery.cli.common import stored_brief

if TYPE_CHECKING:
    from airpocket.brief.model import Brief


def brief(  # noqa: PLR0913 - one flag each
    asset: str,
    *,
    asof: str | None = None,
    store: Path = Path("store"),
    html: Path | None = None,
    md: Path | None = None,
    through: str = "",
    offline: Annotated[bool, Parameter(negative="")] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """What forced flow threatens an asset, from what the store knew at a moment.

    With nothing stored of the asset and no --asof, the venues are asked once, without keys.

    Args:
        asset: The coin, such as ETH.
        asof: The moment, with its time zone: 2025-10-10T20:00Z. Default: the newest price stored.
        store: Folder of the store.
        html: Also write a self-contained page to this file.
        md: Also write Markdown to this file.
        through: host:port to reach every venue through, such as a simulated market on this machine.
        offline: Ask no venue; the store alone answers.
        as_json: Print JSON instead of the terminal page.
    """
    found = _found(asset, store, asof, None if offline else through)
    deliver(found, html=html, md=md, as_json=as_json)
    return 0


def _found(asset: str, store: Path, asof: str | None, gate: str | None) -> "Brief":
    """From the store, else at a glance; `gate` None: from the store alone."""
    import sys

    from airpocket.domain.errors import NothingKnown

    try:
        return stored_brief(asset, store, asof)
    except NothingKnown as nothing:
        if asof is not None or gate is None:
            raise
        from airpocket.delivery.at_a_glance import brief_at_a_glance

        sys.stderr.write(f"{nothing}\nasking the venues, without keys …\n")
        try:
            return brief_at_a_glance(asset, gate)
        except NothingKnown as unanswered:
            raise NothingKnown(f"{nothing}; {unanswered}") from unanswered


def deliver(brief: "Brief", *, html: Path | None, md: Path | None, as_json: bool) -> None:
    """Print the brief and write the files asked for."""
    import sys

    from airpocket.delivery.files import write_text

    if html is not None:
        from airpocket.brief import html as html_form
        from airpocket.delivery.chart_script import chart_script

        write_text(html, html_form.render(brief, chart_script()))
    if md is not None:
        from airpocket.brief import markdown

        write_text(md, markdown.render(brief))
    sys.stdout.write(_as_json(brief) if as_json else _as_page(brief))
    for path in (html, md):
        if path is not None:
            sys.stderr.write(f"wrote {path}\n")


def _as_json(brief: "Brief") -> str:
    from airpocket.brief import as_json

    return as_json.render(brief).decode() + "\n"


def _as_page(brief: "Brief") -> str:
    from rich.console import Console

    from airpocket.brief import terminal

    console = Console()
    width = min(console.width, 120) if console.is_terminal else 100
    colour = console.is_terminal and not console.no_color
    return terminal.render(brief, width=width, colour=colour)
