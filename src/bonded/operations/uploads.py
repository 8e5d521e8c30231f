"""Take an upload: check it, keep its bytes, and list it in one short transaction."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from bonded.model.feeds import Claim, Feed
from bonded.model.files import File, Kind, Source
from bonded.model.names import Pattern, distribution
from bonded.model.problems import BadInput, Conflict, Forbidden, Unavailable
from bonded.operations.feeds import as_it_is
from bonded.operations.sweep import Sweep
from bonded.ports import BlobStore, Clock, Row, Spooled, Transaction, UnitOfWork
from bonded.simple.archives import Described, inspect

#: The digests a form may carry beside sha256 (the legacy upload API).
_DIGESTS: Mapping[str, Callable[[], Any]] = {
    "md5": lambda: hashlib.md5(usedforsecurity=False),
    "blake2_256": lambda: hashlib.blake2b(digest_size=32),
}
#: How often to put the bytes again should a sweep take them before they are listed.
TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """An upload as received: the bytes, and what its sender says of them.

    `digests` are hex by algorithm (`sha256`, `md5`, `blake2_256`).
    """

    filename: str
    spooled: Spooled
    name: str | None = None
    version: str | None = None
    digests: Mapping[str, str] = field(default_factory=dict)


class Outcome(StrEnum):
    """What became of an upload."""

    ADDED = "added"
    THERE = "already there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What an uploader is told."""

    file: File
    outcome: Outcome


@dataclass(frozen=True)
class Uploads:
    """Takes uploads into feeds."""

    uow: UnitOfWork
    blobs: BlobStore
    clock: Clock

    async def accept(self, feed: Feed, actor: str, incoming: Incoming) -> Receipt:
        """Check, keep and list a file. What it raises has changed nothing.

        Raises `BadInput`, `Forbidden` or `Conflict` with what is wrong, `NoRoom` on a full disk.
        """
        await asyncio.to_thread(_check_digests, incoming)
        described = await asyncio.to_thread(_inspect, incoming)
        _check_claims(incoming, described)
        file = self._file(feed, incoming, described)
        found = await self.uow.read(lambda tx: _standing(tx, feed, file))
        if found is Outcome.THERE:
            return Receipt(file=file, outcome=found)
        sha256 = incoming.spooled.sha256()
        async with Sweep(self.uow, self.blobs).unless_listed(sha256):
            for _ in range(TRIES):
                await self.blobs.put(sha256, incoming.spooled)
                receipt = await self.uow.write(
                    lambda tx: self._list(tx, feed, actor, file, described)
                )
                if receipt is not None:
                    return receipt
        raise Unavailable("The file could not be kept; send it again.", code="swept", retry_after=1)

    def _file(self, feed: Feed, incoming: Incoming, described: Described) -> File:
        body = described.metadata
        return File(
            project=described.name,
            version=described.version,
            filename=incoming.filename,
            sha256=incoming.spooled.sha256(),
            size=incoming.spooled.size,
            uploaded=self.clock(),
            requires_python=described.requires_python,
            metadata=None if body is None else hashlib.sha256(body).hexdigest(),
            source=Source(kind=Kind.HOSTED, label=f"feed {feed.name}"),
        )

    def _list(
        self, tx: Transaction, feed: Feed, actor: str, file: File, described: Described
    ) -> Receipt | None:
        """List the file; None if its bytes were swept and must be put again."""
        current = as_it_is(tx, feed)
        outcome = _standing(tx, current, file)
        if outcome is Outcome.THERE:
            return Receipt(file=file, outcome=outcome)
        assert file.sha256 is not None
        if not self.blobs.there(file.sha256):
            return None
        _own(tx, current, file.project, self.clock())
        if described.metadata is not None:
            tx.metadata.put(described.metadata)
        if tx.files.find(current, file.filename) is not None:
            tx.files.adopt(current, file.filename)
        else:
            tx.files.add(current, Row(file=file, blob=file.sha256, kind=Kind.HOSTED))
        tx.audit.write(actor, "upload", current, file.filename, f"sha256 {file.sha256}")
        return Receipt(file=file, outcome=Outcome.ADDED)


def _own(tx: Transaction, feed: Feed, name: NormalizedName, now: datetime) -> None:
    """An upload claims its name."""
    known = tx.projects.get(feed, name)
    if known is None or known.kind is not Kind.HOSTED:
        tx.projects.put(feed, name, Kind.HOSTED)
    # Also where a pattern covers the name already: that claim may be given up one day.
    tx.claims.add(feed, Claim(pattern=Pattern(name), feed=feed.name, why="by upload", at=now))


def _standing(tx: Transaction, feed: Feed, file: File) -> Outcome:
    """Whether the file may be added, or is there; raises why it may not."""
    row = tx.files.find(feed, file.filename)
    if row is None:
        _check_spelling(file, tx.files.same(feed, file.filename))
    if row is not None and row.deleted is not None:
        raise BadInput(
            f"The filename {file.filename} was previously used by a file that was deleted, and"
            " cannot be used again.",
            code="filename-burned",
            hint="Build it with another version or build number.",
        )
    if row is not None and row.blob != file.sha256:
        raise Conflict(
            f"File already exists: {file.filename} is in the feed {feed.name} with other bytes.",
            code="file-exists",
            hint="What was published is never changed: raise the version.",
        )
    if row is not None and row.kind is Kind.HOSTED:
        return Outcome.THERE
    _may_upload(tx, feed, file.project)
    return Outcome.ADDED


def _check_spelling(file: File, same: Row | None) -> None:
    """The same file spelt otherwise is no way round what was published or deleted."""
    if same is None:
        return
    gone = "was deleted" if same.deleted is not None else "is there"
    raise Conflict(
        f"File already exists: {file.filename} is another spelling of {same.file.filename}, which"
        f" {gone}.",
        code="file-exists",
        hint="What was published is never changed: raise the version or the build number.",
    )


def _may_upload(tx: Transaction, feed: Feed, name: NormalizedName) -> None:
    known = tx.projects.get(feed, name)
    if known is not None and known.status is not None and known.status.standing.refuses_uploads:
        raise Forbidden(
            f"The project {name} is {known.status.standing} in the feed {feed.name} and takes no"
            " new files.",
            code=f"project-{known.status.standing}",
            hint=f"Reopen it with 'bonded project status --feed {feed.name} {name} active'.",
        )
    owned = tx.claims.covering(feed, name) is not None
    if known is not None and known.kind is Kind.UPSTREAM and not owned:
        raise Forbidden(
            f"The feed {feed.name} has {name} from an upstream; an upload would put another"
            " project in its place.",
            code="name-from-upstream",
            hint=f"If the name is yours: bonded claim add --feed {feed.name} --take-over {name}",
        )


def _inspect(incoming: Incoming) -> Described:
    distribution(incoming.filename)
    with incoming.spooled.path.open("rb") as file:
        return inspect(file, incoming.filename, incoming.spooled.size)


def _check_claims(incoming: Incoming, described: Described) -> None:
    """The form may repeat what the archive says, and must not contradict it."""
    if incoming.name is not None and canonicalize_name(incoming.name) != described.name:
        raise _contradiction(incoming, "name", incoming.name, described.name)
    if incoming.version is not None and not _same(incoming.version, described.version):
        raise _contradiction(incoming, "version", incoming.version, str(described.version))


def _same(text: str, version: Version) -> bool:
    try:
        return Version(text) == version
    except InvalidVersion:
        return False


def _contradiction(incoming: Incoming, what: str, said: str, found: str) -> BadInput:
    return BadInput(
        f"The upload says its {what} is {said!r}, and {incoming.filename} is of {found!r}.",
        code=f"{what}-mismatch",
    )


def _check_digests(incoming: Incoming) -> None:
    for algorithm, given in incoming.digests.items():
        if _digest(incoming, algorithm) != given.lower():
            raise BadInput(
                f"The {algorithm} digest of {incoming.filename} is not the one it was sent with:"
                " the bytes were damaged on the way.",
                code="digest-mismatch",
                hint="Send it again.",
            )


def _digest(incoming: Incoming, algorithm: str) -> str:
    if algorithm == "sha256":
        return incoming.spooled.sha256()
    with incoming.spooled.path.open("rb") as file:
        return hashlib.file_digest(file, _DIGESTS[algorithm]).hexdigest()
