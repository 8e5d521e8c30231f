"""Metadata that was found out about wheels whose upstream has none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from packaging.utils import NormalizedName

from bonded.model.files import File, Kind, Project
from bonded.ports import Index, Transaction, UnitOfWork

Made = Mapping[tuple[str, str | None], str]


@dataclass(frozen=True)
class Described:
    """Advertises metadata that was made from a wheel's tail (PEP 658), once it is at hand."""

    index: Index
    uow: UnitOfWork = field(repr=False)

    async def project(self, name: NormalizedName) -> Project:
        """The project, its wheels described where they can be."""
        project = await self.index.project(name)
        numbers = {f.source.upstream for f in project.files if _lacks(f)} - {None}
        if not numbers:
            return project

        def look(tx: Transaction) -> dict[int, Made]:
            return {n: tx.metadata.described(n, name) for n in numbers if n is not None}

        made = await self.uow.read(look)
        return replace(project, files=tuple(_with(f, made) for f in project.files))


def _lacks(file: File) -> bool:
    return file.source.kind is Kind.UPSTREAM and file.metadata is None and file.is_wheel


def _with(file: File, made: Mapping[int, Made]) -> File:
    if not _lacks(file) or file.source.upstream is None:
        return file
    found = made[file.source.upstream].get((file.filename, file.sha256))
    return replace(file, metadata=found) if found else file
