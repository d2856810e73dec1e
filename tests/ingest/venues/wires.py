"""One frame of each kind and venue, written by hand from the venues' pages, with holes to put odd values into."""

import re

from airpocket.ingest.venues.registry import VENUES

HEARD = 1_790_000_001_000_000_000
MS = 1_790_000_000_000
STAMP = '"2026-09-21T14:13:20.000000Z"'
NUMBERS = (
    "deribit",
    "kraken_spot",
    "kraken_futures",
)  # write figures as numbers, all others as text

SYMBOLS = {
    "binance_usdm": "ETHUSDT", "binance_coinm": "ETHUSD_PERP", "binance_spot": "ETHUSDT",
    "bybit_linear": "ETHUSDT", "bybit_inverse": "ETHUSD", "bybit_spot": "ETHUSDT", "okx": "ETH-USDT-SWAP",
    "deribit": "ETH-PERPETUAL", "hyperliquid": "ETH", "kraken_spot": "ETH/USD", "kraken_futures": "PF_ETHUSD",
    "coinbase": "ETH-USD",
}  # fmt: skip


def _binance(name):
    bare = {
        "trade": '{"e":"trade","E":«ts»,"T":«ts»,"s":«symbol»,"t":«id»,"p":«price»,"q":«size»,"X":"MARKET",'
                 '"m":«side»}',
        "book": '{"e":"depthUpdate","E":«ts»,"T":«ts»,"s":«symbol»,"U":«seq»,"u":«seq»,"pu":«previous»,'
                '"b":[[«price»,«size»]],"a":[]}',
        "quote": '{"e":"bookTicker","u":7,"s":«symbol»,"b":«price»,"B":«size»,"a":"99999","A":"1","T":«ts»,'
                 '"E":«ts»}',
        **({} if name.endswith("spot") else {
            "funding": '{"e":"markPriceUpdate","E":«ts»,"s":«symbol»,"p":«price»,"i":"3000","r":«rate»,"T":«ts»}',
            "liquidation": '{"e":"forceOrder","E":«ts»,"o":{"s":«symbol»,"S":«forced»,"q":«size»,"p":«price»,'
                           '"ap":«price»,"z":«size»,"T":«ts»}}',
        }),
    }  # fmt: skip
    return {kind: f'{{"stream":"!all@arr","data":{text}}}' for kind, text in bare.items()}


def _bybit(name):
    head = '{"topic":"%s.ETHUSD","type":"delta","ts":«ts»,"data":'
    if not name.endswith("inverse"):
        head = head.replace("ETHUSD", "ETHUSDT")
    return {
        "trade": head % "publicTrade"
        + '[{"T":«ts»,"s":«symbol»,"S":«side»,"v":«size»,"p":«price»,"i":«id»}]}',
        "book": head % "orderbook.200" + '{"s":«symbol»,"b":[[«price»,«size»]],"a":[],"u":«seq»,"seq":1}}',
        "quote": head % "tickers"
        + '{"symbol":«symbol»,"bid1Price":«price»,"bid1Size":«size»,"ask1Price":"99999","ask1Size":"1"}}',
        **({} if name.endswith("spot") else {
            "funding": head % "tickers" + '{"symbol":«symbol»,"markPrice":«price»,"fundingRate":«rate»}}',
            "liquidation": head % "allLiquidation"
            + '[{"T":«ts»,"s":«symbol»,"S":«forced»,"v":«size»,"p":«price»}]}',
        }),
    }  # fmt: skip


_OKX = '{"arg":{"channel":"%s","instId":"ETH-USDT-SWAP"},"data":[%s]}'
_DERIBIT = '{"jsonrpc":"2.0","method":"subscription","params":{"channel":"%s.ETH-PERPETUAL.100ms","data":%s}}'
FRAMES = {
    **{name: _binance(name) for name in ("binance_usdm", "binance_coinm", "binance_spot")},
    **{name: _bybit(name) for name in ("bybit_linear", "bybit_inverse", "bybit_spot")},
    "okx": {
        "trade": _OKX % ("trades", '{"instId":«symbol»,"tradeId":«id»,"px":«price»,"sz":«size»,'
                                   '"side":«side»,"ts":«ts»}'),
        "book": (_OKX % ("books", '{"asks":[],"bids":[[«price»,«size»,"0","1"]],"ts":«ts»,"checksum":0,'
                 '"prevSeqId":«previous»,"seqId":«seq»}')).replace('},"data"', '},"action":"update","data"'),
        "quote": _OKX % ("bbo-tbt", '{"asks":[["99999","1","0","1"]],"bids":[[«price»,«size»,"0","1"]],"ts":«ts»}'),
        "funding": _OKX % ("funding-rate", '{"instId":«symbol»,"fundingRate":«rate»,"fundingTime":«ts»,"ts":«ts»}'),
        "liquidation": '{"arg":{"channel":"liquidation-orders","instType":"SWAP"},"data":[{"instId":«symbol»,'
                       '"details":[{"bkPx":«price»,"posSide":"net","side":«forced»,"sz":«size»,"ts":«ts»}]}]}',
    },
    "deribit": {
        "trade": _DERIBIT % ("trades", '[{"instrument_name":«symbol»,"price":«price»,"amount":«size»,'
                             '"direction":«side»,"timestamp":«ts»,"trade_id":«id»}]'),
        "book": _DERIBIT % ("book", '{"type":"change","instrument_name":«symbol»,"timestamp":«ts»,'
                                    '"change_id":«seq»,'
                            '"prev_change_id":«previous»,"bids":[["change",«price»,«size»]],"asks":[]}'),
        "quote": _DERIBIT % ("quote", '{"instrument_name":«symbol»,"timestamp":«ts»,"best_bid_price":«price»,'
                             '"best_bid_amount":«size»,"best_ask_price":99999,"best_ask_amount":1}'),
        "funding": _DERIBIT % ("ticker", '{"instrument_name":«symbol»,"timestamp":«ts»,"mark_price":«price»,'
                               '"current_funding":«rate»}'),
        "liquidation": _DERIBIT % ("trades", '[{"instrument_name":«symbol»,"price":«price»,"amount":«size»,'
                                   '"direction":«forced»,"timestamp":«ts»,"trade_id":"7","liquidation":"T"}]'),
    },
    "hyperliquid": {
        "trade": '{"channel":"trades","data":[{"coin":«symbol»,"side":«side»,"px":«price»,"sz":«size»,"time":«ts»,'
                 '"tid":«id»}]}',
        "book": '{"channel":"l2Book","data":{"coin":«symbol»,"time":«ts»,"levels":[[{"px":«price»,'
                '"sz":«size»,"n":1}],'
                '[]]}}',
        "quote": '{"channel":"bbo","data":{"coin":«symbol»,"time":«ts»,"bbo":[{"px":«price»,"sz":«size»,'
                 '"n":1},null]}}',
        "funding": '{"channel":"activeAssetCtx","data":{"coin":«symbol»,"ctx":{"funding":«rate»,'
                   '"markPx":«price»}}}',
        "liquidation": '{"channel":"userFills","data":{"user":"","fills":[{"coin":«symbol»,"px":«price»,'
                       '"sz":«size»,'
                       '"side":«forced»,"time":«ts»,"dir":"Liquidated Cross Long","tid":7,'
                       '"liquidation":{"liquidatedUser":"0xaa","method":"market"}}]}}',
    },
    "kraken_spot": {
        "trade": '{"channel":"trade","type":"update","data":[{"symbol":«symbol»,"side":«side»,"price":«price»,'
                 '"qty":«size»,"trade_id":«id»,"timestamp":«ts»}]}',
        "book": '{"channel":"book","type":"update","data":[{"symbol":«symbol»,"bids":[{"price":«price»,'
                '"qty":«size»}],'
                '"asks":[],"checksum":7,"timestamp":«ts»}]}',
        "quote": '{"channel":"ticker","type":"update","data":[{"symbol":«symbol»,"bid":«price»,"bid_qty":«size»,'
                 '"ask":99999,"ask_qty":1,"timestamp":«ts»}]}',
    },
    "kraken_futures": {
        "trade": '{"feed":"trade","product_id":«symbol»,"side":«side»,"type":"fill","seq":«id»,"time":«ts»,'
                 '"qty":«size»,'
                 '"price":«price»}',
        "book": '{"feed":"book","product_id":«symbol»,"timestamp":«ts»,"seq":«seq»,"side":"buy","price":«price»,'
                '"qty":«size»}',
        "quote": '{"feed":"ticker","product_id":«symbol»,"time":«ts»,"bid":«price»,"bid_size":«size»,"ask":99999,'
                 '"ask_size":1}',
        "funding": '{"feed":"ticker","product_id":«symbol»,"time":«ts»,"markPrice":«price»,'
                   '"relative_funding_rate":«rate»,"next_funding_rate_time":1790000000000}',
        "liquidation": '{"feed":"trade","product_id":«symbol»,"side":«forced»,"type":"liquidation","seq":7,'
                       '"time":«ts»,'
                       '"qty":«size»,"price":«price»}',
    },
    "coinbase": {
        "trade": '{"channel":"market_trades","timestamp":«ts»,"sequence_num":1,"events":[{"type":"update","trades":'
                 '[{"trade_id":«id»,"product_id":«symbol»,"price":«price»,"size":«size»,"side":«side»,'
                 '"time":«ts»}]}]}',
        "book": '{"channel":"l2_data","timestamp":«ts»,"sequence_num":1,"events":[{"type":"update",'
                '"product_id":«symbol»,'
                '"updates":[{"side":"bid","event_time":«ts»,"price_level":«price»,"new_quantity":«size»}]}]}',
        "quote": '{"channel":"ticker","timestamp":«ts»,"sequence_num":1,"events":[{"type":"update","tickers":'
                 '[{"product_id":«symbol»,"best_bid":«price»,"best_bid_quantity":«size»}]}]}',
    },
}  # fmt: skip
SIDES = {  # a taker who sold; whose position was closed by selling
    "binance": ("true", '"SELL"'), "bybit": ('"Sell"', '"Buy"'), "okx": ('"sell"', '"sell"'),
    "deribit": ('"sell"', '"sell"'), "hyperliquid": ('"A"', '"A"'), "kraken": ('"sell"', '"sell"'),
    "coinbase": ('"BUY"', ""),
}  # fmt: skip


def text_id(venue):
    return venue in ("okx", "deribit", "coinbase") or venue.startswith("bybit")


def figure(venue, text):
    """A figure as the venue writes it: as a JSON number, or as text."""
    return text if venue in NUMBERS else f'"{text}"'


def frame(venue, kind, **raw):
    """The frame, with the given raw JSON tokens in its holes and ordinary ones in the others."""
    return _filled(venue, FRAMES[venue][kind], raw)


def without(venue, kind, hole):
    """The frame without the field that has the hole; None where it is a place in a list, or there is none."""
    template = FRAMES[venue][kind]
    cut = re.sub(rf'"\w+":«{hole}»,|,"\w+":«{hole}»', "", template)
    return None if cut == template else _filled(venue, cut, {})


def _filled(venue, template, raw):
    sold, forced = SIDES[venue.split("_")[0]]
    stamp = {"okx": f'"{MS}"', "kraken_spot": STAMP, "coinbase": STAMP}.get(venue, f"{MS}")
    usual = {
        "symbol": f'"{SYMBOLS[venue]}"', "price": figure(venue, "3000.5"), "size": figure(venue, "2.25"),
        "id": '"4711"' if text_id(venue) else "4711", "ts": stamp, "side": sold, "forced": forced,
        "seq": "12", "previous": "11", "rate": figure(venue, "0.0001"),
    }  # fmt: skip
    for hole, token in {**usual, **raw}.items():
        template = template.replace(f"«{hole}»", token)
    return template.encode("utf-8", "surrogatepass")


def decode(venue, body, address=""):
    return VENUES[venue].decode(body, HEARD, address)


KINDS = [(venue, kind) for venue, kinds in sorted(FRAMES.items()) for kind in kinds]
