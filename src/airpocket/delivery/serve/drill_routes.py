"""The routes of a drill: where it stands, and orders on paper. Nothing here reaches a venue."""

from typing import Literal, Self

from fastapi import FastAPI, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from airpocket.delivery.serve import openapi
from airpocket.delivery.serve.desk import Desk
from airpocket.delivery.serve.switchboard import Answer, problem

_NO_DRILL = problem(404, "no_drill", "no drill is served here: airpocket serve --drill SCENARIO")


class DrillBody(BaseModel):
    """One thing at a time: a paper order in the words of `airpocket drill`, or what time is to do."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    order: str | None = Field(default=None, min_length=1, max_length=100)
    action: Literal["play", "pause", "again"] | None = None
    speed: float | None = Field(default=None, ge=0.1, le=1_000.0)

    @model_validator(mode="after")
    def one_thing(self) -> Self:
        """Something is asked, and one thing only."""
        if sum(each is not None for each in (self.order, self.action, self.speed)) != 1:
            raise ValueError("give one of order, action, speed")
        return self


def add_drill(app: FastAPI, desk: Desk) -> None:
    """Put the routes onto an application."""

    async def drill() -> Response:
        """Where the drill stands."""
        return await asked(b"{}")

    async def act(body: DrillBody) -> Response:
        """Give a paper order, or let time pass; where the drill stands then."""
        return await asked(body.model_dump_json(exclude_none=True).encode())

    async def asked(body: bytes) -> Response:
        if desk.mode != "drill":
            return _sent(_NO_DRILL)
        return _sent(await desk.switchboard.ask("drill", body))

    app.get("/api/v1/drill", responses=openapi.answers("DrillState", 404))(drill)
    app.post("/api/v1/drill", responses=openapi.answers("DrillState", 404))(act)


def _sent(answer: Answer) -> Response:
    return Response(answer.body, answer.status, media_type="application/json")
