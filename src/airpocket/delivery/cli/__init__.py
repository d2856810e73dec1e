"""The command line: one short function per command, loaded only when called."""

import sys
from collections.abc import Sequence

from cyclopts import App

from airpocket import __version__
from airpocket.delivery.kernels import keep_kernels
from airpocket.domain.errors import AirpocketError

_HERE = "airpocket.delivery.cli"
_COMMANDS = (
    ("demo", "demo:demo", "The brief on a bundled SIMULATED market; no network, no keys."),
    (
        "drill",
        "drill:drill",
        "Hold a paper position through a SIMULATED squeeze; exits are scored.",
    ),
    ("brief", "brief:brief", "What forced flow threatens an asset, from what the store knew."),
    ("map", "map_:map_", "Who is forced out at which prices, as far as data can tell."),
    (
        "cascade",
        "cascade:cascade",
        "What a push costs each way, and where forced flow carries it; what if.",
    ),
    (
        "levels",
        "levels:levels",
        "Prices with a reason: zones, what they did, what would confirm them.",
    ),
    ("plan", "plan:plan", "What to do with the positions of a file, and what they survive."),
    ("stress", "stress:stress", "What every account of a position file survives, exits included."),
    (
        "hedge",
        "hedge:hedge",
        "What the positions of a file could be hedged with, and at what cost.",
    ),
    (
        "import",
        "import_:import_",
        "Tables and archives, described by mapping files, into the store.",
    ),
    ("serve", "serve:serve", "The dashboard and its API on this machine."),
    ("mcp", "mcp:mcp", "The answers of the commands for language models, read-only."),
    ("watch", "watch:watch", "Messages when the state of the market changes."),
    ("decode", "decode:decode", "What a venue's recorded frames say, one event a line."),
    ("record", "record:record", "Record live markets until stopped: raw frames and minutes."),
    ("census", "census:census", "What a venue's public accounts hold, into the store."),
    ("replay", "replay:replay", "A recorded log through the same decoders again."),
    ("tops", "tops:tops", "The best prices of a recorded book after each of its changes."),
    ("venues", "venues:venues", "Which venues can be heard, and how their channels are now."),
    ("doctor", "doctor:doctor", "What works on this machine, and what to do about the rest."),
    ("backfill", "backfill:backfill", "A venue's history over REST into the store."),
    ("archive", "archive:archive", "Files of a venue's public archive into the store."),
)
# reads its own flags: they differ by calculator
_CALC = ("calc", "calc:calc", "One closed form of the models: margin, funding, cascade, levels.")
_STORE_COMMANDS = (
    ("ls", "Every series the store holds."),
    ("verify", "Check every file against the manifest."),
    ("sql", "Ask the store in SQL."),
    ("seal", "Closed segments of the raw log into compressed, checksummed files."),
)


_LAB_COMMANDS = (
    ("run", "Run a simulated world from its file into tables, truth beside them."),
    ("serve", "Serve a simulated world on loopback, each venue in its own language."),
    ("facts", "Stylised facts of a simulated market, beside real figures."),
)
_FLOWS_COMMANDS = (
    ("show", "The drivers of an asset, their scores, what followed them, and the hinge."),
    ("collect", "Ask the sources and keep what is new, every vintage of it."),
    ("add", "Files of slow figures, transfers and calendars into the store."),
    ("sources", "Where slow drivers can be had, on what terms."),
)
_ACCOUNT_COMMANDS = (
    ("add", "Keep a read-only key of an exchange account, sealed."),
    ("ls", "Names of the accounts whose keys are kept."),
    ("read", "What an account holds, as a position file."),
    ("rm", "Forget a key."),
)
_EVALUATE_COMMANDS = (
    ("map", "map_", "The liquidation map against worlds whose positions are known."),
    ("impact", "impact", "What moves price and comes back, on known worlds and recorded data."),
    ("cascade", "cascade", "Where pushes of known size were said to stop, and where they did."),
    ("census", "census", "The liquidation map of a venue against what its accounts hold."),
    ("levels", "levels", "Every kind of level against placebo prices, over all recorded years."),
    ("flows", "flows", "What followed slow drivers, on recorded history."),
)


def build() -> App:
    """The command tree; commands are import strings, so that --help loads nothing heavy."""
    app = App(
        name="airpocket",
        help="Forced-flow risk in crypto perpetuals: who is forced out, where, and what follows.",
        version=__version__,
        help_format="plaintext",
    )
    for name, function, about in _COMMANDS:
        app.command(f"{_HERE}.{function}", name=name, help=about)
    name, function, about = _CALC
    app.command(f"{_HERE}.{function}", name=name, help=about, help_flags=[], version_flags=[])
    store = App(name="store", help="What the store holds, and whether it is intact.")
    for name, about in _STORE_COMMANDS:
        store.command(f"{_HERE}.store:{name}", name=name, help=about)
    app.command(store)
    lab = App(name="lab", help="Simulated markets with known positions, to judge the rest by.")
    for name, about in _LAB_COMMANDS:
        lab.command(f"{_HERE}.lab:{name}", name=name, help=about)
    app.command(lab)
    flows = App(name="flows", help="Slow drivers: ETF creations, stablecoins, reserves, transfers.")
    for name, about in _FLOWS_COMMANDS:
        flows.command(f"{_HERE}.flows:{name}", name=name, help=about)
    app.command(flows)
    account = App(name="account", help="What your exchange accounts hold, by read-only keys.")
    for name, about in _ACCOUNT_COMMANDS:
        account.command(f"{_HERE}.account:{name}", name=name, help=about)
    app.command(account)
    evaluate = App(name="evaluate", help="What the models say, held against truth and baselines.")
    for name, function, about in _EVALUATE_COMMANDS:
        evaluate.command(f"{_HERE}.evaluate:{function}", name=name, help=about)
    app.command(evaluate)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status (0 well; domain/errors.py lists the others)."""
    keep_kernels()
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
