"""A runtime's packages as an index: for each a wheel that is metadata and nothing else.

A resolver that is given such an index takes what is installed for what it is, forks and private
packages too, and asks nobody else for those names.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName

from bonded.model.files import File, Kind, Project, Source
from bonded.model.runtimes import Installed

#: Older than any date a plan may be made as of, so that no cooldown hides what is installed.
UPLOADED = datetime(2000, 1, 1, tzinfo=UTC)
_EPOCH = (1980, 1, 1, 0, 0, 0)


def metadata(installed: Installed) -> bytes:
    """METADATA of a stub: its extras, and what only they need. The rest is the platform's job."""
    lines = ["Metadata-Version: 2.1", f"Name: {installed.name}", f"Version: {installed.version}"]
    lines += [f"Provides-Extra: {extra}" for extra in installed.extras]
    lines += [f"Requires-Dist: {text}" for text in installed.requires if _of_an_extra(text)]
    return ("\n".join(lines) + "\n").encode()


def _of_an_extra(text: str) -> bool:
    try:
        marker = Requirement(text).marker
    except InvalidRequirement:
        return False
    return marker is not None and "extra" in str(marker)


@dataclass(frozen=True)
class Stub:
    """A stub wheel and its file."""

    file: File
    body: bytes
    metadata: bytes

    @classmethod
    def of(cls, installed: Installed, runtime: str) -> Stub:
        """The stub of an installed package whose version is known."""
        assert installed.version is not None
        about = metadata(installed)
        stem = f"{installed.name.replace('-', '_')}-{installed.version}"
        body = _wheel(stem, about)
        file = File(
            project=installed.name,
            version=installed.version,
            filename=f"{stem}-py3-none-any.whl",
            sha256=hashlib.sha256(body).hexdigest(),
            size=len(body),
            uploaded=UPLOADED,
            metadata=hashlib.sha256(about).hexdigest(),
            source=Source(kind=Kind.HOSTED, label=f"runtime {runtime}"),
        )
        return cls(file, body, about)


def _wheel(stem: str, about: bytes) -> bytes:
    info = f"{stem}.dist-info"
    files = {
        f"{info}/METADATA": about,
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD")).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for path, body in files.items():
            archive.writestr(zipfile.ZipInfo(path, _EPOCH), body)
    return out.getvalue()


@dataclass(frozen=True)
class Stock:
    """The stubs of a runtime: an index of what is installed there."""

    runtime: str
    stubs: Mapping[NormalizedName, Stub] = field(repr=False)

    @classmethod
    def of(cls, runtime: str, installed: Iterable[Installed]) -> Stock:
        """The stock of some installed packages."""
        return cls(runtime, {i.name: Stub.of(i, runtime) for i in installed if i.version})

    async def project(self, name: NormalizedName) -> Project:
        """The one file of an installed package."""
        stub = self.stubs.get(name)
        if stub is None:
            why = f"{self.runtime} has its name, in a version that is not known"
            return Project(name=name, absent=why, owned=True)
        return Project(name=name, files=(stub.file,), owned=True)
