"""What an account holds, from each venue's private answers: positions, options and balances in coin."""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from airpocket.domain.errors import UndecodableFrame, UnknownInstrument
from airpocket.domain.instruments import Instrument, instrument
from airpocket.domain.positions import Balance, MarginMode, OptionPosition, Position, Positions
from airpocket.domain.units import PositionSide
from airpocket.ingest.contracts import option_named
from airpocket.ingest.own.rows import Row, boolean, first, listed, rows_of

Ask: TypeAlias = Callable[..., Any]


def holdings_of(venue: str, ask: Ask) -> Positions:
    """Everything held there that can be valued.

    Raises:
        UndecodableFrame: an answer lacks a field, or holds something that airpocket does not value (dated
            futures, margin loans): half an account would be a wrong one.
    """
    return _READERS[venue](ask)


def _binance(ask: Ask) -> Positions:
    """USDⓈ-M: cross positions share crossWalletBalance; isolated ones have their own wallet."""
    venue, positions = "binance_usdm", list[Position]()
    for row in listed("binance_usdm positionRisk", ask("fapiPrivateV3GetPositionRisk")):
        size = row.number("positionAmt")
        if size == 0.0:
            continue
        isolated = row.number("isolatedWallet") if row.has("isolatedWallet") else 0.0
        if isolated == 0.0 and row.number("isolatedMargin") > 0.0:
            isolated = row.number("isolatedMargin") - row.number("unRealizedProfit")
        positions.append(_position(
            row, _contract(row, venue, row.text("symbol")), signed=size, entry=row.positive("entryPrice"),
            at=row.time_ns("updateTime"), mode="isolated" if isolated > 0.0 else "cross", wallet=isolated,
        ))  # fmt: skip
    account = Row("binance_usdm account", ask("fapiPrivateV3GetAccount"))
    balances = [
        Balance(venue=venue, currency=row.text("asset"), amount=amount)
        for row in rows_of(account, "assets")
        if (amount := row.number("crossWalletBalance")) != 0.0
    ]
    return Positions(positions=tuple(positions), balances=tuple(balances))


_BYBIT_MODES: dict[str, MarginMode] = {
    "ISOLATED_MARGIN": "isolated", "REGULAR_MARGIN": "cross", "PORTFOLIO_MARGIN": "portfolio"
}  # fmt: skip
# What is asked for, and the venue of ours: a unified account's perpetuals by settlement coin, inverse ones as one.
_BYBIT_PERPS = (
    ({"category": "linear", "settleCoin": "USDT"}, "bybit_linear"),
    ({"category": "linear", "settleCoin": "USDC"}, "bybit_linear"),
    ({"category": "inverse"}, "bybit_inverse"),
)


def _bybit(ask: Ask) -> Positions:
    """The unified account: one wallet behind linear and inverse perpetuals and options.

    An inverse contract is a dollar, and its margin is told in coin. With isolated margin the wallet still holds
    what positions have of it: that is theirs alone.
    """
    positions, options, pledged = list[Position](), list[OptionPosition](), dict[str, float]()
    info = Row("bybit account info", ask("privateGetV5AccountInfo")).row("result")
    told = info.text("marginMode")
    if told not in _BYBIT_MODES:
        raise info.fail("marginMode", f"{told!r} is not known")
    mode = _BYBIT_MODES[told]
    for query, venue in _BYBIT_PERPS:
        for row, signed in _bybit_rows(ask, query):
            contract, entry = _contract(row, venue, row.text("symbol")), row.positive("avgPrice")
            inverse = contract.kind == "inverse"
            margin = row.positive("positionIM") if mode == "isolated" else 0.0
            settled = contract.base if inverse else contract.quote
            pledged[settled] = pledged.get(settled, 0.0) + margin
            positions.append(_position(
                row, contract, signed=signed / entry if inverse else signed, entry=entry,
                at=row.time_ns("createdTime"), mode=mode,
                wallet=margin * row.positive("markPrice") if inverse and margin else margin,
            ))  # fmt: skip
    for row, signed in _bybit_rows(ask, {"category": "option"}):
        if mode == "isolated":
            raise row.fail("symbol", "an option in an account of isolated margin: bybit knows none")
        contract = _contract(row, "bybit_options", row.text("symbol"))
        options.append(_option(row, contract, signed, row.number("avgPrice"), mode))
    told_all = ask("privateGetV5AccountWalletBalance", {"accountType": "UNIFIED"})
    account = first(Row("bybit wallet-balance", told_all).row("result"), "list")
    balances = [_bybit_balance(row, pledged) for row in rows_of(account, "coin")]
    return Positions(
        positions=tuple(positions), options=tuple(options),
        balances=tuple(each for each in balances if each.amount != 0.0),
    )  # fmt: skip


def _bybit_balance(row: Row, pledged: dict[str, float]) -> Balance:
    """Of one coin: walletBalance still holds what was borrowed on spot margin; what derivatives owe is off already.

    Bybit's page on the wallet balance: equity = walletBalance − spotBorrow + unrealisedPnl + value of options. A
    coin that is switched off as collateral backs nothing.
    """
    currency = row.text("coin")
    amount = row.number("walletBalance", empty=0.0) - pledged.get(currency, 0.0)
    if row.has("spotBorrow"):
        amount -= row.number("spotBorrow", empty=0.0)
    switches = ("collateralSwitch", "marginCollateral")
    idle = any(row.has(name) and not boolean(row, name) for name in switches)
    return Balance(
        venue="bybit_linear", currency=currency, amount=amount, haircut=1.0 if idle else 0.0
    )


def _bybit_rows(ask: Ask, query: dict[str, str]) -> Iterator[tuple[Row, float]]:
    """Open positions and their signed sizes."""
    answer = ask("privateGetV5PositionList", {**query, "limit": "200"})
    result = Row(f"bybit position/list {query['category']}", answer).row("result")
    rows = list(rows_of(result, "list"))
    if result.has("nextPageCursor") and result.text("nextPageCursor") and len(rows) >= 200:
        raise result.fail("nextPageCursor", "more than 200 positions: the rest was not read")
    for row in rows:
        size = row.number("size", empty=0.0)
        if size == 0.0:
            continue
        side = row.text("side")
        if side not in ("Buy", "Sell"):
            raise row.fail("side", f"Buy or Sell was expected, not {side!r}")
        yield row, size if side == "Buy" else -size


def _okx(ask: Ask) -> Positions:
    """pos counts contracts; an isolated inverse position's margin is in coin."""
    positions, options = list[Position](), list[OptionPosition]()
    config = first(Row("okx account config", ask("privateGetAccountConfig")), "data")
    portfolio = config.text("acctLv") == "4"
    for row in rows_of(Row("okx positions", ask("privateGetAccountPositions")), "data"):
        size = row.number("pos", empty=0.0)
        if size == 0.0:
            continue
        size = -abs(size) if row.text("posSide") == "short" else size
        contract = _contract(row, "okx", row.text("instId"))
        if contract.contract_size is None:
            raise row.fail(
                "instId", f"what a contract of {contract.symbol} is worth is not known here"
            )
        shared: MarginMode = "portfolio" if portfolio else "cross"
        if contract.kind == "option":
            options.append(
                _option(row, contract, size * contract.contract_size, row.number("avgPx"), shared)
            )
            continue
        entry, isolated = row.positive("avgPx"), row.text("mgnMode") == "isolated"
        inverse = contract.kind == "inverse"
        wallet = (
            row.positive("margin") * (row.positive("markPx") if inverse else 1.0)
            if isolated
            else 0.0
        )
        positions.append(_position(
            row, contract, signed=size * contract.contract_size / (entry if inverse else 1.0), entry=entry,
            at=row.time_ns("cTime"), mode="isolated" if isolated else shared, wallet=wallet,
        ))  # fmt: skip
    account = first(Row("okx balance", ask("privateGetAccountBalance")), "data")
    balances = [
        Balance(venue="okx", currency=row.text("ccy"), amount=amount)
        for row in rows_of(account, "details")
        if (amount := row.number("cashBal", empty=0.0)) != 0.0
    ]
    return Positions(positions=tuple(positions), options=tuple(options), balances=tuple(balances))


def _deribit(ask: Ask) -> Positions:
    """Perpetuals' size in USD (inverse) or coin (linear), options' in coin; balance holds premiums paid."""
    positions, options, balances = list[Position](), list[OptionPosition](), list[Balance]()
    mode: MarginMode = "cross"
    summaries = Row("deribit account summaries", ask("privateGetGetAccountSummaries")).row("result")
    for row in rows_of(summaries, "summaries"):
        if (
            row.has("portfolio_margining_enabled")
            and row.get("portfolio_margining_enabled") is True
        ):
            mode = "portfolio"
        amount = row.number("balance")
        if amount != 0.0:
            balances.append(Balance(venue="deribit", currency=row.text("currency"), amount=amount))
    answer = Row("deribit positions", ask("privateGetGetPositions", {"currency": "any"}))
    for row in rows_of(answer, "result"):
        size = abs(row.number("size"))
        direction = row.text("direction")
        if size == 0.0 or direction == "zero":
            continue
        signed = size if direction == "buy" else -size
        contract = _contract(row, "deribit", row.text("instrument_name"))
        if contract.kind == "option":
            options.append(_option(row, contract, signed, row.number("average_price"), mode))
            continue
        entry = row.positive("average_price")
        coin = signed / entry if contract.kind == "inverse" else signed
        positions.append(
            _position(row, contract, signed=coin, entry=entry, at=None, mode=mode, wallet=0.0)
        )
    return Positions(positions=tuple(positions), options=tuple(options), balances=tuple(balances))


def _hyperliquid(ask: Ask) -> Positions:
    """A public address: cross positions stand on the account's value, isolated ones on their own dollars.

    crossMarginSummary.accountValue has the cross positions' profit in it; an isolated position's rawUsd is its
    margin less what it bought. Spot coins, and the markets of other builders, are not read.
    """
    venue, positions = "hyperliquid", list[Position]()
    how = str(ask("publicPostInfo", {"type": "userAbstraction"})).strip('"')  # a bare text
    if how not in ("default", "disabled"):
        raise UndecodableFrame(
            f"hyperliquid userAbstraction: {how!r}: an account whose spot coins back its perpetuals is not valued"
        )
    state = Row("hyperliquid state", ask("publicPostInfo", {"type": "clearinghouseState"}))
    profit = 0.0
    for each in rows_of(state, "assetPositions"):
        row = each.row("position")
        size, entry, leverage = row.number("szi"), row.positive("entryPx"), row.row("leverage")
        kind = leverage.text("type")
        if kind not in ("cross", "isolated"):
            raise leverage.fail("type", f"cross or isolated was expected, not {kind!r}")
        isolated = kind == "isolated"
        profit += 0.0 if isolated else row.number("unrealizedPnl")
        wallet = leverage.number("rawUsd") + size * entry if isolated else 0.0
        if isolated and not wallet > 0.0:
            raise leverage.fail("rawUsd", "leaves the isolated position no margin at its entry")
        positions.append(_position(
            row, _contract(row, venue, row.text("coin")), signed=size, entry=entry, at=None,
            mode="isolated" if isolated else "cross", wallet=wallet,
        ))  # fmt: skip
    amount = state.row("crossMarginSummary").number("accountValue") - profit
    balances = () if amount == 0.0 else (Balance(venue=venue, currency="USDC", amount=amount),)
    return Positions(positions=tuple(positions), balances=balances)


_UNTOLD = 1_230_768_000_000_000_000  # 2009: a venue that does not say when a position was opened


def _position(
    row: Row, contract: Instrument, *, signed: float, entry: float, at: int | None, mode: MarginMode,
    wallet: float,
) -> Position:  # fmt: skip
    if not contract.is_perp:
        raise row.fail(
            "symbol", f"{contract.symbol} is {contract.kind}, and only perpetuals are valued"
        )
    side: PositionSide = "long" if signed > 0.0 else "short"
    return Position(
        venue=contract.venue, symbol=contract.symbol, side=side, size_coin=abs(signed), entry_price=entry,
        opened_at=_UNTOLD if at is None else at, margin_mode=mode,
        wallet_usd=wallet if mode == "isolated" else None,
    )  # fmt: skip


def _option(
    row: Row, contract: Instrument, signed: float, premium: float, mode: MarginMode
) -> OptionPosition:
    named = option_named(contract.venue, contract.symbol)
    if named is None:
        raise row.fail("symbol", f"{contract.symbol} names no expiry and strike")
    return OptionPosition(
        venue=contract.venue, symbol=contract.symbol, base=named.base,
        side="long" if signed > 0.0 else "short", size_coin=abs(signed), expiry=named.expiry,
        strike=named.strike, call=named.call, linear=named.linear, quote=named.quote,
        entry_price=premium if premium > 0.0 else None, margin_mode=mode,
    )  # fmt: skip


def _contract(row: Row, venue: str, symbol: str) -> Instrument:
    try:
        return instrument(venue, symbol)
    except UnknownInstrument as error:
        raise UndecodableFrame(
            f"{row.where}: {error}; it is not valued, so neither is the account"
        ) from error


_READERS: dict[str, Callable[[Ask], Positions]] = {
    "binance_usdm": _binance,
    "bybit_linear": _bybit,
    "okx": _okx,
    "deribit": _deribit,
    "hyperliquid": _hyperliquid,
}
