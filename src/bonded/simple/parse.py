"""Projects out of an upstream's pages, in JSON (PEP 691) or HTML (PEP 503).

What an upstream says is believed field by field: a field that makes no sense is left out, a file
that cannot be a distribution is hidden with the reason, and only a page that is no index page at
all is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import msgspec
from packaging.utils import NormalizedName
from selectolax.lexbor import LexborHTMLParser, LexborNode

from bonded.model.files import File, Hidden, Kind, Project, Source, Standing, Status
from bonded.model.names import distribution
from bonded.model.problems import BadInput, Problem
from bonded.simple import times

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_DIGEST = re.compile(r"(sha512|sha384|sha224|sha1|md5|blake2b)=([0-9A-Fa-f]{32,128})", re.ASCII)
_ARCHIVE = re.compile(r"\.(whl|egg|zip|exe|msi|dmg|rpm|deb|tgz|tbz|tar\.(gz|bz2|xz|lzma|Z))$", re.I)
#: No file is larger, and no larger number can be kept.
MAX_SIZE = 1 << 62


class NotAnIndexPage(Problem):
    """The answer is not a page of a Simple index."""

    status = 502


class _JsonFile(msgspec.Struct):
    filename: str
    url: str
    hashes: Any = None
    size: Any = None
    upload_time: Any = msgspec.field(name="upload-time", default=None)
    requires_python: Any = msgspec.field(name="requires-python", default=None)
    core: Any = msgspec.field(name="core-metadata", default=None)
    dist_info: Any = msgspec.field(name="dist-info-metadata", default=None)
    misspelt: Any = msgspec.field(name="data-dist-info-metadata", default=None)
    yanked: Any = False


class _JsonPage(msgspec.Struct):
    meta: dict[str, Any]
    files: list[_JsonFile]
    name: str = ""
    status: Any = msgspec.field(name="project-status", default=None)


_decode = msgspec.json.Decoder(_JsonPage).decode


@dataclass(frozen=True, slots=True)
class From:
    """Where a page came from: the URL it was read at, and who is to be named as its source."""

    url: str
    label: str
    upstream: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """A file as listed, its fields still as the upstream wrote them."""

    filename: str
    url: str
    hashes: dict[str, Any]
    size: object = None
    uploaded: datetime | None = None
    requires_python: object = None
    metadata: object = None
    yanked: object = None


def page(body: bytes, content_type: str, name: NormalizedName, origin: From) -> Project:
    """Parse a page by the Content-Type it was sent with; raises `NotAnIndexPage`."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind.endswith("json"):
        return _json(body, name, origin)
    if kind in ("text/html", "application/xhtml+xml") or kind.endswith("+html"):
        return _html(body, name, origin)
    raise _no_page(origin, f"its Content-Type is {kind or 'missing'!r}")


def _no_page(origin: From, why: str) -> NotAnIndexPage:
    return NotAnIndexPage(
        f"{origin.label} answered with something that is not a page of a Simple index: {why}.",
        code="upstream-not-an-index",
    )


def _json(body: bytes, name: NormalizedName, origin: From) -> Project:
    try:
        read = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _no_page(origin, f"the JSON cannot be read ({error})") from None
    version = str(read.meta.get("api-version", ""))
    if version.partition(".")[0] != "1":
        raise _no_page(origin, f"its api-version is {version!r}, and only 1.x is known")
    # PEP 792's own example has it inside `meta`; indexes have it beside.
    status = _status(read.status if read.status is not None else read.meta.get("project-status"))
    return _project(name, status, map(_from_json, read.files), origin)


def _from_json(file: _JsonFile) -> _Listed:
    vouched = next((v for v in (file.core, file.dist_info, file.misspelt) if v is not None), None)
    return _Listed(
        filename=file.filename,
        url=file.url,
        hashes=file.hashes if isinstance(file.hashes, dict) else {},
        size=file.size,
        uploaded=times.parse(file.upload_time),
        requires_python=file.requires_python,
        metadata=vouched.get("sha256", True) if isinstance(vouched, dict) else vouched,
        # PEP 691: yanked is what is truthy; an empty reason is none.
        yanked=file.yanked or None,
    )


def _status(given: object) -> Status:
    said: dict[str, Any] = given if isinstance(given, dict) else {"status": given}
    reason = said.get("reason")
    try:
        standing = Standing(str(said.get("status")))
    except ValueError:
        return Status()
    return Status(standing=standing, reason=str(reason) if reason else None)


def _html(body: bytes, name: NormalizedName, origin: From) -> Project:
    tree = LexborHTMLParser(body.decode("utf-8", "replace"))
    meta = {m.attributes.get("name"): m.attributes.get("content") or "" for m in tree.css("meta")}
    version: str | None = meta.get("pypi:repository-version")
    # PEP 629: a page of a later major version cannot be understood.
    if version is not None and version.partition(".")[0] != "1":
        raise _no_page(origin, f"its repository-version is {version!r}, and only 1.x is known")
    base = next((b.attributes.get("href") for b in tree.css("base")), None)
    url = (_joined(origin.url, base) if base else None) or origin.url
    listed = [item for a in tree.css("a") if (item := _from_anchor(a, url)) is not None]
    if not listed and version is None and not _claims_to_list(tree):
        raise _no_page(origin, "it lists no file and does not look like a list of links")
    status = _status(
        {
            "status": meta.get("pypi:project-status"),
            "reason": meta.get("pypi:project-status-reason"),
        }
    )
    return _project(name, status, listed, origin)


def _claims_to_list(tree: LexborHTMLParser) -> bool:
    """Whether an empty page is still an index page, as many small indexes head theirs."""
    heads = (node.text().strip().lower() for node in tree.css("title, h1"))
    return any(head.startswith(("links for", "simple index", "index of")) for head in heads)


def _from_anchor(anchor: LexborNode, base: str) -> _Listed | None:
    attributes = anchor.attributes
    href = attributes.get("href")
    if not href:
        return None
    url, fragment = urldefrag(_joined(base, href.strip()) or "")
    filename = unquote(urlsplit(url).path.rpartition("/")[2])
    if not _ARCHIVE.search(filename):
        return None
    algorithm, _, value = fragment.partition("&")[0].partition("=")
    vouched = attributes.get("data-core-metadata", attributes.get("data-dist-info-metadata"))
    return _Listed(
        filename=filename,
        url=url,
        hashes={algorithm: value} if value else {},
        uploaded=times.parse(attributes.get("data-upload-time")),
        requires_python=attributes.get("data-requires-python"),
        metadata=_vouched(vouched),
        yanked=(attributes["data-yanked"] or True) if "data-yanked" in attributes else None,
    )


def _vouched(value: str | None) -> object:
    if value is None:
        return None
    algorithm, _, digest = value.partition("=")
    return digest if algorithm == "sha256" and digest else value.lower() != "false"


def _project(
    name: NormalizedName, status: Status, listed: Iterable[_Listed], origin: From
) -> Project:
    files: dict[str, File] = {}
    hidden: list[Hidden] = []
    for item in listed:
        try:
            file = _file(item, name, origin)
        except BadInput as problem:
            hidden.append(Hidden(filename=item.filename, by="parse", reason=problem.message))
        else:
            # The first of two with one filename is what installers take.
            files.setdefault(file.filename, file)
    return Project(name=name, files=tuple(files.values()), hidden=tuple(hidden), status=status)


def _file(item: _Listed, name: NormalizedName, origin: From) -> File:
    project, version = distribution(item.filename)
    if project != name:
        raise BadInput(f"{item.filename} belongs to {project}, not to {name}.", code="other-name")
    url = _joined(origin.url, item.url)
    if url is None or urlsplit(url).scheme not in ("http", "https"):
        raise BadInput(f"The link of {item.filename} is not a web address.", code="bad-url")
    hashes = {k.lower(): v.lower() for k, v in item.hashes.items() if isinstance(v, str)}
    return File(
        project=name,
        version=version,
        filename=item.filename,
        sha256=_matching(_SHA256.fullmatch, hashes.get("sha256")),
        size=_size(item.size),
        uploaded=item.uploaded,
        requires_python=_text(item.requires_python),
        yanked=None if item.yanked is None else (_text(item.yanked) or ""),
        metadata=_advertised(item.metadata),
        source=Source(
            kind=Kind.UPSTREAM,
            label=origin.label,
            upstream=origin.upstream,
            url=urldefrag(url).url,
            digest=_other_digest(hashes),
        ),
    )


def _joined(base: str, url: str) -> str | None:
    """A link's address; None for one that cannot be understood."""
    try:
        return urljoin(base, url)
    except ValueError:
        return None


def _matching(pattern: Callable[[str], object], text: str | None) -> str | None:
    return text if text is not None and pattern(text) else None


def _size(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= MAX_SIZE else None


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _advertised(value: object) -> str | None:
    if isinstance(value, str) and _SHA256.fullmatch(value.lower()):
        return value.lower()
    return "true" if value else None


def _other_digest(hashes: dict[str, str]) -> str | None:
    pairs = (f"{k}={v}" for k, v in hashes.items())
    return next((p for p in pairs if _DIGEST.fullmatch(p)), None)
