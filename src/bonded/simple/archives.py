"""Look into wheels and sdists: are they sane, and what do they say they are?

Nothing is unpacked to disk and nothing is held in memory but the metadata file.
"""

from __future__ import annotations

import gzip
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.errors import MessageError
from typing import IO, cast

from packaging.metadata import RawMetadata, parse_email
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidName, NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from bonded.model.names import distribution
from bonded.model.problems import BadInput
from bonded.simple.bounded import MAX_HEADERS, Bounded, Sipped

#: A METADATA file larger than this is not one; the largest real ones are some hundred KB.
MAX_METADATA = 16 << 20
#: What an archive may unpack to before its ratio is looked at, and the ratio then allowed.
BOMB_SIZE = 64 << 20
BOMB_RATIO = 50
MAX_MEMBERS = 200_000

BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    ArithmeticError,
    LookupError,
    RuntimeError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What an archive says of itself, checked against its filename."""

    name: NormalizedName
    version: Version
    requires_python: str | None
    metadata: bytes | None  #: METADATA as it stands in a wheel; None for an sdist


def inspect(file: IO[bytes], filename: str, size: int) -> Described:
    """Check the archive `filename` of `size` bytes; raises `BadInput` saying what is wrong."""
    name, version = distribution(filename)
    if filename.endswith(".whl"):
        body = _sound(filename, lambda: wheel_metadata(file, filename, size))
        return _described(filename, name, version, body, keep=True)
    read = _zip_sdist if filename.endswith(".zip") else _tar_sdist
    body = _sound(filename, lambda: read(file, filename, size))
    return _described(filename, name, version, body, keep=False)


def _sound(filename: str, read: Callable[[], bytes]) -> bytes:
    try:
        return read()
    except BROKEN as error:
        kind = "ZIP" if filename.endswith((".whl", ".zip")) else "gzipped tar"
        raise refusal(filename, f"it is not a sound {kind} archive ({error or 'broken'})") from None


def refusal(filename: str, why: str, code: str = "bad-archive") -> BadInput:
    """A refusal of the archive `filename`, which says why."""
    return BadInput(f"{filename} is refused: {why}.", code=code)


def wheel_metadata(file: IO[bytes], filename: str, size: int) -> bytes:
    """METADATA out of a wheel, after checking that its ZIP directory is sane."""
    with zipfile.ZipFile(Sipped(file)) as archive:
        members = archive.infolist()
        names = {m.filename for m in members}
        _check_members(filename, members, size)
        folder = dist_info(filename, names)
        for required in ("METADATA", "WHEEL", "RECORD"):
            if f"{folder}/{required}" not in names:
                raise refusal(filename, f"{folder}/{required} is missing", "incomplete-wheel")
        return read_member(archive, f"{folder}/METADATA", filename)


def dist_info(filename: str, names: Iterable[str]) -> str:
    """The one `.dist-info` folder, which must be that of the filename's name and version."""
    name, version = distribution(filename)
    tops = {n.partition("/")[0] for n in names}
    folders = sorted(t for t in tops if t.endswith(".dist-info"))
    if len(folders) != 1:
        found = ", ".join(folders) or "none"
        raise refusal(filename, f"it must have one .dist-info folder, and has {found}")
    project, _, number = folders[0].removesuffix(".dist-info").rpartition("-")
    if not _same(project, number, name, version):
        raise refusal(filename, f"its folder is {folders[0]}, which is another distribution's")
    return folders[0]


def _same(project: str, number: str, name: NormalizedName, version: Version) -> bool:
    try:
        # The wheel specification writes '-' in a version as '_'.
        same = Version(number.replace("_", "-")) == version
        return same and canonicalize_name(project, validate=True) == name
    except (InvalidVersion, InvalidName):
        return False


def _check_members(filename: str, members: list[zipfile.ZipInfo], size: int) -> None:
    if len(members) > MAX_MEMBERS:
        raise refusal(filename, f"it has {len(members)} members, and {MAX_MEMBERS} are the most")
    seen: set[str] = set()
    for member in members:
        _check_path(filename, member.filename)
        if member.filename in seen:
            raise refusal(filename, f"it has {member.filename!r} twice")
        if member.flag_bits & 0x1:
            raise refusal(filename, f"{member.filename!r} is encrypted")
        seen.add(member.filename)
    # Members that overlap are how a small archive unpacks to a huge one.
    if sum(m.compress_size for m in members) > size:
        raise refusal(filename, "its members overlap", "archive-bomb")
    _check_ratio(filename, sum(m.file_size for m in members), size)


def _check_ratio(filename: str, unpacked: int, size: int) -> None:
    if unpacked > BOMB_SIZE and unpacked > BOMB_RATIO * size:
        raise refusal(
            filename,
            f"it would unpack to more than {BOMB_RATIO} times its size",
            "archive-bomb",
        )


def _check_path(filename: str, path: str) -> None:
    parts = path.replace("\\", "/").split("/")
    if path.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\0" in path:
        raise refusal(filename, f"its member {path!r} would land outside of it", "path-traversal")


def read_member(archive: zipfile.ZipFile, member: str, filename: str) -> bytes:
    """A member of an archive, if it is small enough to be held in memory."""
    with archive.open(member) as stream:
        body = stream.read(MAX_METADATA + 1)
    if len(body) > MAX_METADATA:
        raise refusal(filename, f"{member} is larger than {MAX_METADATA >> 20} MiB")
    return body


def complete(file: IO[bytes], filename: str) -> bool:
    """Whether an archive has its end: all that is known of one whose length nobody says."""
    try:
        if filename.endswith((".whl", ".zip")):
            zipfile.ZipFile(Sipped(file)).close()
        else:
            with gzip.open(file) as plain:
                while plain.read(1 << 20):
                    pass
    except BROKEN:
        return False
    return True


def _zip_sdist(file: IO[bytes], filename: str, size: int) -> bytes:
    with zipfile.ZipFile(Sipped(file)) as archive:
        _check_members(filename, archive.infolist(), size)
        wanted = _pkg_info(filename, archive.namelist())
        return read_member(archive, wanted, filename)


def _tar_sdist(file: IO[bytes], filename: str, size: int) -> bytes:
    found: bytes | None = None
    with gzip.open(file) as plain:
        bounded = Bounded(plain)
        with tarfile.open(fileobj=bounded, mode="r|") as archive:
            for count, member in enumerate(archive):
                end = member.offset_data + member.size
                bounded.most = end + MAX_HEADERS
                _check_tar_member(filename, member, count)
                _check_ratio(filename, end, size)
                if found is None and _is_pkg_info(member):
                    stream = cast(IO[bytes], archive.extractfile(member))
                    found = stream.read(min(member.size, MAX_METADATA))
    if found is None:
        raise refusal(filename, "it has no PKG-INFO in its top folder", "incomplete-sdist")
    return found


def _is_pkg_info(member: tarfile.TarInfo) -> bool:
    top, _, name = member.name.partition("/")
    return bool(top) and name == "PKG-INFO" and member.isfile()


def _check_tar_member(filename: str, member: tarfile.TarInfo, count: int) -> None:
    if count >= MAX_MEMBERS:
        raise refusal(filename, f"it has more than {MAX_MEMBERS} members")
    _check_path(filename, member.name)
    if member.ischr() or member.isblk() or member.isfifo():
        raise refusal(filename, f"its member {member.name!r} is a device", "path-traversal")
    if member.issym():
        folder = member.name.rpartition("/")[0]
        _check_link(filename, member, f"{folder}/{member.linkname}")
    if member.islnk():
        _check_link(filename, member, member.linkname)


def _check_link(filename: str, member: tarfile.TarInfo, target: str) -> None:
    depth = 0
    for part in target.replace("\\", "/").split("/"):
        depth += {"": 0, ".": 0, "..": -1}.get(part, 1)
        if depth < 0 or member.linkname.startswith("/"):
            raise refusal(
                filename, f"its link {member.name!r} points outside of it", "path-traversal"
            )


def _pkg_info(filename: str, names: Iterable[str]) -> str:
    found = [n for n in names if n.endswith("/PKG-INFO") and n.count("/") == 1]
    if not found:
        raise refusal(filename, "it has no PKG-INFO in its top folder", "incomplete-sdist")
    return found[0]


def parse_metadata(body: bytes) -> RawMetadata:
    """Core metadata, of whatever version; what cannot be parsed is left out."""
    raw, _ = parse_email(body)
    return raw


def _described(
    filename: str, name: NormalizedName, version: Version, body: bytes, *, keep: bool
) -> Described:
    try:
        raw = parse_metadata(body)
    except (MessageError, ValueError) as error:
        raise refusal(filename, f"its metadata cannot be read ({error})", "bad-metadata") from None
    given_name, given_version = raw.get("name", ""), raw.get("version", "")
    if not _same_metadata(given_name, given_version, name, version):
        raise refusal(
            filename,
            f"its metadata is that of {given_name or 'nothing'} {given_version}".rstrip(),
            "metadata-mismatch",
        )
    return Described(
        name=name,
        version=version,
        requires_python=requires_python(raw),
        metadata=body if keep else None,
    )


def _same_metadata(project: str, number: str, name: NormalizedName, version: Version) -> bool:
    try:
        return canonicalize_name(project) == name and Version(number) == version
    except InvalidVersion:
        return False


def requires_python(raw: RawMetadata) -> str | None:
    """Requires-Python, if it is a specifier that installers understand."""
    text = raw.get("requires_python")
    try:
        return text if text and SpecifierSet(text) is not None else None
    except InvalidSpecifier:
        return None
