"""The Simple API: pages, negotiated, revalidated, and sent as they lie."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.utils import NormalizedName, canonicalize_name

from bonded.model.feeds import Feed
from bonded.model.names import project_name
from bonded.model.problems import BadInput, NotFound
from bonded.operations.shelf import Ready, Shelf
from bonded.simple import negotiate
from bonded.simple.negotiate import Form
from bonded.web.messages import Request, Response, content_length, redirect

_CACHED = {
    True: b"public, max-age=0, must-revalidate",
    False: b"private, max-age=0, must-revalidate",
}
_SUFFIX = {Form.JSON: "json", Form.HTML: "html", Form.TEXT: "text"}
_VARY = (b"vary", b"Accept, Accept-Encoding")
_REMEMBERED = 512
#: No name is longer: it stands in a filename.
LONGEST = 255


class _Forms(dict[str | None, Form]):
    """Accept headers seen, and what they came to: clients send few different ones."""

    def __missing__(self, accept: str | None) -> Form:
        if len(self) > _REMEMBERED:
            self.clear()
        self[accept] = found = negotiate.form(accept)
        return found


class _Codings(dict[str | None, bool]):
    def __missing__(self, coding: str | None) -> bool:
        if len(self) > _REMEMBERED:
            self.clear()
        self[coding] = found = negotiate.gzip_allowed(coding)
        return found


@dataclass(slots=True)
class SimplePages:
    """Answers for `/{feed}/simple/` and what lies under it."""

    shelf: Shelf
    _forms: _Forms
    _codings: _Codings

    @classmethod
    def over(cls, shelf: Shelf) -> SimplePages:
        """Serve the pages of a shelf."""
        return cls(shelf, _Forms(), _Codings())

    async def root(self, request: Request, feed: Feed) -> Response:
        """The list of projects."""
        form = self._form(request)
        return self._page(request, feed, await self.shelf.root(feed), form)

    async def project(self, request: Request, feed: Feed, given: str) -> Response:
        """The page of a project; one whose name is not normalised is sent on."""
        ready = self.shelf.peek(feed, given)
        if ready is None:
            name = asked_for(given)
            if name != given:
                query = f"?{request.query.decode('latin-1')}" if request.query else ""
                return redirect(f"../{canonicalize_name(given)}/{query}")
        form = self._form(request)
        ready = ready or await self.shelf.project(feed, canonicalize_name(given))
        return self._page(request, feed, ready, form)

    def _form(self, request: Request) -> Form:
        wanted = request.parameter("format") if request.query else None
        if wanted is not None:
            return negotiate.form(None, wanted)
        return self._forms[request.header(b"accept")]

    def _page(self, request: Request, feed: Feed, ready: Ready, form: Form) -> Response:
        packed = self._codings[request.header(b"accept-encoding")]
        # An ETag is of one representation: form and coding are part of it.
        plain = f'"{ready.page.etag}.{_SUFFIX[form]}'
        etag = plain + ('.gz"' if packed else '"')
        headers = [(b"etag", etag.encode()), (b"cache-control", _CACHED[feed.public]), _VARY]
        known = request.header(b"if-none-match")
        if known is not None and (known.strip() == "*" or _names(known, plain)):
            return Response(304, headers)
        if packed:
            body = ready.page.json_gz if form.is_json else ready.page.html_gz
            headers.append((b"content-encoding", b"gzip"))
        else:
            body = self.shelf.plain(ready, json=form.is_json)
        kind = form.value if form is not Form.TEXT else "text/html; charset=utf-8"
        headers += [(b"content-type", kind.encode()), content_length(len(body))]
        return Response(200, headers, body)


def asked_for(given: str) -> NormalizedName:
    """The name of a project in a path; one that no project can have is not there (404)."""
    if len(given) > LONGEST:
        raise NotFound("The name of a project is not as long as that.", code="no-such-project")
    try:
        return project_name(given)
    except BadInput as problem:
        raise NotFound(problem.message, code="no-such-project") from None


def _names(known: str, plain: str) -> bool:
    """Whether If-None-Match names this form of the page, packed or not."""
    tags = (tag.strip().removeprefix("W/") for tag in known.split(","))
    return any(tag in (f'{plain}"', f'{plain}.gz"') for tag in tags)
