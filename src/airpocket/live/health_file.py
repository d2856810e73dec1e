"""What a running recorder says of its channels, in a file beside the log, for every other process to read."""

from pathlib import Path

import msgspec
from msgspec import Struct

from airpocket.domain.errors import StoreDamaged
from airpocket.ingest.posted import post
from airpocket.ingest.skew import Skew
from airpocket.live.drift import News
from airpocket.market.pulse import PulseStatus

NAME = "health.json"
OLD_S = 30.0  # a recorder writes every few seconds: an older file is of one that stopped


class Health(Struct, frozen=True):
    """The channels at `asof` (ns); `refused` counts frames not understood, by venue and reason.

    `clocks`: the venues' clocks less ours; `alarms`: what a user should know, one line an incident;
    `worst_held_up_s`: the longest that the recorder itself could not act.
    `notes` concern more than one channel: a venue that is shut, a quote coin that is no dollar.
    `news`: what is new in the venues' messages. `simulated`: the label of a market that is invented.
    """

    asof: int
    pid: int
    assets: tuple[str, ...]
    records: int
    channels: tuple[PulseStatus, ...]
    refused: dict[str, int]
    reserve_used: bool = False
    clocks: tuple[Skew, ...] = ()
    alarms: tuple[str, ...] = ()
    worst_held_up_s: float = 0.0
    notes: tuple[str, ...] = ()
    news: tuple[News, ...] = ()
    simulated: str = ""


_DECODER = msgspec.json.Decoder(Health)


def write(store: Path, health: Health) -> None:
    """Replace the file at once.

    Raises:
        StoreError: it can't be written.
    """
    post(store / NAME, health)


def read(store: Path) -> Health | None:
    """The last word of a recorder; None where none ever ran.

    Raises:
        StoreDamaged: the file is not one of ours.
    """
    path = store / NAME
    try:
        return _DECODER.decode(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise StoreDamaged(f"{path}: {error}; it is written anew by airpocket record") from error
