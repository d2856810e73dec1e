"""The brief at a glance: what the venues answer right now, asked once and without keys."""

import asyncio
from dataclasses import replace as replace_facts

from msgspec.structs import replace

from airpocket.brief.compose import compose
from airpocket.brief.model import Brief
from airpocket.domain.errors import NothingKnown
from airpocket.domain.simulated import sourced
from airpocket.domain.units import TimeNs
from airpocket.ingest.ask import Asker
from airpocket.ingest.origin import origin_of
from airpocket.ingest.world import SystemClock
from airpocket.live.glance import Glance, look
from airpocket.pipeline import Assessor


def brief_at_a_glance(asset: str, gate: str = "") -> Brief:
    """The brief from what the venues answer right now, without keys; what did not answer is named.

    Args:
        gate: host:port to reach every venue through.

    Raises:
        NothingKnown: no venue gave bars of the asset; says why each did not.
    """
    asset, clock = asset.upper(), SystemClock()

    async def ask() -> tuple[Glance, str]:
        asker = Asker({}, clock, gate=f"http://{gate}" if gate else "")
        try:
            return await look(asset, asker, clock), await origin_of(gate)
        finally:
            await asker.close()

    found, simulated = asyncio.run(ask())
    if not any(batch.family == "bar" for batch in found.batches):
        why = "; ".join(f"{what}: {reason}" for what, reason in list(found.missing.items())[:4])
        raise NothingKnown(f"no venue gave prices of {asset}: {why or 'none lists it'}")
    assessor = Assessor(asset)
    for batch in found.batches:
        assessor.apply(replace_facts(batch, sources=sourced(simulated, batch.sources)))
    brief = compose(assessor.assess(TimeNs(found.at)))
    absent = [f"{what}: not answered: {reason}" for what, reason in found.missing.items()]
    once = [
        f"asked once, at a glance: {len(found.answered)} contracts answered; no tape, no liquidations,"
        " short histories (airpocket record keeps more)"
    ]
    missing = [*once, *absent, *brief.health.missing]
    return replace(brief, health=replace(brief.health, missing=missing))
