"""Draws the phase diagram of docs/how-the-cascade-works.md, or checks that the committed one is current."""

import sys
from pathlib import Path

from airpocket.brief.phase_picture import Pane, Spot, phase

FILE = Path(__file__).resolve().parent.parent / "docs" / "phase-diagram.svg"
TITLE = "Does a burst feed itself: R against κτ"
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1b1f24}.before{text-anchor:end}.head{font-weight:600;font-size:15px}"
    ".dim,.peak-name{fill:#5b6470}.peak-name{font-size:11px}.grid{stroke:#1b1f24;stroke-opacity:.15}"
    ".calm{fill:#009e73;fill-opacity:.35}.grows{fill:#f0e442;fill-opacity:.4}.runs{fill:#d55e00;fill-opacity:.35}"
    ".peak{fill:none;stroke:#1b1f24;stroke-opacity:.5;stroke-dasharray:4 3}"
    "circle{fill:#1b1f24;stroke:#fff;stroke-width:2}.spot-name{font-weight:600}"
)
# κτ 0.42: orders late by 6 s, half of a displacement gone after 10 s. D: makers have all but stopped coming back.
SPOTS = (
    Spot(0.42, 0.6, "A", "up"), Spot(0.42, 1.2, "B", "up"), Spot(0.42, 2.9, "C", "up"),
    Spot(0.008, 1.2, "D", "down"),
)  # fmt: skip


def document() -> str:
    """The whole picture."""
    pane = Pane(48.0, 620.0, 64.0, 400.0, 1.0, 0.0, 5.0)
    drawn = phase(pane, list(SPOTS), peaks=(1.2, 1.5, 2.0, 4.0))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 430" role="img" style="background:#fff">'
        f"<title>{TITLE}</title><style>{STYLE}</style>"
        f'<text class="head" x="12" y="24">{TITLE}</text>'
        '<text class="dim" x="12" y="46">Dashed: the furthest point, as a multiple of the first push. '
        "A to D: see the page.</text>"
        f"{drawn}</svg>\n"
    )


def main() -> int:
    """Write the picture, or with --check say whether it is current."""
    if "--check" not in sys.argv[1:]:
        FILE.write_text(document(), encoding="utf-8")
    elif not FILE.is_file() or FILE.read_text(encoding="utf-8") != document():
        print(f"{FILE.name} is old; run scripts/phase_diagram.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
