"""The legacy upload API, as twine, uv, poetry, hatch and flit speak it."""

from __future__ import annotations

import asyncio
import re
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import msgspec
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from bonded.model.feeds import Feed
from bonded.model.problems import BadInput, Problem, TooLarge
from bonded.operations.uploads import Incoming, Receipt, Uploads
from bonded.ports import Spool, Spooled
from bonded.web.messages import Request, Response, content_length

MAX_FIELDS = 16 << 20
MAX_PARTS = 5000
#: Bytes collected before they are hashed and written, in a thread.
BLOCK = 1 << 20
#: How much of a refused upload is read (bytes, seconds), so that its sender gets to reading the
#: answer; who pauses for longer than PAUSE seconds is taken to wait for it already.
DRAINED, DRAIN_TIME, PAUSE = 256 << 20, 60.0, 1.0
_HEX = re.compile(r"[0-9A-Fa-f]{32,128}", re.ASCII)
_DIGESTS = {
    "sha256_digest": "sha256",
    "blake2_256_digest": "blake2_256",
    "md5_digest": "md5",
}


class ClientGone(Problem):
    """The client left in the middle of its upload."""

    status = 400


@dataclass
class _Form:
    fields: dict[str, str] = field(default_factory=dict)
    filename: str | None = None
    size: int = 0


@dataclass(frozen=True)
class UploadRoute:
    """Answers for `/{feed}/legacy/`. `limit` is the largest file taken, in bytes."""

    uploads: Uploads
    spool: Spool
    limit: int

    async def post(self, request: Request, feed: Feed) -> Response:
        """Take one file."""
        spooled = self.spool.new()
        try:
            form = await self._receive(request, spooled)
            incoming = _incoming(form, spooled)
            receipt = await self.uploads.accept(feed, request.actor, incoming)
        finally:
            await asyncio.to_thread(spooled.close)
        return _answer(receipt)

    async def _receive(self, request: Request, spooled: Spooled) -> _Form:
        reader = _Reader(_parser(request), spooled, self.limit)
        try:
            async for chunk in body(request):
                await reader.feed(chunk)
            await reader.end()
        except MultipartError as error:
            raise BadInput(
                f"The form of the upload cannot be read: {error}.",
                code="bad-form",
                hint="It may have been cut short; send it again.",
            ) from None
        return reader.form


class _Reader:
    """Takes the form apart as it arrives: fields to memory, the file to the spool."""

    def __init__(self, parser: PushMultipartParser, spooled: Spooled, limit: int) -> None:
        self.form = _Form()
        self._parser, self._spooled, self._limit = parser, spooled, limit
        self._part: MultipartSegment | None = None
        self._value = bytearray()
        self._block = bytearray()

    async def feed(self, chunk: bytes) -> None:
        for event in self._parser.parse(chunk):
            if isinstance(event, MultipartSegment):
                self._begin(event)
            elif event is None:
                self._finish()
            else:
                self._take(event)
        if len(self._block) >= BLOCK:
            await self._flush()

    async def end(self) -> None:
        self._parser.close()
        await self._flush()

    def _begin(self, part: MultipartSegment) -> None:
        self._part, self._value = part, bytearray()
        if part.name == "content":
            if self.form.filename is not None:
                raise BadInput("The form holds two files.", code="two-files")
            self.form.filename = part.filename or ""

    def _take(self, data: bytes) -> None:
        assert self._part is not None
        if self._part.name == "content":
            self._block += data
            if self._spooled.size + len(self._block) > self._limit:
                raise TooLarge(
                    f"The file is larger than the {self._limit} bytes this server takes.",
                    code="file-too-large",
                    hint="Raise max_file_size in bonded.toml.",
                )
            return
        self.form.size += len(data)
        if self.form.size > MAX_FIELDS:
            raise TooLarge("The form's fields are too large.", code="form-too-large")
        self._value += data

    def _finish(self) -> None:
        assert self._part is not None
        if self._part.name != "content":
            value = self._value.decode("utf-8", "replace").strip()
            self.form.fields.setdefault(self._part.name, value)
        self._part = None

    async def _flush(self) -> None:
        block, self._block = bytes(self._block), bytearray()
        if len(block) >= BLOCK:
            await asyncio.to_thread(self._spooled.write, block)
        elif block:
            self._spooled.write(block)


def _parser(request: Request) -> PushMultipartParser:
    kind, options = parse_options_header(request.header(b"content-type") or "")
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise BadInput(
            "An upload is a multipart/form-data form, as twine and uv send it.",
            code="not-a-form",
            hint="Use twine upload or uv publish with this address.",
        )
    length = request.header(b"content-length") or ""
    return PushMultipartParser(
        options["boundary"],
        content_length=int(length) if length.isdecimal() else -1,
        max_segment_count=MAX_PARTS,
    )


async def body(request: Request) -> AsyncIterator[bytes]:
    """The body of a request as it arrives; raises `ClientGone` if it stops half-way."""
    request.begun = True
    while not request.ended:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientGone("The upload stopped half-way; nothing was kept.", code="client-gone")
        if message.get("body"):
            yield message["body"]
        request.ended = not message.get("more_body")


async def drain(request: Request) -> None:
    """Read what is left of a refused upload, within bounds."""
    if b"expect" in request.headers and not request.begun:
        # Its sender waits to be told whether to send it.
        return
    taken, chunks = 0, body(request)
    try:
        async with asyncio.timeout(DRAIN_TIME):
            while taken < DRAINED:
                taken += len(await asyncio.wait_for(anext(chunks), PAUSE))
    except (TimeoutError, StopAsyncIteration, ClientGone):
        return


def _incoming(form: _Form, spooled: Spooled) -> Incoming:
    fields = form.fields
    action = fields.get(":action", "file_upload")
    if action != "file_upload":
        raise BadInput(f"The action {action!r} is not offered here; upload files.", code="action")
    if fields.get("protocol_version", "1") != "1":
        raise BadInput("Only protocol_version 1 of the upload form is known.", code="protocol")
    if not form.filename:
        raise BadInput("The form holds no file named 'content'.", code="no-file")
    if fields.get("filetype", "sdist") not in ("sdist", "bdist_wheel"):
        raise BadInput(
            f"Files of type {fields['filetype']} are not taken: only wheels and sdists.",
            code="bad-filetype",
        )
    return Incoming(
        filename=form.filename,
        spooled=spooled,
        name=fields.get("name") or None,
        version=fields.get("version") or None,
        digests={
            algorithm: _digest(fields[key])
            for key, algorithm in _DIGESTS.items()
            if fields.get(key)
        },
    )


def _digest(text: str) -> str:
    if _HEX.fullmatch(text):
        return text
    try:
        # Some old clients send MD5 in URL-safe base64.
        return urlsafe_b64decode(text + "=" * (-len(text) % 4)).hex()
    except ValueError:
        return text


def _answer(receipt: Receipt) -> Response:
    encoded = msgspec.json.encode(
        {
            "filename": receipt.file.filename,
            "sha256": receipt.file.sha256,
            "outcome": str(receipt.outcome),
        }
    )
    headers = [
        (b"content-type", b"application/json"),
        (b"cache-control", b"no-store"),
        content_length(len(encoded)),
    ]
    return Response(200, headers, encoded)
