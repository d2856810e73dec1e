"""Writes the JSON Schemas of the JSON outputs from their structs, or checks that the committed are current."""

import sys
from pathlib import Path

from airpocket.brief import hedge_json, levels_model, map_model, plan_json, stress_json
from airpocket.brief.as_json import schema

FOLDER = Path(__file__).resolve().parent.parent / "src" / "airpocket" / "brief"
FILE = FOLDER / "brief.schema.json"
FILES = {
    FILE: schema(),
    FOLDER / "map.schema.json": schema(map_model.MapView, map_model.SCHEMA),
    FOLDER / "levels.schema.json": schema(levels_model.LevelsView, levels_model.SCHEMA),
    FOLDER / "plan.schema.json": plan_json.schema(),
    FOLDER / "stress.schema.json": stress_json.schema(),
    FOLDER / "hedge.schema.json": hedge_json.schema(),
}


def main() -> int:
    """Write the files, or with --check say whether they are current."""
    for file, text in FILES.items():
        if "--check" not in sys.argv[1:]:
            file.write_bytes(text)
        elif not file.is_file() or file.read_bytes() != text:
            print(f"{file.name} is old; run scripts/brief_schema.py", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
