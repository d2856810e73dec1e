"""What a process of the server is told at its start, and the names of the files that they share."""

from pathlib import Path

from msgspec import Struct

from airpocket.delivery.serve.models import Mode
from airpocket.domain.units import PositionSide

LINK, TOKEN = "link", "token"  # in the folder of a running server


class Drilling(Struct, frozen=True, kw_only=True):
    """A drill to serve: the world, and the paper position held in it. size: coin.

    venue: its linear perpetual that is traded; '': the first.
    """

    scenario: str
    venue: str = ""
    side: PositionSide = "short"
    size: float = 50.0
    leverage: float = 10.0
    seed: int = 1


class Job(Struct, frozen=True, kw_only=True):
    """What a process is told at its start. folder: of the running server; log: of the records to play, None: none.

    socket: the number of the listening socket that the parent opened; begin: where a replay starts, ns, 0: at
    the log's first record. demo: the engine fills the store with the bundled market first.
    drill: the engine is a drill's market instead.
    """

    role: str
    asset: str
    mode: Mode
    folder: str
    store: str
    log: str | None = None
    label: str = ""
    port: int = 0
    socket: int = -1
    speed: float = 1.0
    loop: bool = False
    begin: int = 0
    gate: str = ""
    clients: int = 20
    demo: bool = False
    drill: Drilling | None = None

    @property
    def place(self) -> Path:
        """Folder of the running server."""
        return Path(self.folder)
