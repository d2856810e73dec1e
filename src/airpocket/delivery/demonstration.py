"""The demo's store: an invented history imported, and a recorded session of the lab through the real path."""

from pathlib import Path

from airpocket.delivery.bundled_log import ASSET, MANIFEST, manifest, place_recording
from airpocket.delivery.tape import TapeSettings
from airpocket.domain.errors import BadInput
from airpocket.domain.units import parse_time
from airpocket.ingest.lake import Lake, Table
from airpocket.lab import bundled_tables
from airpocket.live.load import load
from airpocket.live.replay import Replayed
from airpocket.live.session import RAW

WORLD, SEED = "demo", 1
# The world's clock and the wire's agree: 11:59:50 to 12:05:05, at the pace of life.
SETTINGS = TapeSettings(
    start=int(parse_time("2026-01-15T11:59:50Z")), for_s=315.0, from_h=1_790.0 / 3_600.0
)
# The history goes under the names by which the recording's venues speak; each row says SIMULATED.
_SPEAKS_AS = {
    "sim_perp": "binance_usdm",
    "sim_perp2": "bybit_linear",
    "sim_spot": "binance_spot",
    "sim_options": "deribit",
}


def demo_store(root: Path) -> tuple[Lake, Replayed]:
    """Fill a store: history, then the log, read as any recording is. Again changes nothing.

    Raises:
        BadInput: something else lies there, such as the demo of another version.
    """
    _check_place(root)
    lake = Lake(root)
    lake.write(history())
    place_recording(root / RAW)
    return lake, load(root / RAW, root, (ASSET,))


def _check_place(root: Path) -> None:
    if not root.exists() or not any(root.iterdir()):
        return
    found = root.joinpath(RAW, *MANIFEST)
    if not found.is_file() or found.read_bytes() != manifest():
        raise BadInput(
            f"{root} holds something else, such as another version's demo: delete it, or name another --out"
        )


def history() -> list[Table]:
    """Seven invented months up to the recording's start, as tables of the store."""
    return [
        Table(t.kind, _SPEAKS_AS.get(t.venue, t.venue), t.symbol, t.frame)
        for t in bundled_tables()
        if t.kind != "account"  # nobody tells accounts under the name it speaks by
    ]
