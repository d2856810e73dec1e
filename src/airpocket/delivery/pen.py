"""What pictures as PNG are drawn with: text, lines and boxes in the font that comes with the library."""

from typing import TYPE_CHECKING, TypeAlias

from airpocket.brief import words

if TYPE_CHECKING:
    from PIL import Image
    from PIL.ImageDraw import ImageDraw as Canvas
    from PIL.ImageFont import FreeTypeFont
    from PIL.ImageFont import ImageFont as BitmapFont

    Font: TypeAlias = FreeTypeFont | BitmapFont

INK, FAINT, GRID, PAPER = (27, 31, 36), (110, 118, 129), (226, 229, 233), (255, 255, 255)
Colour: TypeAlias = tuple[int, int, int]


class Pen:
    """Draws text and lines; knows the font that comes with the library."""

    def __init__(self, draw: "Canvas") -> None:
        self.draw = draw
        self._sizes: dict[int, Font] = {}

    def font(self, size: int) -> "Font":
        from PIL import ImageFont

        if size not in self._sizes:
            self._sizes[size] = ImageFont.load_default(size)
        return self._sizes[size]

    def text(
        self, x: float, y: float, text: str, size: int, colour: Colour = INK,
        anchor: str = "lm", halo: int = 0,
    ) -> None:  # fmt: skip
        """The font that comes with the library has no − and no ≥; a hyphen and >= stand for them."""
        shown = words.plain(text).replace("−", "-").replace("≥", ">=")
        self.draw.text(
            (x, y), shown, font=self.font(size), fill=colour, anchor=anchor, stroke_width=halo,
            stroke_fill=PAPER,
        )  # fmt: skip

    def line(self, points: list[tuple[float, float]], colour: Colour, width: int) -> None:
        self.draw.line(points, fill=colour, width=width, joint="curve")

    def box(self, ends: tuple[float, float, float, float], colour: Colour) -> None:
        self.draw.rectangle(ends, fill=colour)

    def area(self, points: list[tuple[float, float]], colour: Colour) -> None:
        self.draw.polygon(points, fill=colour)


def lighter(colour: Colour, share: float) -> Colour:
    """A colour at `share` of its strength on paper."""
    red, green, blue = (round(255 - share * (255 - part)) for part in colour)
    return red, green, blue


def stamp(sheet: "Image.Image", pen: Pen, middle: tuple[float, float]) -> None:
    """SIMULATED across a picture, faint enough to read through."""
    from PIL import Image, ImageDraw

    layer = Image.new("RGBA", sheet.size, (255, 255, 255, 0))
    ImageDraw.Draw(layer).text(
        middle, "SIMULATED", font=pen.font(150), fill=(27, 31, 36, 42), anchor="mm"
    )
    sheet.paste(Image.new("RGB", sheet.size, INK), (0, 0), layer.getchannel("A"))
