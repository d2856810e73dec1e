"""Reading a world file: what it must hold as a whole, names that exist, shares that add up, phases in order."""

import math
from importlib.resources import files
from pathlib import Path

from airpocket.domain.errors import BadInput
from airpocket.lab.runs.rulebook import RULEBOOK, rules_of, schedule_of
from airpocket.lab.runs.worldfile import Traders, Venue, World, decoded, raw_world


def world_file(named: str) -> Path:
    """The world file of a name: a path, or the name of a world that ships with the package (squeeze).

    Raises:
        BadInput: no such file, and no such world; names those there are.
    """
    path = Path(named)
    if path.suffix == ".toml" or path.exists():
        return path
    shipped = worlds()
    if named not in shipped:
        raise BadInput(f"no world '{named}': a file (.toml), or one of {', '.join(shipped)}")
    return shipped[named]


def worlds() -> dict[str, Path]:
    """The worlds that ship with the package, by name."""
    folder = Path(str(files("airpocket.lab") / "worlds"))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def read_world(path: Path) -> World:
    """A world file, checked key by key and then as a whole.

    Raises:
        BadInput: unreadable, not TOML, an unknown key, a value out of range; names file and key.
    """
    world = decoded(path.name, raw_world(path))
    check(path.name, world)
    return world


def check(file: str, world: World) -> None:
    """Raises BadInput naming file and key where the parts of a world do not fit together."""
    try:
        start = world.start_ns
    except ValueError as error:
        raise BadInput(f"{file}: start: {error}") from error
    names = [venue.name for venue in world.venue]
    for k, venue in enumerate(world.venue):
        at = f"{file}: venue[{k}] ({venue.name})"
        if names.index(venue.name) != k:
            raise BadInput(f"{at}: name: given twice")
        _check_venue(at, venue, names, start, world.price_usd)
    if not any(venue.kind == "spot" for venue in world.venue):
        raise BadInput(f"{file}: venue: a world needs a spot venue, indices come from it")
    if world.venue[0].kind != "spot":
        raise BadInput(f"{file}: venue[0]: the first venue must be a spot venue")
    _check_pairs(file, world)
    _check_phases(file, world, names)


def _check_venue(at: str, venue: Venue, names: list[str], start: int, price: float) -> None:
    if (venue.rules == "spot") != (venue.kind == "spot"):
        raise BadInput(f"{at}: rules: '{venue.rules}' does not go with kind '{venue.kind}'")
    if venue.rules not in RULEBOOK:
        raise BadInput(f"{at}: rules: '{venue.rules}' unknown; known: {', '.join(RULEBOOK)}")
    if not 1e-6 <= venue.tick_usd / price <= 1e-3:
        raise BadInput(
            f"{at}: tick_usd: {venue.tick_usd:g} is not between 1e-6 and 1e-3 of the price"
        )
    if venue.makers.reference and venue.makers.reference not in names:
        raise BadInput(f"{at}: makers.reference: no venue '{venue.makers.reference}'")
    if venue.kind == "spot":
        if venue.traders is not None or venue.tiers:
            raise BadInput(f"{at}: a spot venue has neither traders nor tiers")
        return
    try:
        rules_of(venue, start)
        schedule_of(venue, start)
    except BadInput as error:
        raise BadInput(f"{at}: {error}") from error
    if venue.traders is not None:
        _check_traders(f"{at}: traders", venue.traders)


def _check_traders(at: str, traders: Traders) -> None:
    total = math.fsum(share for _, share in traders.leverage)
    if abs(total - 1.0) > 1e-9:
        raise BadInput(f"{at}.leverage: shares add up to {total:g}, not to 1")
    for key in ("long_entry_percent", "short_entry_percent"):
        low, high = getattr(traders, key)
        if not -50.0 <= low <= high <= 50.0:
            raise BadInput(f"{at}.{key}: must be two values from -50 to 50, the lower one first")


def _check_pairs(file: str, world: World) -> None:
    kinds = {venue.name: venue.kind for venue in world.venue}
    for k, pair in enumerate(world.arbitrage):
        for name in pair.between:
            if name not in kinds:
                raise BadInput(f"{file}: arbitrage[{k}].between: no venue '{name}'")
        if pair.between[0] == pair.between[1]:
            raise BadInput(f"{file}: arbitrage[{k}].between: names one venue twice")
    for k, carry in enumerate(world.carry):
        if kinds.get(carry.spot) != "spot":
            raise BadInput(f"{file}: carry[{k}].spot: no spot venue '{carry.spot}'")
        if kinds.get(carry.perp) not in ("linear", "inverse"):
            raise BadInput(f"{file}: carry[{k}].perp: no perpetual venue '{carry.perp}'")
        if carry.exit_bps > carry.enter_bps:
            raise BadInput(f"{file}: carry[{k}].exit_bps: must not be above enter_bps")


def _check_phases(file: str, world: World, names: list[str]) -> None:
    last = -1.0
    for k, phase in enumerate(world.phase):
        if phase.from_h <= last or (k == 0 and phase.from_h != 0.0):
            raise BadInput(f"{file}: phase[{k}].from_h: phases start at 0 and go up")
        last = phase.from_h
        for name in phase.venue:
            if name not in names:
                raise BadInput(f"{file}: phase[{k}].venue: no venue '{name}'")


def perpetual(world: World, venue: str) -> tuple[str, list[str]]:
    """The linear perpetual of a world that `venue` names, its first for '', and the names of all.

    Raises:
        BadInput: there is none of that name.
    """
    names = [v.name for v in world.venue if v.kind == "linear"]
    if not names or (venue and venue not in names):
        raise BadInput(f"venue '{venue}': linear perpetuals here: {', '.join(names) or 'none'}")
    return venue or names[0], names
