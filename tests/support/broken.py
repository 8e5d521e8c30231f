"""Archives that must be refused: filename and bytes, and the code of the refusal."""

from __future__ import annotations

import copy
import gzip
import io
import tarfile
import warnings
import zipfile
from collections.abc import Callable

from support.dists import metadata, sdist, tarred, wheel, zipped

WHEEL = "acme-1.0-py3-none-any.whl"
SDIST = "acme-1.0.tar.gz"
ZIP = "acme-1.0.zip"
INFO = "acme-1.0.dist-info"
NOISE = bytes(range(256)) * 64


def _with(*members: tuple[str, bytes]) -> bytes:
    """A wheel with more members, whatever their names."""
    out = io.BytesIO(wheel("acme").body)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of duplicate names
        with zipfile.ZipFile(out, "a") as archive:
            for name, body in members:
                archive.writestr(zipfile.ZipInfo(name), body)
    return out.getvalue()


def _changed(change: Callable[[zipfile.ZipInfo], None]) -> bytes:
    """A wheel whose directory says something else of one member."""
    out = io.BytesIO(wheel("acme").body)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("acme/noise", NOISE)
        change(archive.getinfo("acme/noise"))
    return out.getvalue()


def _encrypt(member: zipfile.ZipInfo) -> None:
    member.flag_bits |= 1


def overlapping(copies: int = 500) -> bytes:
    """A wheel whose directory names the same bytes many times."""
    out = io.BytesIO(wheel("acme").body)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("acme/noise", NOISE)
        for number in range(copies):
            again = copy.copy(archive.getinfo("acme/noise"))
            again.filename = f"acme/{number}"
            archive.filelist.append(again)
    return out.getvalue()


def great_directory() -> bytes:
    """A wheel whose directory alone is larger than anybody needs."""
    out = io.BytesIO(wheel("acme").body)
    with zipfile.ZipFile(out, "a") as archive:
        for number in range(300):
            member = zipfile.ZipInfo(f"acme/{number}")
            member.comment = bytes(65_000)
            archive.writestr(member, b"")
    return out.getvalue()


def _tar(*members: tarfile.TarInfo, body: bytes = b"") -> bytes:
    """An sdist with more members; those with a size get `body`."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        about = tarfile.TarInfo("acme-1.0/PKG-INFO")
        text = metadata("acme", "1.0")
        about.size = len(text)
        archive.addfile(about, io.BytesIO(text))
        for member in members:
            archive.addfile(member, io.BytesIO(body) if member.size else None)
    return out.getvalue()


def member(
    name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0
) -> tarfile.TarInfo:
    """A member of a tar."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, size
    return info


def long_headers() -> bytes:
    """An sdist whose reader would have to hold a very long attribute."""
    info = member("acme-1.0/x")
    info.pax_headers = {"comment": "x" * (8 << 20)}
    return _tar(info)


def _linked(link: str, kind: bytes = tarfile.SYMTYPE) -> bytes:
    return _tar(member("acme-1.0/link", kind, link))


def _about(text: bytes) -> bytes:
    return wheel("acme", about=text).body


def _damaged() -> bytes:
    body = wheel("acme", stored=True).body
    return body.replace(b"A package of the tests.", b"A package of the toasts", 1)


def _two_infos() -> bytes:
    return _with(("other-1.0.dist-info/METADATA", metadata("other", "1.0")))


def _without(part: str) -> bytes:
    return wheel("acme", drop=(part,)).body


Made = Callable[[], bytes]
BAD, LOST, BOMB, PATH = "bad-archive", "incomplete-wheel", "archive-bomb", "path-traversal"
NO_INFO, OTHER = "incomplete-sdist", "metadata-mismatch"

#: What it is: its filename, its bytes, and the code of the refusal.
WHEELS: dict[str, tuple[str, Made, str]] = {
    "empty": (WHEEL, lambda: b"", BAD),
    "text": (WHEEL, lambda: b"<html>Sign in</html>", BAD),
    "cut short": (WHEEL, lambda: wheel("acme").body[:-30], BAD),
    "cut at the front": (WHEEL, lambda: wheel("acme").body[200:], BAD),
    "an sdist under a wheel's name": (WHEEL, lambda: sdist("acme").body, BAD),
    "damaged metadata": (WHEEL, _damaged, BAD),
    "no METADATA": (WHEEL, lambda: _without("METADATA"), LOST),
    "no WHEEL": (WHEEL, lambda: _without("WHEEL"), LOST),
    "no RECORD": (WHEEL, lambda: _without("RECORD"), LOST),
    "no dist-info": (WHEEL, lambda: zipped({"acme.py": b""}), BAD),
    "two dist-infos": (WHEEL, _two_infos, BAD),
    "another's dist-info": (WHEEL, lambda: wheel("other").body, BAD),
    "another version's dist-info": (WHEEL, lambda: wheel("acme", "2.0").body, BAD),
    "another's METADATA": (WHEEL, lambda: _about(metadata("other", "1.0")), OTHER),
    "another version's METADATA": (WHEEL, lambda: _about(metadata("acme", "1.1")), OTHER),
    "METADATA of nothing": (WHEEL, lambda: _about(b""), OTHER),
    "METADATA that is noise": (WHEEL, lambda: _about(NOISE), OTHER),
    "METADATA too large": (WHEEL, lambda: _about(bytes(17 << 20)), BAD),
    "parent folder": (WHEEL, lambda: _with(("../evil.py", b"")), PATH),
    "parent folder within": (WHEEL, lambda: _with(("acme/../../evil.py", b"")), PATH),
    "absolute": (WHEEL, lambda: _with(("/etc/evil", b"")), PATH),
    "backslashes": (WHEEL, lambda: _with(("..\\evil.py", b"")), PATH),
    "absolute backslash": (WHEEL, lambda: _with(("\\evil.py", b"")), PATH),
    "drive": (WHEEL, lambda: _with(("C:/evil.py", b"")), PATH),
    "a member twice": (WHEEL, lambda: _with(("acme/__init__.py", b"")), BAD),
    "METADATA twice": (WHEEL, lambda: _with((f"{INFO}/METADATA", b"")), BAD),
    "encrypted": (WHEEL, lambda: _changed(_encrypt), BAD),
    "bomb": (WHEEL, lambda: wheel("acme", extra={"zeros": bytes(65 << 20)}).body, BOMB),
    "overlapping": (WHEEL, overlapping, BOMB),
    "great directory": (WHEEL, great_directory, BAD),
}

SDISTS: dict[str, tuple[str, Made, str]] = {
    "empty": (SDIST, lambda: b"", BAD),
    "text": (SDIST, lambda: b"<html>Sign in</html>", BAD),
    "cut short": (SDIST, lambda: tarred({"acme-1.0/x": NOISE * 64})[:-40], BAD),
    "gzip of something else": (SDIST, lambda: gzip.compress(NOISE), BAD),
    "not compressed": (SDIST, lambda: gzip.decompress(sdist("acme").body), BAD),
    "a wheel under an sdist's name": (SDIST, lambda: wheel("acme").body, BAD),
    "no PKG-INFO": (SDIST, lambda: tarred({"acme-1.0/setup.py": b""}), NO_INFO),
    "PKG-INFO too deep": (SDIST, lambda: tarred({"acme-1.0/x/PKG-INFO": b""}), NO_INFO),
    "PKG-INFO is a link": (
        SDIST,
        lambda: _only(member("acme-1.0/PKG-INFO", tarfile.SYMTYPE, "x")),
        NO_INFO,
    ),
    "another's PKG-INFO": (SDIST, lambda: sdist("other").body, OTHER),
    "another version's PKG-INFO": (SDIST, lambda: sdist("acme", "2.0").body, OTHER),
    "parent folder": (SDIST, lambda: sdist("acme", extra={"../evil": b""}).body, PATH),
    "absolute": (SDIST, lambda: sdist("acme", extra={"/etc/evil": b""}).body, PATH),
    "link to the parent": (SDIST, lambda: _linked("../../evil"), PATH),
    "link to the parent, backslashes": (SDIST, lambda: _linked("..\\..\\evil"), PATH),
    "absolute link": (SDIST, lambda: _linked("/etc/passwd"), PATH),
    "hard link to the parent": (SDIST, lambda: _linked("../evil", tarfile.LNKTYPE), PATH),
    "character device": (SDIST, lambda: _tar(member("acme-1.0/x", tarfile.CHRTYPE)), PATH),
    "block device": (SDIST, lambda: _tar(member("acme-1.0/x", tarfile.BLKTYPE)), PATH),
    "pipe": (SDIST, lambda: _tar(member("acme-1.0/x", tarfile.FIFOTYPE)), PATH),
    "bomb": (SDIST, lambda: tarred({"acme-1.0/zeros": bytes(65 << 20)}), BOMB),
    "long headers": (SDIST, long_headers, BAD),
    "zip: parent folder": (
        ZIP,
        lambda: zipped({"acme-1.0/PKG-INFO": metadata("acme", "1.0"), "../x": b""}),
        PATH,
    ),
    "zip: no PKG-INFO": (ZIP, lambda: zipped({"acme-1.0/setup.py": b""}), NO_INFO),
    "zip: text": (ZIP, lambda: b"no", BAD),
}


def _only(info: tarfile.TarInfo) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        archive.addfile(info)
    return out.getvalue()
