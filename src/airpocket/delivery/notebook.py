"""A brief's chart as a widget for Jupyter and its like; needs the extra [notebook]."""

from typing import Any, Literal, cast

import anywidget
import msgspec
import traitlets

from airpocket.brief.model import Brief
from airpocket.brief.scene import scene_of
from airpocket.delivery.chart_script import chart_script
from airpocket.domain.errors import BadInput, NothingKnown

Theme = Literal["auto", "dark", "light"]


class ChartWidget(anywidget.AnyWidget):
    """The chart of one brief. Its traits may be set while it is shown.

    scene: what is drawn, as brief/scene.py makes it. theme: auto takes the notebook's. height: px.
    """

    _esm = chart_script()
    scene = traitlets.Dict().tag(sync=True)
    theme = traitlets.Enum(["auto", "dark", "light"], default_value="auto").tag(sync=True)
    height = traitlets.Int(560, min=240, max=4_000).tag(sync=True)

    def show(self, brief: Brief) -> None:
        """Draw another brief in the same place.

        Raises:
            NothingKnown: it tells no candles.
        """
        self.scene = _told(brief)


def widget_of(brief: Brief, *, height: int = 560, theme: Theme = "auto") -> ChartWidget:
    """A widget that shows a brief.

    Raises:
        BadInput: a height or theme that can't be.
        NothingKnown: the brief tells no candles.
    """
    try:
        return ChartWidget(scene=_told(brief), height=height, theme=theme)
    except traitlets.TraitError as error:
        raise BadInput(f"widget: {error}") from error


def _told(brief: Brief) -> dict[str, Any]:
    scene = scene_of(brief)
    if scene is None:
        raise NothingKnown(f"the brief of {brief.asset} tells fewer than two candles")
    return cast("dict[str, Any]", msgspec.to_builtins(scene))
