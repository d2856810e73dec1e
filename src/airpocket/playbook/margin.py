"""How the position stands on its margin: the figures M34 asks for, each with what it was computed from."""

from airpocket.domain.estimates import PERCENT, PRICE, RATIO, USD, known
from airpocket.domain.tells import Tell, at_least, context
from airpocket.domain.units import DAY_NS, day_of
from airpocket.levels.words import price_text
from airpocket.margin.standing import Standing
from airpocket.margin.stressgrid import SOURCE
from airpocket.playbook.account import Account
from airpocket.playbook.ground import Ground
from airpocket.playbook.records import Facts
from airpocket.playbook.thresholds import adl_scores

LEVERAGE = "x"
OLD_TIERS_D = 90
LEAST_BUFFER = 2.0


def margin_facts(
    ground: Ground, standing: Standing | None, words: str, stood_in: tuple[str, ...] = ()
) -> Facts:
    """Mark, equity, maintenance, buffer, liquidation and bankruptcy price, leverage, tiers and their age."""
    mark = context("mark", "mark used", ground.mark)
    account = ground.account
    if standing is None or account is None:
        return Facts(unknown=ground.no_account, tells=[mark], notes=[words])
    tells = [
        mark,
        context("notional", "notional", ground.modelled(standing.notional_usd, USD)),
        context("unrealised", "unrealised profit", ground.modelled(standing.unrealised_usd, USD)),
        context("equity", "equity behind it", ground.modelled(standing.equity_usd, USD)),
        context("maintenance", "maintenance margin", ground.modelled(standing.maintenance_usd, USD)),
        at_least(
            "buffer", "equity over maintenance", ground.modelled(standing.buffer_multiple, RATIO),
            LEAST_BUFFER, f"the 2 to 3 × rule at {LEAST_BUFFER:g}",
        ),
        *_prices(ground, standing),
        context("leverage", "effective leverage", ground.maybe(
            standing.effective_leverage, LEVERAGE, "equity is not positive")),
        *_tiers(ground, standing),
        context("adl", "queue for deleveraging: profit × leverage",
                ground.modelled(adl_scores(account.ledger)[ground.position.key], RATIO)),
    ]  # fmt: skip
    told = [f"Price: {words}.", *(f"{each}." for each in stood_in if each not in words)]
    return Facts(unknown=None, tells=tells, notes=[*told, *_notes(ground, account, standing)])


def _prices(ground: Ground, standing: Standing) -> list[Tell]:
    never = (
        "the position is liquidatable already" if standing.already_liquidatable
        else "equity covers maintenance at every price"
    )  # fmt: skip
    signed = None
    if standing.liquidation_price is not None:
        signed = 100.0 * (standing.liquidation_price / standing.mark - 1.0)
    return [
        context("liquidation", "liquidation price", ground.maybe(standing.liquidation_price, PRICE, never)),
        context("distance", "way to it from the mark", ground.maybe(signed, PERCENT, never)),
        context("bankruptcy", "bankruptcy price", ground.maybe(
            standing.bankruptcy_price, PRICE, "equity outlasts every price")),
    ]  # fmt: skip


def _tiers(ground: Ground, standing: Standing) -> list[Tell]:
    now, as_of = ground.situation.now, standing.schedule_as_of
    rate = known(
        100 * standing.mmr_fraction, PERCENT, as_of=as_of, now=now, source=standing.schedule_source
    )
    granted = ground.maybe(standing.venue_max_leverage, LEVERAGE, "the venue does not publish it")
    return [
        context("tier_rate", f"maintenance rate of its tier (table of {day_of(as_of)})", rate),
        context("venue_leverage", "most leverage the venue grants here", granted),
    ]


def _notes(ground: Ground, account: Account, standing: Standing) -> list[str]:
    notes: list[str] = []
    age = (ground.situation.now - standing.schedule_as_of) / DAY_NS
    if age > OLD_TIERS_D:
        notes.append(
            f"The tier table is {age:,.0f} days old: venues change tiers, so check yours before you act."
        )
    if ground.position.wallet_usd is not None and ground.position.margin_mode != "isolated":
        notes.append(
            "The wallet is taken as if nothing else used it: other positions of the same account are not "
            "counted. Give a [[balance]] instead to have them counted together."
        )
    if not account.alone:
        notes.append(_shared(account))
    if account.ledger.modelled_margin:
        notes.append(
            f"Portfolio margin is modelled, by a {SOURCE}; your venue's own figure may differ."
        )
    return notes


def _shared(account: Account) -> str:
    """What else is counted, and the other price that liquidates the account."""
    ledger = account.ledger
    held = (("perpetual", len(ledger.perps)), ("option", len(ledger.options.positions)))
    counts = [f"{count} {name}{'' if count == 1 else 's'}" for name, count in held if count]
    told = (
        f"Equity, maintenance and prices are those of the whole account ({' and '.join(counts)}); other coins' "
        "prices stand still while this one moves."
    )
    bought = any(each.side == "long" for each in ledger.options.positions)
    if bought and not ledger.modelled_margin:
        told += " Bought options are no margin under standard margin, and not in that equity."
    ends = account.thresholds()
    other = ends.down if account.sign < 0 else ends.up
    return (
        told
        if other is None
        else f"{told} It is liquidated at {price_text(other)} too, the other way."
    )
