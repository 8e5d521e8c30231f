"""Yank, delete and mark what a feed holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from packaging.utils import NormalizedName
from packaging.version import InvalidVersion, Version

from bonded.model.feeds import Feed
from bonded.model.files import File, Kind, Standing, Status
from bonded.model.names import FeedName, distribution, project_name
from bonded.model.problems import BadInput, Forbidden, NotFound
from bonded.ports import Clock, Row, Transaction, UnitOfWork


@dataclass(frozen=True, slots=True)
class Release:
    """A project at a version."""

    name: NormalizedName
    version: Version

    @classmethod
    def parse(cls, text: str) -> Release:
        """From `NAME==VERSION`."""
        name, glue, number = text.partition("==")
        try:
            return cls(project_name(name.strip()), Version(number.strip()))
        except InvalidVersion:
            what = f"{number!r} is not a version" if glue else "the version is missing"
            raise BadInput(
                f"{text!r} does not name a release: {what}.",
                code="bad-release",
                hint="Write NAME==VERSION, such as acme-core==1.2.0",
            ) from None

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


@dataclass(frozen=True)
class ReleaseAdmin:
    """The verbs on releases and projects, each one transaction."""

    uow: UnitOfWork
    clock: Clock
    actor: str

    async def yank(self, feed: FeedName, release: Release, reason: str | None) -> list[File]:
        """Yank a hosted release (PEP 592) with a reason, which may be empty; None takes it back."""

        def work(tx: Transaction) -> list[File]:
            place = tx.feeds.get(feed)
            rows = _rows(tx, place, release)
            if any(r.kind is Kind.SAVED for r in rows):
                raise Forbidden(
                    f"{release} in the feed {feed} comes from an upstream, whose yanks it follows.",
                    code="not-hosted",
                    hint="Only what was uploaded to a feed is yanked there.",
                )
            files = [r.file for r in rows]
            tx.files.yank(place, files, reason)
            verb = "unyank" if reason is None else "yank"
            tx.audit.write(self.actor, verb, place, str(release), reason or "")
            return files

        return await self.uow.write(work)

    async def delete(self, feed: FeedName, what: str) -> list[File]:
        """Delete a release (`NAME==VERSION`) or one file by its filename.

        The filename of an uploaded file stays taken for ever; a file saved from an upstream is
        only given up, and may be pulled again.
        """

        def work(tx: Transaction) -> list[File]:
            place = tx.feeds.get(feed)
            rows = _named(tx, place, what)
            for row in rows:
                at = self.clock() if row.kind is Kind.HOSTED else None
                tx.files.remove(place, row.file, at)
                tx.audit.write(self.actor, "delete", place, row.file.filename, f"sha256 {row.blob}")
            return [r.file for r in rows]

        return await self.uow.write(work)

    async def mark(
        self, feed: FeedName, name: NormalizedName, standing: Standing, reason: str | None
    ) -> None:
        """Give a project a status (PEP 792); `active` takes it back."""

        def work(tx: Transaction) -> None:
            place = tx.feeds.get(feed)
            known = tx.projects.get(place, name)
            if known is None:
                raise _no_project(place, name)
            plain = standing is Standing.ACTIVE and reason is None
            status = None if plain else Status(standing=standing, reason=reason)
            tx.projects.mark(place, name, status)
            tx.audit.write(self.actor, f"mark-{standing}", place, name, reason or "")

        await self.uow.write(work)


def _no_project(feed: Feed, name: str) -> NotFound:
    return NotFound(f"The feed {feed.name} has no project {name}.", code="no-such-project")


def _rows(tx: Transaction, feed: Feed, release: Release) -> Sequence[Row]:
    held = [r for r in tx.files.of(feed, release.name) if r.deleted is None]
    if not held:
        raise _no_project(feed, release.name)
    rows = [r for r in held if r.file.version == release.version]
    if not rows:
        known = ", ".join(str(v) for v in sorted({r.file.version for r in held})[-8:])
        raise NotFound(
            f"The feed {feed.name} holds no file of {release}.",
            code="no-such-release",
            hint=f"It holds: {known}.",
        )
    return rows


def _named(tx: Transaction, feed: Feed, what: str) -> Sequence[Row]:
    if "==" in what:
        return _rows(tx, feed, Release.parse(what))
    distribution(what)
    row = tx.files.find(feed, what)
    if row is None or row.deleted is not None:
        raise NotFound(f"The feed {feed.name} holds no file {what}.", code="no-such-file")
    return [row]
