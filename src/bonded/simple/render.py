"""Pages out of projects: JSON (PEP 691, 700, 714, 592, 792) and HTML (PEP 503, 592, 629, 714, 792).

Links are relative, so that a page is the same under every host, prefix and alias.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from urllib.parse import quote

import msgspec

from bonded.model.files import File, Project, Standing
from bonded.simple import times

API_VERSION = "1.4"
#: PEP 700 makes `size` mandatory from 1.1; a page that cannot give one says so by its version.
API_VERSION_WITHOUT_SIZES = "1.0"

_encode = msgspec.json.encode


def json_page(project: Project) -> bytes:
    """A project page in JSON."""
    whole = all(f.size is not None for f in project.files)
    page: dict[str, object] = {
        "meta": {"api-version": API_VERSION if whole else API_VERSION_WITHOUT_SIZES},
        "name": project.name,
        "versions": project.versions,
        "files": [_json_file(f) for f in project.files],
    }
    # PEP 792: the marker is a key of the page itself; an active project needs none.
    if project.status.standing is not Standing.ACTIVE:
        page["project-status"] = _status(project)
    return _encode(page)


def _status(project: Project) -> dict[str, str]:
    status = {"status": str(project.status.standing)}
    if project.status.reason:
        status["reason"] = project.status.reason
    return status


def _json_file(file: File) -> dict[str, object]:
    out: dict[str, object] = {
        "filename": file.filename,
        "url": file_url(file),
        "hashes": {"sha256": file.sha256} if file.sha256 else {},
    }
    if file.size is not None:
        out["size"] = file.size
    if file.uploaded is not None:
        out["upload-time"] = times.render(file.uploaded)
    if file.requires_python:
        out["requires-python"] = file.requires_python
    if file.metadata:
        vouched = True if file.metadata == "true" else {"sha256": file.metadata}
        # PEP 714: not by the old key too, at which pip 22.3 to 23.1 fails; they ignore this one.
        out["core-metadata"] = vouched
    out["yanked"] = file.yanked or True if file.yanked is not None else False
    return out


def file_url(file: File) -> str:
    """A file's address as seen from its project's page; `+` is escaped, as some clients need."""
    return f"../../files/{file.project}/{quote(file.filename, safe='!~')}"


def html_page(project: Project) -> bytes:
    """A project page in HTML, frozen at version 1.4 (PEP 833)."""
    lines = [
        "<!DOCTYPE html>\n<html>\n<head>\n"
        '<meta charset="utf-8">\n'
        f'<meta name="pypi:repository-version" content="{API_VERSION}">\n'
        f"{_status_meta(project)}<title>Links for {project.name}</title>\n</head>\n<body>\n"
        f"<h1>Links for {project.name}</h1>\n",
        *(_anchor(f) for f in project.files),
        "</body>\n</html>\n",
    ]
    return "".join(lines).encode()


def _status_meta(project: Project) -> str:
    if project.status.standing is Standing.ACTIVE:
        return ""
    meta = f'<meta name="pypi:project-status" content="{project.status.standing}">\n'
    if project.status.reason:
        reason = escape(project.status.reason)
        meta += f'<meta name="pypi:project-status-reason" content="{reason}">\n'
    return meta


def _anchor(file: File) -> str:
    fragment = f"#sha256={file.sha256}" if file.sha256 else ""
    attributes = ""
    if file.requires_python:
        attributes += f' data-requires-python="{escape(file.requires_python)}"'
    if file.metadata:
        vouched = "true" if file.metadata == "true" else f"sha256={file.metadata}"
        attributes += f' data-core-metadata="{vouched}" data-dist-info-metadata="{vouched}"'
    if file.yanked is not None:
        attributes += f' data-yanked="{escape(file.yanked)}"'
    href = escape(file_url(file) + fragment)
    return f'<a href="{href}"{attributes}>{escape(file.filename)}</a><br>\n'


def json_root(names: Iterable[str]) -> Iterator[bytes]:
    """The list of projects in JSON, in pieces."""
    yield b'{"meta":{"api-version":"' + API_VERSION.encode() + b'"},"projects":['
    glue = b""
    for name in names:
        yield glue + b'{"name":"' + name.encode() + b'"}'
        glue = b","
    yield b"]}"


def html_root(names: Iterable[str]) -> Iterator[bytes]:
    """The list of projects in HTML, in pieces."""
    yield (
        b'<!DOCTYPE html>\n<html>\n<head>\n<meta charset="utf-8">\n'
        b'<meta name="pypi:repository-version" content="' + API_VERSION.encode() + b'">\n'
        b"<title>Simple index</title>\n</head>\n<body>\n"
    )
    for name in names:
        yield f'<a href="{name}/">{name}</a><br>\n'.encode()
    yield b"</body>\n</html>\n"
