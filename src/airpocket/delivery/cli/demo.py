"""`airpocket demo`: the whole brief on a recorded session of the lab, offline."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def demo(
    *,
    out: Path = Path("airpocket-demo"),
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """The brief on a simulated ETH market that ends in a short squeeze; no network, no keys.

    Five recorded minutes of the lab's venues go through the same reader, decoders and state as a live
    recording, after an imported history that is simulated too.

    Args:
        out: Folder for the page and the simulated store.
        as_json: Print JSON instead of the terminal page.
    """
    import sys

    from airpocket.delivery.cli.brief import deliver
    from airpocket.delivery.warmup import compiling

    out.mkdir(parents=True, exist_ok=True)
    page, store = out / "brief.html", out / "store"
    with compiling():
        from airpocket.delivery.answers import brief_of
        from airpocket.delivery.demonstration import ASSET, demo_store

        _, played = demo_store(store)
        found = brief_of(ASSET, store)
    deliver(found, html=page, md=None, as_json=as_json)
    sys.stderr.write(
        f"SIMULATED market: {played.frames:,} recorded frames, {played.events:,} events;"
        f" page: {page}; store: {store}\n"
    )
    return 0
