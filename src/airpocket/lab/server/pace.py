"""The two times of a served market: virtual time of the world, wire time of the clock on the wall."""

from dataclasses import dataclass

from airpocket.domain.errors import BadInput

FASTEST = 1_000.0


@dataclass(frozen=True, slots=True)
class Pace:
    """`speed` virtual seconds pass in one second of the wire. Times in ns."""

    virtual: int  # of the world when the wire began
    wire: int
    speed: float

    def __post_init__(self) -> None:
        if not 0.01 <= self.speed <= FASTEST:
            raise BadInput(f"speed must lie between 0.01 and {FASTEST:g}, not {self.speed:g}")

    def to_wire(self, virtual: int) -> int:
        return self.wire + int((virtual - self.virtual) / self.speed)

    def to_virtual(self, wire: int) -> int:
        return self.virtual + int((wire - self.wire) * self.speed)
