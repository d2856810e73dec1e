"""How levels of one kind did in the recorded past, as the roadmap quotes it."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Skill: TypeAlias = Literal["holds", "gives way", "none", "too few"]


@dataclass(frozen=True, slots=True)
class KindRecord:
    """Touches of one kind that were decided (`touches`), the share of them that held, that of placebo prices, and
    the difference's 95 % interval, in per cent. weight: 0 unless `skill` says that it holds or gives way."""

    name: str
    touches: int
    held_percent: float
    placebo_percent: float
    low: float
    high: float
    weight: float
    skill: Skill

    @property
    def text(self) -> str:
        """One clause: counts, both rates, the verdict."""
        if self.skill == "too few":
            return f"{self.name}: {self.touches} touches, too few to judge"
        verdict = (
            "no skill found" if self.skill == "none" else f"{self.skill} more than other prices"
        )
        return (
            f"{self.name}: held {self.held_percent:.0f} % of {self.touches:,} touches, other prices "
            f"{self.placebo_percent:.0f} %, {verdict}"
        )
