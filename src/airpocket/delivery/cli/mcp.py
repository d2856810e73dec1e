"""`airpocket mcp`: the answers of the commands for language models, over stdin and stdout."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def mcp(
    *, store: Path = Path("store"), demo: Annotated[bool, Parameter(negative="")] = False
) -> int:
    """A read-only MCP server over one store, for a client that starts it; docs/mcp.md says how to add it.

    Args:
        store: Folder of the store.
        demo: The bundled SIMULATED market instead of a store.
    """
    from airpocket.domain.errors import MissingExtra, NothingKnown
    from airpocket.ingest.world import SystemClock

    try:
        from airpocket.delivery.mcp.server import serve_stdio
    except ImportError as error:
        raise MissingExtra("mcp", "mcp") from error
    if demo:
        from tempfile import TemporaryDirectory

        from airpocket.delivery.simulated import bundled_store

        with TemporaryDirectory(prefix="airpocket-mcp-") as place:
            bundled_store(Path(place))
            serve_stdio(Path(place), SystemClock())
        return 0
    if not store.is_dir():
        raise NothingKnown(f"no store at '{store}': record or import first, or try --demo")
    serve_stdio(store, SystemClock())
    return 0
