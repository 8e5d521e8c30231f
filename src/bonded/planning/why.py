"""No solution, even with every pin relaxed: what of it can be told in a few lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bonded.model.files import File, Project
from bonded.model.problems import Problem
from bonded.planning.asks import Solution

if TYPE_CHECKING:
    from bonded.planning.plan import Planner

#: Names of packages in the resolver's words, up to the version or the verb.
_NAMED = re.compile(
    r"\b([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?(?=[=<>!~]=?|\s+(?:was|has|needs))"
)
MOST = 8


async def reasons(
    planner: Planner, roots: Sequence[Requirement], solution: Solution
) -> tuple[str, ...]:
    """At most a few lines: what is wrong with the projects that the resolver names."""
    named = [canonicalize_name(r.name) for r in roots]
    named += [canonicalize_name(name) for name in _NAMED.findall(solution.trouble)]
    specifiers = {canonicalize_name(r.name): r for r in roots}
    lines: list[str] = []
    for name in dict.fromkeys(named):
        try:
            project = await planner.provisioned().project(name)
        except Problem:
            continue
        lines += _of_project(planner, project, specifiers.get(name))
    return tuple(lines[:MOST]) or (_condensed(solution.trouble),)


def _of_project(planner: Planner, project: Project, root: Requirement | None) -> Iterator[str]:
    if project.absent is not None:
        if root is not None:
            yield f"{project.name}: {project.absent}."
        return
    wanted = [f for f in project.files if root is None or _matches(root, f)]
    if not wanted and root is not None:
        newest = max((f.version for f in project.files), default=None)
        yield f"{project.name}: no version meets {root.specifier} (the newest is {newest})."
    elif wanted and not any(planner.fit.usable(f) for f in wanted):
        yield f"{project.name}: {_no_wheel(planner, project, wanted)}."


def _matches(root: Requirement, file: File) -> bool:
    return root.specifier.contains(file.version, prereleases=True)


def _no_wheel(planner: Planner, project: Project, wanted: list[File]) -> str:
    fit, runtime = planner.fit, planner.runtime
    newest = max(f.version for f in wanted)
    other = fit.newest(project, pre=True)
    also = f"; the newest version with a usable wheel is {other}" if other else ""
    wheels = [f for f in wanted if f.is_wheel and fit.in_time(f)]
    if not any(fit.in_time(f) for f in wanted):
        return f"nothing of it was there by then{also}"
    if not wheels:
        return f"it comes as source only (newest {newest}), and nothing is built here{also}"
    pythons = {f.requires_python for f in wheels if not fit.python(f) and f.requires_python}
    if not any(fit.python(f) for f in wheels):
        needs = ", ".join(sorted(pythons)[:3])
        older = [f.version for f in wanted if not f.is_wheel]
        source = f"; older ones, up to {max(older)}, come as source only" if older else ""
        return (
            f"its wheels need Python {needs}, and {runtime.name} has {runtime.python}{source}{also}"
        )
    here = f"Python {runtime.python} on {runtime.platform}"
    return f"no wheel of it (newest {newest}) is for {here}{also}"


def _condensed(trouble: str) -> str:
    lines = [line.strip(" \u2570\u2500\u25b6\u2502\u00d7") for line in trouble.splitlines()]
    text = " ".join(line for line in lines if line)
    return text if len(text) <= 600 else text[:600].rsplit(" ", 1)[0] + " …"
