"""The kinds of numbers calculators take, checked as they come in."""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

Positive: TypeAlias = Annotated[float, Meta(gt=0.0)]
NotNegative: TypeAlias = Annotated[float, Meta(ge=0.0)]
Rate: TypeAlias = Annotated[float, Meta(ge=0.0, lt=1.0)]
SideName: TypeAlias = Literal["long", "short"]
ModeName: TypeAlias = Literal["isolated", "cross"]
ContractName: TypeAlias = Literal["linear", "inverse"]
