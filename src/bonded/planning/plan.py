"""Plan: exactly the wheels a runtime lacks of some requirements, or why there is no answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from packaging.requirements import Requirement
from packaging.utils import NormalizedName
from packaging.version import Version

from bonded.model.files import File, Project
from bonded.model.plans import Extra, Override, Plan, Present
from bonded.model.problems import NotFound
from bonded.model.runtimes import Installed, Runtime
from bonded.planning.asks import Question, Shop, Solution, Solver
from bonded.planning.closure import Wants, follow
from bonded.planning.held import held_back
from bonded.planning.provision import Provisioned
from bonded.planning.relax import clashes, overrides
from bonded.planning.stubs import Stock
from bonded.planning.wheels import Fit
from bonded.planning.why import reasons

Versions = Mapping[NormalizedName, Version]


@dataclass(frozen=True)
class Planner:
    """Plans for one runtime from one index.

    `allowed` names preinstalled packages that may be replaced; `explain_seconds` is how long to
    look for the smallest set of overrides that would solve a conflict.
    """

    solver: Solver
    runtime: Runtime
    shop: Shop
    before: datetime | None = None
    allowed: frozenset[NormalizedName] = frozenset()
    explain_seconds: float = 60.0

    @cached_property
    def pins(self) -> Mapping[NormalizedName, Installed]:
        """What is installed and known by its version, by name."""
        return {i.name: i for i in self.runtime.python_packages}

    @cached_property
    def fit(self) -> Fit:
        """Which wheels the runtime takes."""
        return Fit(self.runtime, self.before)

    @cached_property
    def _stock(self) -> Stock:
        return Stock.of(self.runtime.name, self.pins.values())

    def provisioned(self, free: frozenset[NormalizedName] = frozenset()) -> Provisioned:
        """The index a resolver is given; what is in `free` comes from the index."""
        return Provisioned(self._stock, self.shop, self.runtime.owned_names - free)

    async def plan(self, requirements: Sequence[Requirement]) -> Plan:
        """Plan. Raises `Unavailable` when the index cannot be reached."""
        empty = Plan(
            runtime=self.runtime.name,
            requirements=tuple(str(r) for r in requirements),
            solved=False,
        )
        shop = self.provisioned(self.allowed)
        solution = await self.solve(requirements, shop)
        if solution.versions is not None:
            return await self._solved(empty, requirements, solution.versions, shop)
        return await self._unsolved(empty, requirements, solution)

    async def solve(self, requirements: Iterable[Requirement], shop: Shop) -> Solution:
        """Ask the resolver."""
        question = Question(
            requirements=tuple(str(r) for r in requirements),
            runtime=self.runtime,
            shop=shop,
            exclude_newer=self.before,
        )
        return await self.solver.solve(question)

    async def wants(
        self, roots: Iterable[Requirement], versions: Versions, shop: Provisioned
    ) -> tuple[Wants, dict[NormalizedName, File]]:
        """Who wants what of a solution, and the wheel of each of its names."""
        files = await self._files(versions, shop)

        async def about(name: NormalizedName) -> bytes | None:
            return await shop.metadata(files[name]) if name in files else None

        return await follow(roots, about, self.runtime.environment()), files

    async def _files(self, versions: Versions, shop: Shop) -> dict[NormalizedName, File]:
        projects = await asyncio.gather(*(shop.project(name) for name in versions))
        chosen = {p.name: self._wheel(p, versions[p.name]) for p in projects}
        return {name: file for name, file in chosen.items() if file is not None}

    def _wheel(self, project: Project, version: Version) -> File | None:
        if project.name in self.pins and self.pins[project.name].version == version:
            stub = self._stock.stubs[project.name]
            return next((f for f in project.files if f == stub.file), None) or self.fit.best(
                project.files, version
            )
        return self.fit.best(project.files, version)

    async def _solved(
        self, plan: Plan, roots: Sequence[Requirement], versions: Versions, shop: Provisioned
    ) -> Plan:
        wants, files = await self.wants(roots, versions, shop)
        added = {n: v for n, v in versions.items() if not self._is_installed(n, v)}
        lacking = [name for name in added if name not in files]
        if lacking:
            raise NotFound(
                f"The index lists no wheel any more for {', '.join(sorted(lacking))}.",
                code="wheel-gone",
                hint="Plan again.",
            )
        held = await held_back(self, added, roots, shop)
        sizes = dict(
            zip(added, await asyncio.gather(*(shop.size(files[n]) for n in added)), strict=True)
        )
        return replace(
            plan,
            solved=True,
            extras=tuple(
                Extra(
                    name=n,
                    version=v,
                    file=replace(files[n], size=sizes[n]),
                    wanted_by=wants.wanters(n),
                )
                for n, v in sorted(added.items())
            ),
            satisfied=self._satisfied(wants, versions),
            held_back=held,
            overrides=self._replaced(added),
            warnings=(*self.runtime.warnings, *self._unchecked(wants), *wants.warnings),
        )

    def _is_installed(self, name: NormalizedName, version: Version) -> bool:
        return name in self.pins and self.pins[name].version == version

    def _satisfied(self, wants: Wants, versions: Versions) -> tuple[Present, ...]:
        return tuple(
            Present(name=n, version=v, wanted_by=wants.wanters(n))
            for n, v in sorted(versions.items())
            if self._is_installed(n, v)
        )

    def _replaced(self, added: Versions) -> tuple[Override, ...]:
        return tuple(
            Override(name=n, pinned=pinned, version=v)
            for n, v in sorted(added.items())
            if n in self.pins and (pinned := self.pins[n].version) is not None
        )

    def _unchecked(self, wants: Wants) -> list[str]:
        """Extras of preinstalled packages of which it is not known what they need."""
        found: dict[str, None] = {}
        for name, asked in wants.by.items():
            pin = self.pins.get(name)
            for requirement in asked.values():
                if pin is not None and requirement.extras and not pin.known_metadata:
                    extras = ",".join(sorted(requirement.extras))
                    found[
                        f"{name}[{extras}] is preinstalled, and what the extra needs is not known:"
                        " it was not checked."
                    ] = None
        return list(found)

    async def _unsolved(self, plan: Plan, roots: Sequence[Requirement], solution: Solution) -> Plan:
        """What stands in the way: pins that could give way, or nothing that could help."""
        found = await overrides(self, roots)
        if found is None:
            why = await reasons(self, roots, solution)
            return replace(plan, reasons=why, warnings=self.runtime.warnings)
        return replace(
            plan,
            conflicts=await clashes(self, roots, found),
            overrides=found.overrides,
            smallest=found.smallest,
            warnings=self.runtime.warnings,
        )
