"""Values for tests of what is above them."""

from __future__ import annotations

import hashlib
from datetime import datetime

from packaging.utils import NormalizedName

from bonded.model.feeds import Feed, Upstream, UpstreamSpec
from bonded.model.files import File, Kind, Project, Source
from bonded.model.names import FeedName, distribution


def a_file(
    filename: str,
    *,
    kind: Kind = Kind.UPSTREAM,
    sha256: str | None = "",
    size: int | None = 100,
    uploaded: datetime | None = None,
    requires_python: str | None = None,
    yanked: str | None = None,
    metadata: str | None = None,
    digest: str | None = None,
) -> File:
    """A file; its hash is made of its filename unless one is given."""
    name, version = distribution(filename)
    known = hashlib.sha256(filename.encode()).hexdigest() if sha256 == "" else sha256
    url = f"http://upstream.example/files/{filename}" if kind is Kind.UPSTREAM else None
    return File(
        project=name,
        version=version,
        filename=filename,
        sha256=known,
        size=size,
        uploaded=uploaded,
        requires_python=requires_python,
        yanked=yanked,
        metadata=metadata,
        source=Source(
            kind=kind,
            label="http://upstream.example/",
            upstream=1 if kind is Kind.UPSTREAM else None,
            url=url,
            digest=digest,
        ),
    )


def a_project(name: str, *files: File, **more: object) -> Project:
    """A project of some files."""
    return Project(name=NormalizedName(name), files=files, **more)  # type: ignore[arg-type]


def a_feed(name: str = "team", number: int = 1, *upstreams: str, public: bool = False) -> Feed:
    """A feed that was made without a catalog."""
    specs = (Upstream(id=i, spec=UpstreamSpec.parse(t)) for i, t in enumerate(upstreams, 1))
    return Feed(id=number, name=FeedName(name), upstreams=tuple(specs), public=public)
