"""Option hedges of a position: not given without a usable option chain, and it says so (M25 to M28, M44)."""

from airpocket.playbook.ground import Ground
from airpocket.playbook.records import Play, Step

NO_CHAIN = "no option chain that these plans can price"


def hedge_play(ground: Ground) -> Play:
    """One row that says what is missing."""
    if ground.is_short:
        refs, what = ["M25", "M26", "M27", "M28"], "an out-of-the-money call ladder or call spread"
        left = "every rise up to the stop, and gaps through it"
    else:
        refs, what = (
            ["M44"],
            "a collar: a put of about 25 delta paid for by a call of 20 to 30 delta",
        )
        left = "every fall down to the stop, and gaps through it"
    step = Step(
        id="hedge", title="Hedge", refs=refs, state="unknown", condition="a chain with two-sided quotes",
        because=[NO_CHAIN], action=f"{what}: neither strike, size nor cost can be given",
        uncovered=left,
    )  # fmt: skip
    return Play(id="hedges", title="Hedges", refs=refs, steps=[step])
