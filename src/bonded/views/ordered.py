"""Several indexes, asked in order."""

from __future__ import annotations

from dataclasses import dataclass, replace

from packaging.utils import NormalizedName

from bonded.model.files import Project
from bonded.ports import Index


@dataclass(frozen=True)
class Ordered:
    """The first index that knows a name answers for it whole.

    One that fails is not passed over: its `Unavailable` goes up, because the next one may have a
    stranger's project of that name. One that owns the name ends the search too.
    """

    indexes: tuple[Index, ...]

    async def project(self, name: NormalizedName) -> Project:
        """The project, from the first index that knows or owns its name."""
        answer = Project(name=name, absent="there is no upstream to ask for it")
        for index in self.indexes:
            found = await index.project(name)
            # What was asked in vain counts too: it may come to know the name.
            answer = replace(
                found,
                basis=answer.basis | found.basis,
                hidden=(*answer.hidden, *found.hidden),
            )
            if answer.absent is None or answer.owned:
                break
        return answer
