"""The command line: one short function per command, loaded only when called."""

import os
import sys
from collections.abc import Sequence

from cyclopts import App

from airpocket import __version__
from airpocket.domain.errors import AirpocketError

_HERE = "airpocket.delivery.cli"


def build() -> App:
    """The command tree; commands are import strings, so that --help loads nothing heavy."""
    app = App(
        name="airpocket",
        help="Forced-flow risk in crypto perpetuals: who is forced out, where, and what follows.",
        version=__version__,
        help_format="plaintext",
    )
    app.command(f"{_HERE}.demo:demo", name="demo")
    app.command(f"{_HERE}.brief:brief", name="brief")
    app.command(f"{_HERE}.import_:import_", name="import")
    app.command(f"{_HERE}.backfill:backfill", name="backfill")
    store = App(name="store", help="What the store holds, and whether it is intact.")
    for name in ("ls", "verify", "sql"):
        store.command(f"{_HERE}.store:{name}", name=name)
    app.command(store)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status (0 well; domain/errors.py lists the others)."""
    _keep_compiled_kernels()
    try:
        status = build()(arguments, result_action="return_value")
    except AirpocketError as error:
        sys.stderr.write(f"airpocket: {error}\n")
        return error.exit_status
    except BrokenPipeError:
        return 1  # the reader of our output left
    except KeyboardInterrupt:
        sys.stderr.write("airpocket: interrupted\n")
        return 130
    return status if isinstance(status, int) else 0


def _keep_compiled_kernels() -> None:
    """Compiled kernels go to the user's cache, so that an installed package folder may be read-only."""
    if "NUMBA_CACHE_DIR" not in os.environ:
        from platformdirs import user_cache_dir

        os.environ["NUMBA_CACHE_DIR"] = user_cache_dir("airpocket")
