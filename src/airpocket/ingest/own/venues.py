"""What an account holds, from each venue's private answers: positions, options and balances in coin."""

from collections.abc import Callable
from typing import Any, TypeAlias

from airpocket.domain.errors import UndecodableFrame, UnknownInstrument
from airpocket.domain.instruments import Instrument, instrument
from airpocket.domain.positions import Balance, MarginMode, OptionPosition, Position, Positions
from airpocket.domain.units import PositionSide
from airpocket.ingest.contracts import option_named
from airpocket.ingest.own.rows import Row, first, listed, rows_of

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


def _bybit(ask: Ask) -> Positions:
    """The unified account's linear perpetuals; anything else in it is refused, since it shares the margin."""
    venue, positions = "bybit_linear", list[Position]()
    info = Row("bybit_linear account info", ask("privateGetV5AccountInfo")).row("result")
    modes: dict[str, MarginMode] = {
        "ISOLATED_MARGIN": "isolated", "REGULAR_MARGIN": "cross", "PORTFOLIO_MARGIN": "portfolio"
    }  # fmt: skip
    told = info.text("marginMode")
    if told not in modes:
        raise info.fail("marginMode", f"{told!r} is not known")
    for query in ({"category": "inverse"}, {"category": "option"}):
        for row in _bybit_rows(ask, query):
            if row.number("size", empty=0.0) != 0.0:
                raise row.fail("symbol", f"{row.text('symbol')} shares the unified account's margin, which is not "
                               "valued across bybit's kinds of contracts yet")  # fmt: skip
    for coin in ("USDT", "USDC"):
        for row in _bybit_rows(ask, {"category": "linear", "settleCoin": coin}):
            size = row.number("size", empty=0.0)
            if size == 0.0:
                continue
            side = row.text("side")
            if side not in ("Buy", "Sell"):
                raise row.fail("side", f"Buy or Sell was expected, not {side!r}")
            mode = modes[told]
            wallet = row.positive("positionIM") if mode == "isolated" else 0.0
            positions.append(_position(
                row, _contract(row, venue, row.text("symbol")), signed=size if side == "Buy" else -size,
                entry=row.positive("avgPrice"), at=row.time_ns("createdTime"), mode=mode, wallet=wallet,
            ))  # fmt: skip
    told_all = ask("privateGetV5AccountWalletBalance", {"accountType": "UNIFIED"})
    account = first(Row("bybit_linear wallet-balance", told_all).row("result"), "list")
    balances = [
        Balance(venue=venue, currency=row.text("coin"), amount=amount)
        for row in rows_of(account, "coin")
        if (amount := row.number("walletBalance", empty=0.0)) != 0.0
    ]
    return Positions(positions=tuple(positions), balances=tuple(balances))


def _bybit_rows(ask: Ask, query: dict[str, str]) -> list[Row]:
    answer = ask("privateGetV5PositionList", {**query, "limit": "200"})
    result = Row(f"bybit position/list {query['category']}", answer).row("result")
    rows = list(rows_of(result, "list"))
    if result.has("nextPageCursor") and result.text("nextPageCursor") and len(rows) >= 200:
        raise result.fail("nextPageCursor", "more than 200 positions: the rest was not read")
    return rows


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
}
