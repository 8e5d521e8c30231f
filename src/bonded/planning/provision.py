"""An index that is a runtime's stock for the runtime's own names, and another for all others."""

from __future__ import annotations

from dataclasses import dataclass, field

from packaging.utils import NormalizedName

from bonded.model.files import File, Project
from bonded.planning.asks import Shop
from bonded.planning.stubs import Stock


@dataclass(frozen=True)
class Provisioned:
    """What is installed answers for `names`; `rest` is never asked for them."""

    stock: Stock
    rest: Shop
    names: frozenset[NormalizedName] = field(repr=False)

    async def project(self, name: NormalizedName) -> Project:
        """The project, from the stock if the name is the runtime's."""
        return await (self.stock if name in self.names else self.rest).project(name)

    async def metadata(self, file: File) -> bytes:
        """METADATA of a stub, or of a wheel of the rest."""
        stub = self.stock.stubs.get(file.project)
        if file.project in self.names and stub is not None:
            return stub.metadata
        return await self.rest.metadata(file)

    async def size(self, file: File) -> int | None:
        """The size of a file in bytes, where it can be known without reading it."""
        return file.size if file.size is not None else await self.rest.size(file)
