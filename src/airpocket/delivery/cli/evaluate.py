"""`airpocket evaluate`: what the models say held against truth, baselines and placebos."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airpocket.evaluation.page import Evidence, Shown


def map_(  # noqa: PLR0913 - one option each
    worlds: Annotated[list[Path] | None, Parameter(negative="")] = None,
    /,
    *,
    seeds: Annotated[list[int] | None, Parameter(negative="", consume_multiple=True)] = None,
    real: Path | None = None,
    only_real: Annotated[bool, Parameter(negative="")] = False,
    limits: Annotated[bool, Parameter(negative="")] = False,
    page: Path | None = None,
    workers: int = 2,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Score the liquidation map on simulated worlds with known positions, beside the maps that are sold.

    Takes any world file; without one, the fourteen that come along and were never tuned on. docs/evidence/map.md
    is such a run, docs/how-the-map-works.md explains the words.

    Args:
        worlds: World files (TOML) with venues of the lab (sim_binance and so on).
        seeds: Run every world with each of these; without them each world with its place in the list.
        real: Folder of recorded market data, such as ../shared/data: how daily liquidations were foreseen.
        only_real: Leave the simulated worlds out.
        limits: Also what keeps the map from the truth: the training worlds with secrets told, some minutes more.
        page: Also write everything as a Markdown page.
        workers: Processes.
        as_json: Print JSON.
    """
    from airpocket.delivery.warmup import compiling
    from airpocket.domain.errors import BadInput

    if not 1 <= workers <= 64:
        raise BadInput("--workers must lie between 1 and 64")
    if any(not 0 <= seed < 2**63 for seed in seeds or []):
        raise BadInput("--seeds must lie between 0 and 2^63 - 1")
    if only_real and real is None:
        raise BadInput("--only-real needs --real FOLDER")
    with compiling():
        from airpocket.evaluation.page import Evidence, markdown
        from airpocket.evaluation.real import real_scores
        from airpocket.evaluation.suite import bundled_worlds, jobs_of, run_suite, trained

        jobs = jobs_of(worlds or bundled_worlds("score"), seeds or [])
        suite = None if only_real else run_suite(jobs, min(workers, len(jobs)), _told)
        found = Evidence(
            suite,
            None if real is None else real_scores(real),
            trained(min(workers, len(bundled_worlds("train")))) if limits else None,
        )
    if page is not None:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(markdown(found), encoding="utf-8")
    _print(found, as_json=as_json)
    return 0


def impact(
    *,
    real: Path | None = None,
    only_real: Annotated[bool, Parameter(negative="")] = False,
    page: Path | None = None,
    workers: int = 2,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Measure impact, resilience, depth and retrace: on worlds whose answers are known, and on recorded data.

    docs/evidence/impact.md is such a run, docs/cascade.md says how each figure is measured.

    Args:
        real: Folder of recorded market data, such as ../shared/data, with `wire` beside it.
        only_real: Leave the simulated worlds out.
        page: Also write everything as a Markdown page.
        workers: Processes.
        as_json: Print JSON.
    """
    from airpocket.delivery.files import write_text
    from airpocket.delivery.warmup import compiling
    from airpocket.domain.errors import BadInput

    if not 1 <= workers <= 64:
        raise BadInput("--workers must lie between 1 and 64")
    if only_real and real is None:
        raise BadInput("--only-real needs --real FOLDER")
    with compiling():
        from airpocket.evaluation.impact_lab import recoveries
        from airpocket.evaluation.impact_page import ImpactEvidence, as_data, markdown, tables
        from airpocket.evaluation.impact_real import real_impact

        recorded = None if real is None else real_impact(real)
        found = ImpactEvidence(() if only_real else recoveries(workers, _told), recorded)
    if page is not None:
        page.parent.mkdir(parents=True, exist_ok=True)
        write_text(page, markdown(found))
    _show(as_data(found) if as_json else None, tables(found))
    return 0


def cascade(
    worlds: Annotated[list[Path] | None, Parameter(negative="")] = None,
    /,
    *,
    on: Literal["perp", "spot", "alone"] = "perp",
    runs: int = 6,
    moments: int = 7,
    page: Path | None = None,
    workers: int = 2,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Push simulated markets by known amounts and score where the cascade said that price would stop.

    Takes any world file; without one, the eleven that come along and were never tuned on.
    docs/evidence/cascade.md is such a run, some minutes on two cores.

    Args:
        worlds: World files (TOML) with a spot venue and a perpetual.
        on: What is pushed in world files of one's own: the first perpetual; the first spot book; or the
            perpetual again, asked about alone, with no book but its own. The bundled ones know.
        runs: Runs of each world, each with a seed of its own.
        moments: Pushes into each run, a quarter of an hour apart.
        page: Also write everything as a Markdown page.
        workers: Processes.
        as_json: Print JSON.
    """
    from airpocket.delivery.warmup import compiling
    from airpocket.domain.errors import BadInput

    for name, value, most in (
        ("workers", workers, 64),
        ("runs", runs, 999),
        ("moments", moments, 15),
    ):
        if not 1 <= value <= most:
            raise BadInput(f"--{name} must lie between 1 and {most}")
    with compiling():
        from airpocket.evaluation.cascade_page import as_data, markdown, tables
        from airpocket.evaluation.cascades import bundled_jobs, jobs_of, run_cascades

        jobs = (
            jobs_of(worlds, runs, moments, on) if worlds else bundled_jobs("score", runs, moments)
        )
        found = run_cascades(jobs, min(workers, len(jobs)), _told)
    if page is not None:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(markdown(found), encoding="utf-8")
    _show(as_data(found) if as_json else None, tables(found))
    return 0


def census(
    asset: str,
    /,
    *,
    venue: str = "hyperliquid",
    store: Path = Path("store"),
    days: int = 14,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Hold the modelled map of a venue against what its public accounts hold (airpocket census).

    What accounts hold is scaled to open interest, as if those who were not counted held alike: with little of it
    counted, that is a guess too.

    Args:
        asset: The coin, such as ETH.
        venue: Whose accounts are stored.
        store: Folder of the store.
        days: How far back, a moment a day.
        as_json: Print JSON.
    """
    from airpocket.delivery.cli.printing import print_json, print_table, say
    from airpocket.delivery.warmup import compiling
    from airpocket.domain.errors import BadInput, NothingKnown

    if not 1 <= days <= 400:
        raise BadInput("--days must lie between 1 and 400")
    with compiling():
        from dataclasses import asdict

        from airpocket.delivery.answers import census_maps
        from airpocket.evaluation.census import against_census, summed

        rows = [
            row for each in census_maps(asset, store, venue, days) for row in against_census(each)
        ]
    if not rows:
        raise NothingKnown(
            f"no census of {asset} on {venue} that holds a twentieth of a side's open interest"
        )
    if as_json:
        print_json({"rows": [asdict(row) | {"verdict": row.verdict} for row in rows]})
        return 0
    print_table(
        f"{asset} on {venue}: modelled against counted, at least {min(r.coverage for r in rows):.0%} of a side",
        ["within", "moments", "error", "modelled over counted", "inside 80 %"],
        [
            [f"{p:+g} %", f"{n}", f"{e:.2f}", f"{b:.2f}", f"{100 * i:.0f} %"]
            for p, n, e, b, i in summed(rows)
        ],
        right={"moments", "error", "modelled over counted", "inside 80 %"},
    )
    say(
        "Counted: what accounts hold, scaled to open interest as if the rest held alike. The model saw no account."
    )
    return 0


def levels(
    *,
    real: Path,
    page: Path | None = None,
    weights: Path | None = None,
    workers: int = 2,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Hold every kind of level against placebo prices, over all years recorded, and learn what each is worth.

    docs/evidence/levels.md is such a run, some minutes on two cores.

    Args:
        real: Folder of recorded market data, such as ../shared/data.
        page: Also write everything as a Markdown page.
        weights: Also write what was learned as the table that the roadmap reads (src/airpocket/levels/learned.py).
        workers: Processes; two can be used.
        as_json: Print JSON.
    """
    from airpocket.delivery.files import write_text
    from airpocket.delivery.warmup import compiling
    from airpocket.domain.errors import BadInput

    if not 1 <= workers <= 64:
        raise BadInput("--workers must lie between 1 and 64")
    with compiling():
        from airpocket.evaluation.level_history import known_histories
        from airpocket.evaluation.level_page import as_data, learned_source, markdown, tables
        from airpocket.evaluation.level_study import study_of

        study = study_of(known_histories(real, workers, _told))
    if page is not None:
        page.parent.mkdir(parents=True, exist_ok=True)
        write_text(page, markdown(study))
    if weights is not None:
        write_text(weights, learned_source(study))
    _show(as_data(study) if as_json else None, tables(study))
    return 0


def _told(name: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"scored {name}\n")


def _print(found: "Evidence", *, as_json: bool) -> None:
    from airpocket.evaluation.page import as_data, tables

    _show(as_data(found) if as_json else None, tables(found))


def _show(data: dict[str, object] | None, shown: "Sequence[Shown]") -> None:
    """The data as JSON where there is any, else the tables."""
    from airpocket.delivery.cli.printing import print_json, print_table, say

    if data is not None:
        print_json(data)
        return
    for table in shown:
        print_table(table.title, table.columns, table.rows, right=set(table.columns[1:]))
        for sentence in table.notes:
            say(sentence)
