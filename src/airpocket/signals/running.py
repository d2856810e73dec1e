"""The running funding estimate of each contract, and whether the venue's own bounds cut it off (M1)."""

from airpocket.domain.estimates import FUNDING_8H, Estimate, known, lower_bound, unknown
from airpocket.domain.tells import Tell, context
from airpocket.domain.units import HOUR_NS
from airpocket.market.health import unwell
from airpocket.market.state import Contract, Market, Observations

_FRESH_NS = HOUR_NS // 2
_EIGHT_HOURS_S = 8 * 3_600


def running_tells(market: Market) -> list[Tell]:
    """One tell for every perpetual that a recorder keeps an estimate of."""
    found: list[Tell] = []
    for contract in market.perps:
        if contract.table("funding_estimate") is None:
            continue
        bound, figure = running(contract, market.now)
        label = f"{contract.key} funding to come{f', at its {bound}' if bound else ''}"
        found.append(context(f"funding_running:{contract.key}", label, figure))
    return found


def running(contract: Contract, now: int) -> tuple[str, Estimate]:
    """'cap', 'floor' or '' and the newest estimate, per cent per 8 h by its own interval.

    At the cap the premium asks for more than the rate shows, so the figure is a lower bound of it.
    """
    table = contract.table("funding_estimate")
    if table is None:
        return "", unknown(FUNDING_8H, f"no running estimate of {contract.key} is stored")
    at, rate = int(table.ints("usable_from")[-1]), float(table.floats("rate")[-1])
    ill = unwell(contract, "funding")
    if ill or now - at > _FRESH_NS:
        why = ill.get("funding", f"{(now - at) / HOUR_NS:,.1f} h old")
        return "", unknown(FUNDING_8H, f"the running estimate of {contract.key} is {why}")
    per_8h = 100.0 * rate * _EIGHT_HOURS_S / int(table.ints("interval_s")[-1])
    figure = known(per_8h, FUNDING_8H, as_of=at, now=now, source=f"{contract.key} funding estimate")
    bounds = contract.table("funding_bound")
    cap, floor = (_last(bounds, name) for name in ("cap", "floor"))
    if rate >= cap:
        return "cap", lower_bound(figure)
    return ("floor" if rate <= floor else ""), figure


def _last(bounds: Observations | None, name: str) -> float:
    """NaN, which no rate reaches, where the venue states none."""
    return float("nan") if bounds is None else float(bounds.floats(name)[-1])
