"""`airpocket evaluate`: what the models say held against truth, baselines and placebos."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from airpocket.evaluation.page import Evidence


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


def _told(name: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"scored {name}\n")


def _print(found: "Evidence", *, as_json: bool) -> None:
    from airpocket.delivery.cli.printing import print_json, print_table, say
    from airpocket.evaluation.page import as_data, tables

    if as_json:
        print_json(as_data(found))
        return
    for table in tables(found):
        print_table(table.title, table.columns, table.rows, right=set(table.columns[1:]))
        for sentence in table.notes:
            say(sentence)
