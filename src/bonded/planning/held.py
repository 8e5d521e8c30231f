"""Held back: extras that are older than they could be because of what a runtime has."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from bonded.model.plans import HeldBack
from bonded.model.problems import Problem
from bonded.planning.closure import applicable
from bonded.planning.provision import Provisioned

if TYPE_CHECKING:
    from bonded.planning.plan import Planner

Versions = Mapping[NormalizedName, Version]
#: How far to follow requirements from the newest version to a pin that it does not meet.
DEEPEST = 4


@dataclass
class Blame:
    """Pins of the runtime, and the requirements through which they hold something back."""

    pins: dict[str, None] = field(default_factory=dict)
    needs: dict[str, None] = field(default_factory=dict)


async def held_back(
    planner: Planner, added: Versions, roots: Sequence[Requirement], shop: Provisioned
) -> tuple[HeldBack, ...]:
    """Compare each extra with its newest usable version, and find the pins in that one's metadata.

    It takes no second solve. A version that the requirements rule out themselves is not held back.
    """
    search = _Search(planner, added, shop)
    wanted = {canonicalize_name(r.name): r for r in roots}
    found = await asyncio.gather(
        *(search.of(name, wanted.get(name) or Requirement(name)) for name in sorted(added))
    )
    return tuple(h for h in found if h is not None)


@dataclass
class _Search:
    planner: Planner
    added: Versions
    shop: Provisioned

    async def of(self, name: NormalizedName, root: Requirement) -> HeldBack | None:
        """Why an extra is not at its newest version; None if it is, or no pin is to blame."""
        chosen = self.added[name]
        newest = await self._newest(root, pre=chosen.is_prerelease)
        if newest is None or newest <= chosen:
            return None
        blame = Blame()
        await self._blame(root, newest, blame, (name,))
        if not blame.pins:
            return None
        return HeldBack(
            name=name,
            version=chosen,
            newest=newest,
            pins=tuple(blame.pins),
            needs=tuple(blame.needs),
        )

    async def _newest(self, requirement: Requirement, *, pre: bool = False) -> Version | None:
        try:
            project = await self.shop.project(canonicalize_name(requirement.name))
        except Problem:
            return None
        return self.planner.fit.newest(project, requirement.specifier, pre=pre)

    async def _blame(
        self,
        requirement: Requirement,
        version: Version,
        blame: Blame,
        above: tuple[NormalizedName, ...],
    ) -> bool:
        """Whether a version needs what the runtime's pins rule out; says which in `blame`."""
        guilty = False
        for need in await self._needs(requirement, version):
            further = Blame()
            if await self._unmet(need, further, above):
                blame.needs[f"{requirement.name} {version} needs {_plain(need)}"] = None
                blame.needs |= further.needs
                blame.pins |= further.pins
                guilty = True
        return guilty

    async def _unmet(
        self, need: Requirement, blame: Blame, above: tuple[NormalizedName, ...]
    ) -> bool:
        name = canonicalize_name(need.name)
        pin = self.planner.pins.get(name)
        if pin is not None and name not in self.added:
            if pin.version is None or need.specifier.contains(pin.version, prereleases=True):
                return False
            blame.pins[f"{name}=={pin.version}"] = None
            return True
        chosen = self.added.get(name)
        met = chosen is not None and need.specifier.contains(chosen, prereleases=True)
        if met or name in above or len(above) >= DEEPEST:
            return False
        newest = await self._newest(need)
        return newest is not None and await self._blame(need, newest, blame, (*above, name))

    async def _needs(self, requirement: Requirement, version: Version) -> Iterable[Requirement]:
        name = canonicalize_name(requirement.name)
        try:
            file = self.planner.fit.best((await self.shop.project(name)).files, version)
            about = await self.shop.metadata(file) if file is not None else b""
        except Problem:
            return []
        return applicable(about, requirement.extras, self.planner.runtime.environment())


def _plain(requirement: Requirement) -> str:
    return f"{requirement.name}{requirement.specifier}"
