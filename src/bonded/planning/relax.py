"""A conflict with what is installed: which pins would have to give way, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from time import monotonic
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import NormalizedName

from bonded.model.plans import Clash, Override
from bonded.model.runtimes import Nature
from bonded.planning.asks import Solution

if TYPE_CHECKING:
    from bonded.planning.plan import Planner, Versions

#: Up to how many packages at once are tried as the smallest set, before taking away one by one.
TOGETHER = 2


@dataclass(frozen=True)
class Relaxed:
    """Preinstalled packages whose override solves a conflict, and that solution."""

    overrides: tuple[Override, ...]
    versions: Versions
    smallest: bool


async def overrides(planner: Planner, roots: Sequence[Requirement]) -> Relaxed | None:
    """The smallest set of public preinstalled packages to override; None if even all do not help.

    What is private is never looked up on the index, and so can never be overridden.
    """
    free = frozenset(n for n, i in planner.pins.items() if i.nature is not Nature.PRIVATE)
    relaxed = await planner.solve(roots, planner.provisioned(free))
    if relaxed.versions is None:
        return None
    moved = sorted(_moved(planner, relaxed.versions) - planner.allowed)
    return await _Search(planner, roots, moved, relaxed).run()


def _moved(planner: Planner, versions: Versions) -> frozenset[NormalizedName]:
    return frozenset(n for n, i in planner.pins.items() if versions.get(n, i.version) != i.version)


class _Search:
    def __init__(
        self,
        planner: Planner,
        roots: Sequence[Requirement],
        moved: list[NormalizedName],
        relaxed: Solution,
    ) -> None:
        assert relaxed.versions is not None
        self.planner, self.roots, self.moved = planner, roots, moved
        self.best: tuple[frozenset[NormalizedName], Versions] = frozenset(moved), relaxed.versions
        self.end = monotonic() + planner.explain_seconds

    async def run(self) -> Relaxed:
        """Put pins back one by one, then see whether one or two packages alone would do."""
        smallest = await self._take_away() and await self._few()
        names, versions = self.best
        found = [
            Override(name=name, pinned=pinned, version=versions[name])
            for name in sorted(names)
            if (pinned := self.planner.pins[name].version) is not None and name in versions
        ]
        return Relaxed(tuple(found), versions, smallest)

    async def _take_away(self) -> bool:
        """Whether time was enough to find that none of what is left can be put back."""
        for name in self.moved:
            if monotonic() > self.end:
                return False
            if name in self.best[0] and len(self.best[0]) > 1:
                await self._try(self.best[0] - {name})
        return True

    async def _few(self) -> bool:
        """Whether time was enough to try all the smaller sets of what has moved."""
        for count in range(1, len(self.best[0])):
            if count > TOGETHER:
                return False
            for names in combinations(self.moved, count):
                if monotonic() > self.end:
                    return False
                if await self._try(frozenset(names)):
                    return True
        return True

    async def _try(self, names: frozenset[NormalizedName]) -> bool:
        free = names | self.planner.allowed
        solution = await self.planner.solve(self.roots, self.planner.provisioned(free))
        if solution.versions is None:
            return False
        self.best = names & _moved(self.planner, solution.versions), solution.versions
        return True


async def clashes(
    planner: Planner, roots: Sequence[Requirement], found: Relaxed
) -> tuple[Clash, ...]:
    """The requirements that the pins to be overridden do not meet."""
    free = frozenset(o.name for o in found.overrides)
    shop = planner.provisioned(free | planner.allowed)
    wants, _ = await planner.wants(roots, found.versions, shop)
    return tuple(
        Clash(
            wanted_by=_with_version(key.partition(":")[0], found.versions),
            requirement=str(requirement),
            name=override.name,
            pinned=override.pinned,
        )
        for override in found.overrides
        for key, requirement in wants.by.get(override.name, {}).items()
        if not requirement.specifier.contains(override.pinned, prereleases=True)
    )


def _with_version(wanter: str, versions: Versions) -> str:
    version = versions.get(NormalizedName(wanter))
    return f"{wanter} {version}" if version is not None else wanter
