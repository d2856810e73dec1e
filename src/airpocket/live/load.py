"""A recorded log into a store: the minutes and channel states that the recorder itself would have kept."""

from pathlib import Path

from airpocket.domain.errors import StoreError
from airpocket.domain.units import SECOND_NS
from airpocket.ingest.log.records import Record
from airpocket.live.faults import Faults
from airpocket.live.keeper import FactKeeper
from airpocket.live.replay import Replay, Replayed


def load(folder: Path, store: Path, assets: tuple[str, ...]) -> Replayed:
    """Read a log folder through decoders and state, and write each closed minute; what is there stays.

    Rows of a simulated market carry its label.

    Raises:
        NothingKnown: no log lies there.
        StoreError: the store takes no rows, or holds the other sort of market.
    """
    run, keeper, told = Replay(assets), FactKeeper(store), [0]
    faults = Faults(run.pulse, run.states, run.intake.refusals)

    def each_second(record: Record) -> None:
        if record.heard - told[0] < SECOND_NS:
            return
        told[0] = record.heard
        moment = record.monotonic or record.heard
        faults.tell(run.pulse.status(moment), moment, record.heard)
        statuses = run.pulse.status(moment)
        recorded = {(each.venue, each.symbol) for each in statuses if each.messages}
        keeper.note([s for s in statuses if (s.venue, s.symbol) in recorded], record.heard)

    found = run.run(folder, pace=each_second)
    for state in run.states.by_asset.values():
        keeper.add(state.facts)
        state.facts.clear()
    keeper.simulated = found.simulated
    keeper.write(keeper.take())
    if keeper.trouble:
        raise StoreError(keeper.trouble)
    return found
