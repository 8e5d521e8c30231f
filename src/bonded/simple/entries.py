"""What a page or a listing knows of its files, as bytes."""

from __future__ import annotations

from datetime import datetime

import msgspec
from packaging.utils import NormalizedName

from bonded.model.files import Entry, File, Hidden, Kind, Project, Source
from bonded.model.names import version


class _Shown(msgspec.Struct, array_like=True, tag="f"):
    filename: str
    version: str
    kind: str
    label: str
    sha256: str | None
    size: int | None
    uploaded: datetime | None
    requires_python: str | None
    yanked: str | None
    metadata: str | None
    upstream: int | None
    url: str | None
    digest: str | None


class _Refused(msgspec.Struct, array_like=True, tag="h"):
    filename: str
    reason: str
    status: int
    by: str
    version: str | None


_encoder = msgspec.msgpack.Encoder()
_decode = msgspec.msgpack.Decoder(list[_Shown | _Refused]).decode


def encode(project: Project) -> bytes:
    """The files of a project, shown and hidden."""
    rows: list[_Shown | _Refused] = [_shown(f) for f in project.files]
    rows += [_Refused(h.filename, h.reason, h.status, h.by, h.version) for h in project.hidden]
    return _encoder.encode(rows)


def entries(body: bytes, name: NormalizedName) -> dict[str, Entry]:
    """Back from `encode`, by filename; a file that is shown wins over one that is hidden."""
    out: dict[str, Entry] = {}
    for row in _decode(body):
        if isinstance(row, _Refused):
            out.setdefault(row.filename, Entry(file=None, reason=row.reason, status=row.status))
        else:
            out[row.filename] = Entry(file=_file(row, name))
    return out


def split(body: bytes, name: NormalizedName) -> tuple[tuple[File, ...], tuple[Hidden, ...]]:
    """Back from `encode`: the files that are shown, and the hidden ones."""
    rows = _decode(body)
    files = tuple(_file(row, name) for row in rows if isinstance(row, _Shown))
    return files, tuple(_hidden(row) for row in rows if isinstance(row, _Refused))


def _hidden(row: _Refused) -> Hidden:
    return Hidden(
        filename=row.filename, by=row.by, reason=row.reason, status=row.status, version=row.version
    )


def _shown(file: File) -> _Shown:
    return _Shown(
        filename=file.filename,
        version=str(file.version),
        kind=str(file.source.kind),
        label=file.source.label,
        sha256=file.sha256,
        size=file.size,
        uploaded=file.uploaded,
        requires_python=file.requires_python,
        yanked=file.yanked,
        metadata=file.metadata,
        upstream=file.source.upstream,
        url=file.source.url,
        digest=file.source.digest,
    )


def _file(row: _Shown, project: NormalizedName) -> File:
    return File(
        project=project,
        version=version(row.version),
        filename=row.filename,
        sha256=row.sha256,
        size=row.size,
        uploaded=row.uploaded,
        requires_python=row.requires_python,
        yanked=row.yanked,
        metadata=row.metadata,
        source=Source(
            kind=Kind(row.kind),
            label=row.label,
            upstream=row.upstream,
            url=row.url,
            digest=row.digest,
        ),
    )
