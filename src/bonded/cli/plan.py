"""`bonded plan`: exactly the wheels a runtime lacks."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bonded.cli.common import Json, as_json, say, table, told

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from bonded.model.plans import Plan
    from bonded.model.runtimes import Runtime

#: How many pins and needs are told in a line.
SHOWN = 3
Asked = Annotated[list[str] | None, typer.Argument(metavar="REQUIREMENT…", help="What is wanted.")]
Files = Annotated[
    list[Path] | None,
    typer.Option("-r", "--requirement", metavar="FILE", help="Requirements in a file; repeat."),
]
RuntimeName = Annotated[
    str,
    typer.Option(
        "--runtime", metavar="R", help="A runtime (bonded runtime list), or a plain target."
    ),
]
Indexes = Annotated[
    list[str] | None,
    typer.Option(
        "--index",
        metavar="URL",
        help="Take packages from this index; repeat. [default: this machine's default index]",
    ),
]
Feeds = Annotated[
    list[str] | None,
    typer.Option("--feed", metavar="F", help="Take packages from this feed first; repeat."),
]
Before = Annotated[
    str | None,
    typer.Option(metavar="DATE", help="As of this date: nothing that was uploaded later."),
]
Allowed = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-override", metavar="NAME", help="This preinstalled package may be replaced."
    ),
]


def plan(
    requirements: Asked = None,
    runtime: RuntimeName = "",
    requirement: Files = None,
    index: Indexes = None,
    feed: Feeds = None,
    exclude_newer: Before = None,
    allow_override: Allowed = None,
    explain_seconds: Annotated[
        float, typer.Option(min=0, help="How long to look for the smallest set of overrides.")
    ] = 60.0,
    json: Json = False,
) -> None:
    """Say which wheels a runtime lacks of some requirements, or what stands in the way.

    Exit code 0: solved. 1: there is no solution. 2: bad input. 3: the index cannot be reached.
    """
    with told():
        roots = _roots(requirements or [], requirement or [])
        found = _plan(
            roots,
            _runtime(runtime),
            [*(("feed", f) for f in feed or []), *(("index", i) for i in index or [])],
            _date(exclude_newer),
            allow_override or [],
            explain_seconds,
        )
    if json:
        as_json(_as_dict(found))
    else:
        _print(found)
    raise typer.Exit(0 if found.solved else 1)


def _plan(
    roots: list[Requirement],
    runtime: Runtime,
    sources: list[tuple[str, str]],
    before: datetime | None,
    allowed: list[str],
    explain_seconds: float,
) -> Plan:
    from bonded.app.planner import Uv, shop
    from bonded.model.names import project_name
    from bonded.planning.plan import Planner
    from bonded.settings import data_folder

    async def go() -> Plan:
        async with shop(data_folder(), sources) as counter:
            planner = Planner(
                solver=Uv(),
                runtime=runtime,
                shop=counter,
                before=before,
                allowed=frozenset(project_name(name) for name in allowed),
                explain_seconds=explain_seconds,
            )
            return await planner.plan(roots)

    return asyncio.run(go())


def _roots(texts: list[str], files: list[Path]) -> list[Requirement]:
    from bonded.model.problems import BadInput
    from bonded.planning import asked

    roots = [asked.parse(text) for text in texts]
    for path in files:
        roots += asked.read(path)
    if not roots:
        raise BadInput(
            "There is nothing to plan.",
            code="no-requirements",
            hint="Give requirements, such as great-expectations, or a file with -r.",
        )
    return roots


def _runtime(name: str) -> Runtime:
    from bonded.model.problems import BadInput
    from bonded.planning.runtimes.library import Library
    from bonded.settings import data_folder

    if not name:
        raise BadInput(
            "Say for which runtime: --runtime R.",
            code="no-runtime",
            hint="See 'bonded runtime list'; a plain target is python-3.12/manylinux_2_28/x86_64.",
        )
    return Library(data_folder()).get(name)


def _date(text: str | None) -> datetime | None:
    from bonded.model.problems import BadInput

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(
            f"{text!r} is not a date.", code="bad-date", hint="Write 2026-08-01."
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _as_dict(plan: Plan) -> dict[str, object]:
    return {
        "runtime": plan.runtime,
        "requirements": plan.requirements,
        "solved": plan.solved,
        "extras": [
            {
                "name": e.name,
                "version": str(e.version),
                "filename": e.file.filename,
                "size": e.file.size,
                "sha256": e.file.sha256,
                "wanted_by": e.wanted_by,
            }
            for e in plan.extras
        ],
        "satisfied": plan.satisfied,
        "held_back": plan.held_back,
        "conflicts": plan.conflicts,
        "overrides": plan.overrides,
        "smallest": plan.smallest,
        "warnings": plan.warnings,
        "reasons": plan.reasons,
    }


def _print(plan: Plan) -> None:
    for warning in plan.warnings:
        say(f"warning: {warning}")
    if plan.solved:
        _print_solved(plan)
    else:
        _print_unsolved(plan)


def _print_solved(plan: Plan) -> None:
    rows: list[dict[str, object]] = [
        {
            "extra": e.name,
            "version": e.version,
            "size": e.file.size,
            "wheel": e.file.filename,
            "wanted by": e.wanted_by,
        }
        for e in plan.extras
    ]
    table(rows, json=False, empty=f"{plan.runtime} has all of it: no extra wheel is needed.")
    size = sum(e.file.size or 0 for e in plan.extras)
    say(f"{len(plan.extras)} extra wheels, {size} bytes; {len(plan.satisfied)} preinstalled.")
    for held in plan.held_back:
        say(
            f"held back: {held.name} {held.version}, where {held.newest} is there: the runtime has"
            f" {_few(held.pins)} ({_few(held.needs, '; ')})"
        )
    for override in plan.overrides:
        say(f"replaces: {override.name} {override.pinned} of the runtime by {override.version}")


def _few(texts: tuple[str, ...], glue: str = ", ") -> str:
    """The first of them; `--json` has all."""
    more = f"{glue}and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
    return glue.join(texts[:SHOWN]) + more


def _print_unsolved(plan: Plan) -> None:
    say(f"no solution: {', '.join(plan.requirements)} on {plan.runtime}")
    for clash in plan.conflicts:
        say(f"  {clash.wanted_by}: {clash.requirement}, and the runtime has {clash.pinned}")
    for reason in plan.reasons:
        say(f"  {reason}")
    if plan.overrides:
        names = " ".join(f"--allow-override {o.name}" for o in plan.overrides)
        kind = "the smallest set" if plan.smallest else "a set, perhaps not the smallest"
        say(f"hint: it is solved by replacing {kind} of preinstalled packages: {names}")
