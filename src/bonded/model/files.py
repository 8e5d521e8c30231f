"""Distribution files, projects, and what a page of one was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from packaging.utils import NormalizedName
from packaging.version import Version


class Kind(StrEnum):
    """How a file came to be readable here."""

    HOSTED = "hosted"  #: uploaded to a feed
    SAVED = "saved"  #: pulled from an upstream and kept by a feed
    UPSTREAM = "upstream"  #: listed by an upstream, its bytes not kept yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a file's bytes are to be had.

    `label` names it for people and holds no secret. `upstream` is the catalog's number of the
    upstream and `url` the file's address there, for files whose bytes are not kept yet; `digest`
    is a hash other than sha256 (`md5=…`) when that is all the upstream gives.
    """

    kind: Kind
    label: str
    upstream: int | None = None
    url: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One distribution file of a project, as one source has it.

    Its identity is (project, filename, sha256). `size` is in bytes; `uploaded` is the publisher's
    time, never ours; `yanked` is None, or the reason, which may be empty (PEP 592). `metadata` is
    what PEP 658 advertises: None, "true", or the sha256 of the METADATA file in hex.
    """

    project: NormalizedName
    filename: str
    sha256: str | None = None
    version: Version = field(compare=False)
    source: Source = field(compare=False)
    size: int | None = field(default=None, compare=False)
    uploaded: datetime | None = field(default=None, compare=False)
    requires_python: str | None = field(default=None, compare=False)
    yanked: str | None = field(default=None, compare=False)
    metadata: str | None = field(default=None, compare=False)

    @property
    def is_wheel(self) -> bool:
        """Whether it is a wheel, so that its metadata is fixed and can be read from its tail."""
        return self.filename.endswith(".whl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """A file that is not shown, the view that hid it, and why. `status` is what its URL answers."""

    filename: str
    by: str
    reason: str
    status: int = 404
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the file and `.metadata` routes need of a file on a page."""

    file: File | None  #: None: refused, and `reason` says why
    reason: str | None = None
    status: int = 200


class Standing(StrEnum):
    """The status of a project (PEP 792)."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    DEPRECATED = "deprecated"
    QUARANTINED = "quarantined"

    @property
    def refuses_uploads(self) -> bool:
        """PEP 792: archived and quarantined projects take no new files."""
        return self in (Standing.ARCHIVED, Standing.QUARANTINED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A project's status and the reason given for it."""

    standing: Standing = Standing.ACTIVE
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Basis:
    """What an answer was made from: revisions by key, and until when it may be given unasked.

    An answer still holds while every key has the revision it names and the time has not come.
    """

    revisions: tuple[tuple[str, int], ...] = ()
    valid_until: datetime | None = None

    def __or__(self, other: Basis) -> Basis:
        merged = dict(self.revisions)
        for key, value in other.revisions:
            # Read twice with a change in between: the older one, so that the answer is made again.
            merged[key] = min(value, merged.get(key, value))
        times = [t for t in (self.valid_until, other.valid_until) if t is not None]
        return Basis(tuple(sorted(merged.items())), min(times, default=None))

    def at_most(self, revisions: Mapping[str, int]) -> Basis:
        """The same, but of no later revisions than those given."""
        older = tuple((key, min(value, revisions.get(key, value))) for key, value in self.revisions)
        return Basis(older, self.valid_until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project as an index shows it.

    A view moves a file to `hidden`, it never drops one, so that `explain` and a 403 can say why.
    `absent` says why there is no such project, where there is none; `owned` that its name belongs
    to the source that answers, so that no later source may be asked for it.
    """

    name: NormalizedName
    files: tuple[File, ...] = ()
    hidden: tuple[Hidden, ...] = ()
    status: Status = Status()
    basis: Basis = Basis()
    absent: str | None = None
    owned: bool = False

    @property
    def versions(self) -> list[str]:
        """The versions of its files, oldest first (PEP 700)."""
        return [str(v) for v in sorted({f.version for f in self.files})]
