"""Wheels and sdists, made in memory and the same bytes each time."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

WHEEL_FILE = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\n"
EPOCH = (2020, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Dist:
    """A distribution file."""

    filename: str
    body: bytes
    metadata: bytes = b""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    @property
    def project(self) -> str:
        return self.filename.split("-")[0].replace("_", "-").lower()

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / self.filename
        path.write_bytes(self.body)
        return path


def metadata(name: str, version: str, requires: tuple[str, ...] = (), python: str = "") -> bytes:
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {r}" for r in requires]
    lines += [f"Requires-Python: {python}"] if python else []
    return ("\n".join(lines) + "\n\nA package of the tests.\n").encode()


def wheel(
    name: str,
    version: str = "1.0",
    *,
    requires: tuple[str, ...] = (),
    python: str = "",
    extra: Mapping[str, bytes] | None = None,
    drop: tuple[str, ...] = (),
    about: bytes | None = None,
    tag: str = "py3-none-any",
    stored: bool = False,
) -> Dist:
    """A wheel that installs a module of its own name; `drop` leaves dist-info files out."""
    module = name.replace("-", "_").replace(".", "_").lower()
    stem = f"{module}-{version}"
    info = f"{stem}.dist-info"
    about = metadata(name, version, requires, python) if about is None else about
    files = {
        f"{module}/__init__.py": f"__version__ = {version!r}\n".encode(),
        **(extra or {}),
        f"{info}/METADATA": about,
        f"{info}/WHEEL": f"{WHEEL_FILE}Tag: {tag}\n".encode(),
    }
    record = [f"{path},{_record_hash(body)},{len(body)}" for path, body in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,"]).encode() + b"\n"
    files = {p: b for p, b in files.items() if p.rpartition("/")[2] not in drop}
    return Dist(f"{stem}-{tag}.whl", zipped(files, stored=stored), about)


def zipped(files: Mapping[str, bytes], *, stored: bool = False) -> bytes:
    """A ZIP archive of some files."""
    out = io.BytesIO()
    kind = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(out, "w", kind) as archive:
        for path, body in files.items():
            archive.writestr(zipfile.ZipInfo(path, EPOCH), body, kind)
    return out.getvalue()


def sdist(name: str, version: str = "1.0", extra: Mapping[str, bytes] | None = None) -> Dist:
    """An sdist whose build needs nothing: it is only looked into here."""
    stem = f"{name.replace('-', '_').lower()}-{version}"
    about = metadata(name, version)
    files = {f"{stem}/PKG-INFO": about, f"{stem}/setup.py": b"", **(extra or {})}
    return Dist(f"{stem}.tar.gz", tarred(files), about)


def tarred(files: Mapping[str, bytes]) -> bytes:
    """A gzipped tar of some files."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for path, body in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    return out.getvalue()


def _record_hash(body: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()
    return f"sha256={digest}"
