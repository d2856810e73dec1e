"""`airpocket cascade ASSET`: the scan of the brief, or with a question the paths that answer it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from airpocket.delivery.cli.asked import amount_usd, percent
from airpocket.delivery.cli.common import check_asof, stored_brief

if TYPE_CHECKING:
    from airpocket.brief.model import Brief
    from airpocket.cascade.deals import PathSettings, Push


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Question:
    """What if.

    Attributes:
        push: Buying for so many USD within a minute, such as 50M; -50M sells.
        shock: A jump at once, in per cent: +3% or -2%.
        to: A jump at once to this price (`--break`).
        drop_depth: So much of the book is gone: 60%.
        venue: Place it on this venue alone, such as bybit; may be given again.
        spot: Place it on spot.
        minutes: How long each path runs.
        paths: How many paths.
        seed: Of the noise; the same seed gives the same answer.
        trail: Also look up where the market stood on the phase diagram over this long: 24h, 3d. Takes a while.
        svg: Also write the fan of paths and the phase diagram to this file.
        png: The same with stop levels and venues (needs the extra [pictures]).
    """

    push: Annotated[str, Parameter(allow_leading_hyphen=True)] = ""
    shock: Annotated[str, Parameter(allow_leading_hyphen=True)] = ""
    to: Annotated[float | None, Parameter(name="--break")] = None
    drop_depth: str = ""
    venue: Annotated[tuple[str, ...], Parameter(negative="")] = ()
    spot: Annotated[bool, Parameter(negative="")] = False
    minutes: float = 15.0
    paths: int = 20_480
    seed: int = 0
    trail: str = ""
    svg: Path | None = None
    png: Path | None = None

    @property
    def asked(self) -> bool:
        """Whether anything is asked at all."""
        return bool(self.push or self.shock or self.drop_depth) or self.to is not None


def cascade(
    asset: str,
    *,
    question: Question | None = None,
    asof: str | None = None,
    store: Path = Path("store"),
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """What a push costs each way and where forced flow carries it; or, with a question, what if.

    Args:
        asset: The coin, such as ETH.
        question: What if; without one the scan of the brief is shown.
        asof: The moment, with its time zone: 2025-10-10T20:00Z. Default: the newest price stored.
        store: Folder of the store.
        as_json: Print JSON instead of the terminal page.
    """
    import sys

    if question is None or not question.asked:
        sys.stdout.write(_section(stored_brief(asset, store, asof), as_json=as_json))
        return 0
    check_asof(asof)
    push, how = _read(question)
    sys.stdout.write(_answer(asset, store, asof, question, push, how, as_json=as_json))
    for path in (question.svg, question.png):
        if path is not None:
            sys.stderr.write(f"wrote {path}\n")
    return 0


def _read(asked: Question) -> "tuple[Push, PathSettings]":
    from airpocket.cascade.deals import PathSettings, Push
    from airpocket.cascade.paths import LANES, Course
    from airpocket.domain.errors import BadInput

    if asked.shock and asked.to is not None:
        raise BadInput("--shock and --break both say where price jumps to: give one")
    if asked.spot and asked.venue:
        raise BadInput("--spot and --venue both say where the push is placed: give one")
    if asked.to is not None and not 0.0 < asked.to < 1e12:
        raise BadInput(f"--break {asked.to:g}: a price above zero was expected")
    if not 1.0 <= asked.minutes <= 24.0 * 60.0:
        raise BadInput(f"--minutes {asked.minutes:g}: between 1 and 1440 were expected")
    if not LANES <= asked.paths <= 10_000_000:
        raise BadInput(f"--paths {asked.paths}: between {LANES} and 10,000,000 were expected")
    if not 0 <= asked.seed < 2**32:
        raise BadInput(f"--seed {asked.seed}: a whole number below 4,294,967,296 was expected")
    import math

    jump = percent("--shock", asked.shock, low=-90.0, high=900.0) if asked.shock else 0.0
    gone = (
        percent("--drop-depth", asked.drop_depth, low=-0.001, high=100.0)
        if asked.drop_depth
        else 0.0
    )
    push = Push(
        usd=amount_usd("--push", asked.push) if asked.push else 0.0,
        jump=math.log1p(jump / 100.0), depth=1.0 - max(gone, 0.0) / 100.0, spot=asked.spot,
    )  # fmt: skip
    steps = round(60.0 * asked.minutes)
    course = Course(steps=steps, push_s=60.0, marks=min(60, steps), seed=asked.seed)
    return push, PathSettings(paths=asked.paths, course=course)


def _answer(
    asset: str, store: Path, asof: str | None, asked: Question, push: "Push", how: "PathSettings",
    *, as_json: bool,
) -> str:  # fmt: skip
    from rich.console import Console

    from airpocket.brief import terminal, whatif_json, whatif_page
    from airpocket.delivery.files import write_bytes, write_text
    from airpocket.delivery.warmup import compiling

    with compiling():
        from airpocket.delivery.whatif import what_if_of, with_trail

        found, simulated = what_if_of(
            asset, store, push, asof, how, break_price=asked.to, venues=asked.venue
        )
        if span := _span(asked.trail):
            found = with_trail(found, asset, store, span, how)
    if asked.svg is not None:
        from airpocket.brief.whatif_picture import picture

        write_text(asked.svg, picture(asset.upper(), found, simulated=simulated))
    if asked.png is not None:
        from airpocket.delivery import whatif_picture

        write_bytes(asked.png, whatif_picture.picture(asset.upper(), found, simulated=simulated))
    if as_json:
        return whatif_json.render(asset.upper(), found, simulated=simulated).decode()
    console = Console()
    return terminal.sheet(
        whatif_page.answer(asset.upper(), found), whatif_page.head_line(found),
        whatif_page.parts(asset.upper(), found), simulated=simulated,
        width=min(console.width, 120) if console.is_terminal else 100,
        colour=console.is_terminal and not console.no_color,
    )  # fmt: skip


def _span(text: str) -> int:
    from airpocket.domain.errors import BadInput
    from airpocket.domain.units import parse_interval

    if not text:
        return 0
    try:
        return int(parse_interval(text))
    except ValueError as error:
        raise BadInput(f"--trail: {error}") from error


def _section(brief: "Brief", *, as_json: bool) -> str:
    if as_json:
        import msgspec

        from airpocket.brief import as_json as json_form

        whole = msgspec.json.decode(json_form.render(brief))
        kept = {key: whole[key] for key in ("schema", "asset", "as_of", "cascade")}
        kept["simulated"] = brief.health.simulated
        return msgspec.json.format(msgspec.json.encode(kept)).decode() + "\n"
    from rich.console import Console

    from airpocket.brief import page, terminal

    console = Console()
    width = min(console.width, 120) if console.is_terminal else 100
    parts = [part for part in page.parts(brief, every_channel=False) if part.id == "cascade"]
    return terminal.sheet(
        brief.answer,
        page.price_line(brief),
        parts,
        simulated=brief.health.simulated,
        width=width,
        colour=console.is_terminal and not console.no_color,
    )
