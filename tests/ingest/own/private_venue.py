"""Private answers of five venues in their documented shapes, and a transport that gives them without a network."""

import io
import json
from urllib.parse import urlsplit

import urllib3
from requests.adapters import HTTPAdapter

from airpocket.ingest.backfill.session import World
from airpocket.ingest.own.keys import Credentials
from airpocket.ingest.own.secret import Secret

KEY, SECRET = "k3y-of-nobody-1234", "s3cret-of-nobody-5678"
AT_MS = "1770415200000"


def credentials(venue, key=KEY):
    return Credentials(
        venue, Secret(key), Secret(SECRET), Secret("pass-9-phrase" if venue == "okx" else "")
    )


def binance(**rights):
    base = {"symbol": "ETHUSDT", "positionSide": "BOTH", "breakEvenPrice": "0", "markPrice": "2001.5",
            "liquidationPrice": "0", "notional": "0", "marginAsset": "USDT", "initialMargin": "0",
            "maintMargin": "0", "adl": 2, "updateTime": int(AT_MS), "isolatedWallet": "0"}  # fmt: skip
    rows = [
        {**base, "positionAmt": "-500.000", "entryPrice": "2010.25", "unRealizedProfit": "4375.0",
         "isolatedMargin": "0"},
        {**base, "symbol": "BTCUSDT", "positionAmt": "0.000", "entryPrice": "0.0", "unRealizedProfit": "0",
         "isolatedMargin": "0"},
        {**base, "symbol": "SOLUSDT", "positionAmt": "100", "entryPrice": "90", "unRealizedProfit": "-50",
         "isolatedMargin": "950", "isolatedWallet": "1000"},
    ]  # fmt: skip
    return {
        "sapiGetAccountApiRestrictions": {
            "ipRestrict": True, "createTime": 1, "enableReading": True, "enableWithdrawals": False,
            "enableInternalTransfer": False, "permitsUniversalTransfer": False, "enableFutures": False,
            "enableSpotAndMarginTrading": False, "enableMargin": False, "enableVanillaOptions": False, **rights,
        },
        "fapiPrivateV3GetPositionRisk": rows,
        "fapiPrivateV3GetAccount": {
            "totalWalletBalance": "126000", "totalMarginBalance": "1", "totalMaintMargin": "1",
            "assets": [
                {"asset": "USDT", "walletBalance": "126000.0", "crossWalletBalance": "125000.0"},
                {"asset": "BNB", "walletBalance": "0", "crossWalletBalance": "0.00000000"},
            ],
        },
    }  # fmt: skip


def bybit(mode="REGULAR_MARGIN", rights=None, coins=None, **others):
    row = {"symbol": "ETHUSDT", "side": "Sell", "size": "50", "avgPrice": "2000", "liqPrice": "", "bustPrice": "",
           "leverage": "20", "positionIM": "5100", "positionMM": "600", "tradeMode": 0, "adlRankIndicator": 2,
           "positionIdx": 0, "riskId": 1, "createdTime": AT_MS}  # fmt: skip
    flat = {**row, "symbol": "BTCUSDT", "side": "", "size": "0", "avgPrice": "0"}
    listed = {"linear USDT": [row, flat], **others}

    def positions(params):
        found = listed.get(f"{params['category']} {params.get('settleCoin', '')}".strip(), [])
        return {"retCode": 0, "result": {"list": found, "nextPageCursor": ""}}

    granted = {
        "readOnly": 1,
        "permissions": {"Wallet": [], "ContractTrade": ["Position"], "Spot": []},
    }
    return {
        "privateGetV5UserQueryApi": {"retCode": 0, "result": {**granted, **(rights or {})}},
        "privateGetV5AccountInfo": {"result": {"marginMode": mode, "unifiedMarginStatus": 6}},
        "privateGetV5PositionList": positions,
        "privateGetV5AccountWalletBalance": {
            "result": {"list": [{"totalEquity": "1", "coin": coins or [
                {"coin": "USDT", "walletBalance": "20000.5"}, {"coin": "ETH", "walletBalance": ""}]}]}
        },
    }  # fmt: skip


BYBIT_INVERSE = {
    "symbol": "ETHUSD", "side": "Buy", "size": "100000", "avgPrice": "2000", "markPrice": "2010", "liqPrice": "",
    "positionIM": "5", "positionMM": "0.5", "positionIdx": 0, "createdTime": AT_MS,
}  # fmt: skip
BYBIT_OPTION = {
    "symbol": "ETH-27MAR26-2400-C-USDT", "side": "Sell", "size": "30", "avgPrice": "55.5", "markPrice": "50",
    "positionIM": "6000", "positionMM": "3000", "positionIdx": 0, "createdTime": AT_MS,
}  # fmt: skip
# borrowed on spot margin, owed by derivatives, and switched off as collateral
BYBIT_COINS = [
    {"coin": "USDT", "walletBalance": "220000", "spotBorrow": "20000", "borrowAmount": "20000",
     "collateralSwitch": True, "marginCollateral": True},
    {"coin": "BTC", "walletBalance": "-0.5", "spotBorrow": "0", "borrowAmount": "0.5"},
    {"coin": "ETH", "walletBalance": "10", "spotBorrow": "0", "collateralSwitch": False, "marginCollateral": True},
]  # fmt: skip


def hyperliquid(mode="default", **position):
    """One short on cross margin and one long on its own, as the venue's page writes them."""
    cross = {"coin": "ETH", "szi": "-50.0", "entryPx": "2000.0", "positionValue": "100500.0",
             "unrealizedPnl": "-500.0", "leverage": {"type": "cross", "value": 20}, "liquidationPx": None,
             "marginUsed": "5025.0", "maxLeverage": 25}  # fmt: skip
    own = {"coin": "SOL", "szi": "100.0", "entryPx": "90.0", "positionValue": "9100.0", "unrealizedPnl": "100.0",
           "leverage": {"type": "isolated", "value": 10, "rawUsd": "-8100.0"}, "liquidationPx": "81.9",
           "marginUsed": "1000.0", "maxLeverage": 20}  # fmt: skip
    state = {
        "assetPositions": [{"type": "oneWay", "position": {**cross, **position}},
                           {"type": "oneWay", "position": own}],
        "crossMarginSummary": {"accountValue": "24500.0", "totalNtlPos": "100500.0", "totalRawUsd": "125000.0"},
        "marginSummary": {"accountValue": "25500.0"}, "withdrawable": "1.0", "time": int(AT_MS),
    }  # fmt: skip
    told = {"userAbstraction": mode, "clearinghouseState": state}
    return {"publicPostInfo": lambda params: told[params["type"]]}


def okx(perm="read_only", level="2", **position):
    row = {
        "instType": "SWAP",
        "instId": "ETH-USDT-SWAP",
        "mgnMode": "cross",
        "posSide": "net",
        "pos": "-5000",
        "avgPx": "2000",
        "markPx": "2010",
        "liqPx": "",
        "lever": "5",
        "margin": "",
        "cTime": AT_MS,
        "adl": "1",
    }
    inverse = {
        **row,
        "instId": "BTC-USD-SWAP",
        "mgnMode": "isolated",
        "posSide": "long",
        "pos": "700",
        "avgPx": "70000",
        "markPx": "69000",
        "margin": "0.2",
    }
    option = {
        **row,
        "instType": "OPTION",
        "instId": "ETH-USD-260327-2400-C",
        "pos": "300",
        "avgPx": "0.02",
    }
    return {
        "privateGetAccountConfig": {"code": "0", "data": [{"perm": perm, "acctLv": level, "uid": "1"}]},
        "privateGetAccountPositions": {"code": "0", "data": [{**row, **position}, inverse, option]},
        "privateGetAccountBalance": {"code": "0", "data": [{"adjEq": "", "details": [
            {"ccy": "USDT", "cashBal": "250000", "eq": "1", "liab": ""}, {"ccy": "BTC", "cashBal": "-0.5"}]}]},
    }  # fmt: skip


def deribit(scope="account:read trade:read wallet:read", *, portfolio=False, **position):
    row = {
        "instrument_name": "ETH-PERPETUAL",
        "kind": "future",
        "direction": "sell",
        "size": -1_000_000.0,
        "size_currency": -500.0,
        "average_price": 2_000.0,
        "mark_price": 2_010.0,
        "maintenance_margin": 5.0,
    }
    option = {
        "instrument_name": "ETH-27MAR26-2400-C",
        "kind": "option",
        "direction": "buy",
        "size": 300.0,
        "average_price": 0.031,
        "mark_price": 0.03,
        "delta": 80.0,
    }
    return {
        "privateGetListApiKeys": {"jsonrpc": "2.0", "result": [
            {"client_id": "other", "max_scope": "account:read_write", "id": 1},
            {"client_id": KEY, "max_scope": scope, "id": 2}]},
        "privateGetGetAccountSummaries": {"result": {"summaries": [
            {"currency": "ETH", "balance": 60.0, "equity": 61.0, "portfolio_margining_enabled": portfolio},
            {"currency": "BTC", "balance": 0.0, "equity": 0.0}]}},
        "privateGetGetPositions": {"result": [{**row, **position}, option]},
    }  # fmt: skip


def asker(answers):
    """Answers by method name, as `Line.ask` gives them."""

    def ask(method, params=None):
        found = answers[method]
        return found(params) if callable(found) else found

    return ask


class Wire(HTTPAdapter):
    """Bodies, or what makes them of a request, by path; remembers every request."""

    def __init__(self, bodies, status=200):
        super().__init__()
        self.bodies, self.status, self.asked = bodies, status, []

    def send(self, request, **_):
        self.asked.append(request)
        body = self.bodies[urlsplit(request.url).path]
        body = body(request) if callable(body) else body
        text = (
            body if isinstance(body, str) and body.startswith(("<", "{", "[")) else json.dumps(body)
        )
        raw = urllib3.HTTPResponse(
            body=io.BytesIO(text.encode()), status=self.status, preload_content=False,
            headers={"Content-Type": "application/json"},
        )  # fmt: skip
        return self.build_response(request, raw)


class Clock:
    def now(self):
        return 1_770_415_200_000_000_000

    def monotonic(self):
        return 0


def world(wire):
    return World(
        Clock(), lambda: 0.5, sleep=lambda _: None, resolve=lambda _: ["1.1.1.1"], adapter=wire
    )
