"""The journal: every observable and every hidden fact, one row of eight whole numbers each, in order."""

from airpocket.domain.kernel import kernel
from airpocket.lab.exchange.state import Market

# What each kind's five values are. Times: ns. Prices: ticks, or thousandths of ticks (marks, indices).
TRADE = 1  # tick, lots (taker's sign), taker's account, maker's account, cause
DEPTH = 2  # tick, lots now at it, side, change number, 0
MARK = 3  # mark, index, best bid, best offer, last tick
FUNDING = 4  # rate × 1e9, paid at, interval ns, 0, 0
INTEREST = 5  # open interest in lots, 0, 0, 0, 0
PRINT = 6  # the venue's liquidation feed: tick, lots (order's sign), happened at, 0, 0
STATUS = 7  # 1 halted, 0 running
FORCED = 8  # truth: account, lots asked (order's sign), lots filled, value filled, cause
TAKEN = 9  # truth: account, lots taken (position's sign), tick, taker's account, cause
DELEVERAGED = 10  # truth: winner's account, lots closed (its sign), tick, loser's account, 0
ENDED = 11  # truth: account, cash left, paid by the fund, 0, 0
ESTIMATE = 12  # running funding estimate × 1e9, premium × 1e9, next payment, 0, 0
FAIR = (
    13  # truth: what informed traders think it is worth, thousandths of the first spot book's ticks
)

# why a trade happened
ORDINARY, LIQUIDATION, STOP, FUND = 0, 1, 2, 3

SPARE = 65_536  # rows that one actor may write: far above what a book's orders allow


@kernel
def note(m: Market, kind: int, book: int, values: tuple[int, int, int, int, int]) -> None:
    """One more row; rows that find no room are counted, and the session refuses to go on."""
    if m.logged >= m.log.shape[0]:
        m.logged += 1
        return
    row = m.log[m.logged]
    row[0] = kind
    row[1] = m.now
    row[2] = book
    row[3] = values[0]
    row[4] = values[1]
    row[5] = values[2]
    row[6] = values[3]
    row[7] = values[4]
    m.logged += 1
