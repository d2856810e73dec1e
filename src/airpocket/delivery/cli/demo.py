"""`airpocket demo`: the whole brief on the bundled simulated market, offline."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from airpocket.ingest.lake import Lake


def demo(
    *,
    out: Path = Path("airpocket-demo"),
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """The brief on a simulated ETH market that ends in a short squeeze; no network, no keys.

    Args:
        out: Folder for the page and the simulated store.
        as_json: Print JSON instead of the terminal page.
    """
    import sys

    from airpocket.delivery.cli.brief import deliver
    from airpocket.delivery.warmup import compiling

    out.mkdir(parents=True, exist_ok=True)
    simulated_store(out / "store")
    page = out / "brief.html"
    with compiling():
        from airpocket.delivery.answers import brief_of

        found = brief_of("ETH", out / "store")
    deliver(found, html=page, md=None, as_json=as_json)
    sys.stderr.write(f"SIMULATED market; page: {page}; store: {out / 'store'}\n")
    return 0


def simulated_store(root: Path) -> "Lake":
    """A store holding the bundled simulated market; writing it again changes nothing."""
    from airpocket.ingest.lake import Lake, Table
    from airpocket.lab import bundled_tables

    lake = Lake(root)
    lake.write(Table(t.kind, t.venue, t.symbol, t.frame) for t in bundled_tables())
    return lake
