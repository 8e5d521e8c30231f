"""What the planner asks of others: an index whose wheels can be looked into, and a resolver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from packaging.utils import NormalizedName
from packaging.version import Version

from bonded.model.files import File, Project
from bonded.model.runtimes import Runtime


class Shop(Protocol):
    """An index whose wheels can be looked into."""

    async def project(self, name: NormalizedName) -> Project:
        """The project, or one that is `absent`. Raises `Unavailable` if that cannot be known."""

    async def metadata(self, file: File) -> bytes:
        """METADATA of a wheel. Raises `NotFound` or `Unavailable`."""

    async def size(self, file: File) -> int | None:
        """The size of a file in bytes, where it can be known without reading it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Requirements to be solved for a runtime from one index, as of a date."""

    requirements: tuple[str, ...]
    runtime: Runtime
    shop: Shop
    exclude_newer: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """Versions by name, or None and the resolver's own words of why there are none."""

    versions: Mapping[NormalizedName, Version] | None
    trouble: str = ""


class Solver(Protocol):
    """A resolver that takes wheels only and builds nothing."""

    async def solve(self, question: Question) -> Solution:
        """Solve. Raises `Unavailable` when the index could not be reached."""
