"""Files and their metadata: from the feed, or through it from an upstream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import quote, unquote

from packaging.utils import NormalizedName

from bonded.model.feeds import Feed
from bonded.model.files import File, Kind
from bonded.operations.describe import Describe
from bonded.operations.pulls import Pull, Pulls
from bonded.operations.shelf import Shelf
from bonded.ports import BlobStore, Ranged, Remote
from bonded.web import ranges
from bonded.web.messages import Headers, Request, Response, content_length, redirect
from bonded.web.simple import asked_for

METADATA = ".metadata"
#: The longest range of a file not held yet that is passed through without pulling the file:
#: clients read a wheel's directory and metadata so, and then often do not want the wheel.
PASSED_THROUGH = 2 << 20
_OCTETS = (b"content-type", b"application/octet-stream")
_IMMUTABLE = {
    True: b"public, max-age=31536000, immutable",
    False: b"private, max-age=31536000, immutable",
}


@dataclass(frozen=True, slots=True)
class Files:
    """Answers for `/{feed}/files/{project}/{filename}`, the same before and after it is saved."""

    shelf: Shelf
    blobs: BlobStore
    pulls: Pulls
    describe: Describe

    async def get(self, request: Request, feed: Feed, project: str, filename: str) -> Response:
        """A file, or its `.metadata`."""
        name = asked_for(project)
        # No filename has a '%': some clients (simple-repository) escape our escaped '+' again.
        filename = unquote(filename)
        if name != project:
            return redirect(f"../{name}/{quote(filename, safe='!~')}")
        if filename.endswith(METADATA):
            return await self._metadata(request, feed, name, filename.removesuffix(METADATA))
        file = await self._file(feed, name, filename)
        headers = _headers(feed, file)
        if _matches(request, headers):
            return Response(304, headers)
        if file.source.kind is Kind.UPSTREAM:
            return await self._through(request, feed, file, headers)
        return self._held(request, file, headers)

    async def _file(self, feed: Feed, name: NormalizedName, filename: str) -> File:
        file = (await self.shelf.entry(feed, name, filename)).file
        assert file is not None, "an entry without a file is refused by the shelf"
        return file

    def _held(self, request: Request, file: File, headers: Headers) -> Response:
        assert file.sha256 is not None
        artifact = self.blobs.open(file.sha256)
        assert artifact.size is not None
        part = _part(request, headers, artifact.size)
        if part is None:
            headers.append(content_length(artifact.size))
            path = getattr(artifact, "path", None)
            pieces = None if path is not None else artifact.read()
            return Response(200, headers, path=path, pieces=pieces, size=artifact.size)
        return _partial(headers, part, artifact.size, artifact.read(*part))

    async def _through(
        self, request: Request, feed: Feed, file: File, headers: Headers
    ) -> Response:
        if request.method == "HEAD":
            return await self._head(file, headers)
        wanted = request.header(b"range")
        if wanted is not None and _if_range(request, headers):
            part = await self._passed(file, wanted)
            if part is not None:
                self.describe.in_background(file)
                end = part.start + len(part.body)
                unverified = [h for h in headers if h[0] == b"accept-ranges"]
                unverified += [_OCTETS, (b"cache-control", b"no-store")]
                return _partial(unverified, (part.start, end), part.size, None, part.body)
        pull = await self.pulls.begin(feed, file, request.actor)
        return await _pulled(request, headers, pull)

    async def _head(self, file: File, headers: Headers) -> Response:
        size = file.size
        if size is None:
            part = await self._remote(file).tail(_url(file), 0, 1)
            size = part.size if part is not None else None
        if size is not None:
            headers.append(content_length(size))
        return Response(200, headers)

    async def _passed(self, file: File, wanted: str) -> Ranged | None:
        """A short range, read from the upstream; None where the file is to be pulled."""
        if file.size is None:
            # An HTML upstream says no size: the range goes there as it was asked.
            start, length = ranges.unsized(wanted) or (None, PASSED_THROUGH + 1)
            short = length <= PASSED_THROUGH
            return await self._remote(file).tail(_url(file), start, length) if short else None
        part = ranges.parse(wanted, file.size)
        # The whole file in one range is verified and kept, as without a range.
        if part is None or part[1] - part[0] > PASSED_THROUGH or part == (0, file.size):
            return None
        return await self._remote(file).tail(_url(file), part[0], part[1] - part[0])

    def _remote(self, file: File) -> Remote:
        assert file.source.upstream is not None
        return self.pulls.remote(file.source.upstream)

    async def _metadata(
        self, request: Request, feed: Feed, name: NormalizedName, filename: str
    ) -> Response:
        file = await self._file(feed, name, filename)
        body = await self.describe.metadata(file)
        kind = (b"content-type", b"text/plain; charset=utf-8")
        # Made from a tail before the wheel was verified, it may yet be replaced.
        lasting = file.metadata not in (None, "true")
        cached = _IMMUTABLE[feed.public] if lasting else b"no-cache"
        headers = [kind, (b"cache-control", cached), content_length(len(body))]
        return Response(200, headers, body)


def _url(file: File) -> str:
    assert file.source.url is not None
    return file.source.url


def _headers(feed: Feed, file: File) -> Headers:
    headers = [
        _OCTETS,
        (b"accept-ranges", b"bytes"),
        (b"cache-control", _IMMUTABLE[feed.public]),
    ]
    if file.sha256 is not None:
        headers.append((b"etag", f'"{file.sha256}"'.encode()))
    return headers


def _matches(request: Request, headers: Headers) -> bool:
    known, etag = request.headers.get(b"if-none-match"), dict(headers).get(b"etag")
    if known is None or etag is None:
        return False
    return any(tag.strip().removeprefix(b"W/") in (etag, b"*") for tag in known.split(b","))


def _if_range(request: Request, headers: Headers) -> bool:
    """RFC 9110, section 13.1.5: a range of another version of the file is the whole file."""
    condition = request.headers.get(b"if-range")
    return condition is None or condition.strip() == dict(headers).get(b"etag")


def _part(request: Request, headers: Headers, size: int) -> tuple[int, int] | None:
    wanted = request.header(b"range")
    # RFC 9110, section 14.2: a range is of a GET only.
    if wanted is None or request.method != "GET" or not _if_range(request, headers):
        return None
    return ranges.parse(wanted, size)


def _partial(
    headers: Headers,
    part: tuple[int, int],
    size: int,
    pieces: AsyncIterator[bytes] | None,
    body: bytes = b"",
) -> Response:
    start, end = part
    headers += [
        (b"content-range", b"bytes %d-%d/%d" % (start, end - 1, size)),
        content_length(end - start),
    ]
    return Response(206, headers, body, pieces=pieces, size=end - start)


async def _pulled(request: Request, headers: Headers, pull: Pull) -> Response:
    part = None if pull.size is None else _part(request, headers, pull.size)
    pieces = pull.follow(*part) if part is not None else pull.follow()
    # The first piece before the status: what fails early is told in words, not by a cut.
    started = _Started(await anext(pieces, b""), pieces)
    if part is not None and pull.size is not None:
        return _partial(headers, part, pull.size, started.read())
    if pull.size is not None:
        headers.append(content_length(pull.size))
    return Response(200, headers, pieces=started.read(), size=pull.size)


@dataclass(frozen=True, slots=True)
class _Started:
    first: bytes
    rest: AsyncIterator[bytes]

    async def read(self) -> AsyncIterator[bytes]:
        if self.first:
            yield self.first
        async for piece in self.rest:
            yield piece
