"""The one place where a `Problem` becomes HTTP (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus

import msgspec

from bonded.model.problems import Problem, Unauthorised
from bonded.web.messages import Response, content_length


def render(problem: Problem) -> Response:
    """`application/problem+json`, with the headers that belong to the status."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.message,
        "code": problem.code,
    }
    if problem.hint:
        body["hint"] = problem.hint
    encoded = msgspec.json.encode(body)
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"cache-control", b"no-store"),
        content_length(len(encoded)),
    ]
    if isinstance(problem, Unauthorised):
        # Without it pip neither asks a keyring nor a person (RFC 9110, section 11.6.1).
        headers.append((b"www-authenticate", b'Basic realm="Bonded", charset="UTF-8"'))
    if isinstance(problem, MethodNotAllowed):
        headers.append((b"allow", problem.allowed.encode()))
    if problem.retry_after is not None:
        headers.append((b"retry-after", b"%d" % problem.retry_after))
    return Response(problem.status, headers, encoded)


class MethodNotAllowed(Problem):
    """The address is right and the method is not."""

    status = 405

    def __init__(self, method: str, *allowed: str) -> None:
        listed = ", ".join(allowed)
        super().__init__(
            f"{method} is not for this address; it takes {listed}.", code="method-not-allowed"
        )
        self.allowed = listed
