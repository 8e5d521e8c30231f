"""What the inner rooms ask of the outer ones: Protocols only.

An `Index` is anything packages can be read from; a `BlobStore` keeps bytes; a `Transaction` hands
out one small port per aggregate of the catalog. Each has an in-memory fake or an embedded adapter,
and one contract suite under `tests/contracts/` that every adapter passes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar

from packaging.utils import NormalizedName

from bonded.model.feeds import Claim, Feed, UpstreamSpec
from bonded.model.files import Basis, File, Kind, Project, Status
from bonded.model.names import FeedName, Pattern
from bonded.model.tokens import Scope, Token

T = TypeVar("T")


class Artifact(Protocol):
    """Bytes, without saying where they live. `size` in bytes; None where it is not known."""

    @property
    def size(self) -> int | None:
        """How many bytes there are."""

    def read(self, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to, not including, `end`."""


class Index(Protocol):
    """Anything packages can be read from."""

    async def project(self, name: NormalizedName) -> Project:
        """The project, or one that is `absent`. Raises `Unavailable` if that cannot be known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What lets an upstream say that its page has not changed (RFC 9110, section 8.8)."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an upstream said of a project: its page, None if unchanged, and how long that holds.

    `max_age` is in seconds; None when the upstream does not say.
    """

    project: Project | None
    validators: Validators = Validators()
    max_age: int | None = None


class Remote(Protocol):
    """An index on another server."""

    @property
    def label(self) -> str:
        """What to call it in front of people; no secret."""

    async def ask(self, name: NormalizedName, known: Validators | None) -> Answer:
        """Ask for a page, conditionally if one is known.

        Raises `Unavailable` when the upstream cannot be reached, refuses, or makes no sense.
        """

    async def open(self, url: str) -> Artifact:
        """Open a file of this index. Raises `Unavailable`, or `NotFound` if it is gone."""

    async def tail(self, url: str, start: int | None, length: int) -> Ranged | None:
        """Read `length` bytes from `start` (None: the last ones); None if it gives no ranges."""


@dataclass(frozen=True, slots=True)
class Ranged:
    """A part of a file: its first byte's offset, the bytes, and the size of the whole."""

    start: int
    body: bytes
    size: int


class Spooled(Protocol):
    """Bytes being received, in a temporary file that is nobody's yet."""

    @property
    def path(self) -> Path:
        """Where they lie."""

    @property
    def size(self) -> int:
        """How many have been written."""

    def write(self, data: bytes) -> None:
        """Append and hash. Raises `NoRoom` when the disk will not take it."""

    def sha256(self) -> str:
        """The hash of what was written, in hex."""

    def close(self) -> None:
        """Remove the temporary file; what a store has kept of it stays."""


class Spool(Protocol):
    """Where bytes are received."""

    def new(self) -> Spooled:
        """Begin a temporary file."""


class BlobStore(Protocol):
    """Immutable bytes by their sha256 (hex)."""

    async def put(self, key: str, spooled: Spooled) -> None:
        """Keep the spooled bytes; they are durable when this returns. Idempotent."""

    def open(self, key: str) -> Artifact:
        """The bytes of `key`. Raises `NotFound` if there are none."""

    def there(self, key: str) -> bool:
        """Whether `key` is kept: asked inside the transaction that lists it."""

    def delete(self, key: str) -> None:
        """Forget `key`: called inside the transaction that found nothing refers to it."""

    def keys(self) -> Iterator[str]:
        """Every key there is, in no order."""


class Clock(Protocol):
    """The time."""

    def __call__(self) -> datetime:
        """Now, in UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A file that a feed holds: hosted or saved, listed or deleted."""

    file: File
    blob: str  #: sha256 in hex
    kind: Kind
    deleted: datetime | None = None
    added: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a feed knows of a project as a whole."""

    kind: Kind  #: HOSTED: its own; UPSTREAM: listed or saved from an upstream
    status: Status | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """An upstream's page as it was last seen; `project` is absent where it knew of none.

    `origin` is the address it was read at, without secrets: that of the default upstream changes
    with the machine's configuration.
    """

    origin: str
    project: Project
    validators: Validators
    fresh_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPage:
    """A rendered page, compressed, with what it was made from."""

    basis: Basis
    etag: str
    json_gz: bytes
    html_gz: bytes
    entries: bytes  #: encoded; see `simple.entries`


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the audit."""

    at: datetime
    actor: str
    action: str
    feed: FeedName | None
    subject: str
    detail: str


class Revisions(Protocol):
    """Counters by which it is known whether what was derived still holds."""

    def of(self, keys: Iterable[str]) -> Basis:
        """The revisions of `keys` now; a key never bumped is at 0."""

    def bump(self, *keys: str) -> None:
        """What depends on these keys holds no longer."""


class Feeds(Protocol):
    """The feeds and what they fall back to."""

    def all(self) -> list[Feed]: ...
    def get(self, name: FeedName) -> Feed: ...
    def create(self, name: FeedName, public: bool, specs: Sequence[UpstreamSpec]) -> Feed: ...
    def change(self, feed: Feed, public: bool, specs: Sequence[UpstreamSpec]) -> Feed: ...
    def delete(self, feed: Feed) -> None: ...


class Projects(Protocol):
    """What a feed knows of its projects."""

    def get(self, feed: Feed, name: NormalizedName) -> Standing | None: ...
    def put(self, feed: Feed, name: NormalizedName, kind: Kind) -> None: ...
    def mark(self, feed: Feed, name: NormalizedName, status: Status | None) -> None: ...
    def names(self, feed: Feed, after: str, limit: int) -> list[NormalizedName]: ...
    def upstream(self, feed: Feed | None) -> list[tuple[int, NormalizedName]]: ...


class Files(Protocol):
    """The files that feeds hold."""

    def of(self, feed: Feed, name: NormalizedName) -> list[Row]: ...
    def find(self, feed: Feed, filename: str) -> Row | None: ...
    def same(self, feed: Feed, filename: str) -> Row | None: ...
    def add(self, feed: Feed, row: Row) -> None: ...
    def yank(self, feed: Feed, files: Iterable[File], reason: str | None) -> None: ...
    def adopt(self, feed: Feed, filename: str) -> None: ...
    def remove(self, feed: Feed, file: File, at: datetime | None) -> None: ...


class Holdings(Protocol):
    """All that feeds hold, taken together."""

    def refers(self, blob: str) -> bool: ...
    def all(self) -> Iterator[tuple[FeedName, Row]]: ...
    def total(self, feed: Feed) -> tuple[int, int]: ...


class Metadata(Protocol):
    """METADATA files by their sha256, and which upstream wheels they were made for."""

    def put(self, body: bytes) -> str: ...
    def get(self, sha256: str) -> bytes | None: ...
    def describe(self, upstream: int, file: File, sha256: str) -> None: ...
    def described(
        self, upstream: int, name: NormalizedName
    ) -> Mapping[tuple[str, str | None], str]: ...
    def prune(self) -> None: ...


class Claims(Protocol):
    """Who owns which names."""

    def covering(self, feed: Feed, name: NormalizedName) -> Claim | None: ...
    def all(self) -> list[Claim]: ...
    def add(self, feed: Feed | None, claim: Claim) -> bool: ...
    def remove(self, feed: Feed | None, pattern: Pattern) -> bool: ...


class Tokens(Protocol):
    """The tokens, by their digests."""

    def all(self) -> list[Token]: ...
    def add(
        self,
        digest: bytes,
        label: str,
        scope: Scope,
        feeds: Sequence[Feed],
        expires: datetime | None,
    ) -> Token: ...
    def revoke(self, token: int, at: datetime) -> None: ...


class Listings(Protocol):
    """Pages of upstreams, as last seen."""

    def get(self, upstream: int, name: NormalizedName) -> Listing | None: ...
    def put(self, upstream: int, listing: Listing) -> None: ...
    def renew(self, upstream: int, name: NormalizedName, fresh_until: datetime) -> None: ...


class Pages(Protocol):
    """Our own pages, rendered; the root's name is empty."""

    def get(self, feed: int, name: str) -> StoredPage | None: ...
    def put(self, feed: int, name: str, page: StoredPage) -> None: ...


class Audit(Protocol):
    """Who did what."""

    def write(
        self, actor: str, action: str, feed: Feed | None, subject: str, detail: str = ""
    ) -> None: ...
    def once(
        self, actor: str, action: str, feed: Feed | None, subject: str, detail: str = ""
    ) -> None: ...
    def read(self, since: datetime | None, feed: FeedName | None, limit: int) -> list[Event]: ...


class Transaction(Protocol):
    """One view of the catalog, or one change to it: all of it or nothing."""

    @property
    def revisions(self) -> Revisions: ...
    @property
    def feeds(self) -> Feeds: ...
    @property
    def projects(self) -> Projects: ...
    @property
    def files(self) -> Files: ...
    @property
    def holdings(self) -> Holdings: ...
    @property
    def metadata(self) -> Metadata: ...
    @property
    def claims(self) -> Claims: ...
    @property
    def tokens(self) -> Tokens: ...
    @property
    def listings(self) -> Listings: ...
    @property
    def pages(self) -> Pages: ...
    @property
    def audit(self) -> Audit: ...


class UnitOfWork(Protocol):
    """Runs plain functions in transactions, one thread hop each.

    A function rather than a block, so that nothing can be awaited while the catalog is locked.
    """

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` on one unchanging view of the catalog."""

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`; what it did is durable when this returns, and undone if it raises."""


class Freshness(Protocol):
    """The cheapest questions that tell whether what is remembered still holds."""

    def moved(self) -> bool:
        """Whether anything was committed, by any process, since this was last asked."""

    def holds(self, basis: Basis) -> bool:
        """Whether every revision in `basis` is still the current one; time is not looked at."""

    def page(self, feed: int, name: str) -> StoredPage | None:
        """A stored page."""
