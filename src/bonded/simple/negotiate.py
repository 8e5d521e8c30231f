"""Choose a format (PEP 691, "Version + Format Selection") and a coding (RFC 9110, section 12.5)."""

from __future__ import annotations

from enum import Enum

from bonded.model.problems import NotAcceptable


class Form(Enum):
    """A format a page can be given in, by its Content-Type."""

    JSON = "application/vnd.pypi.simple.v1+json"
    HTML = "application/vnd.pypi.simple.v1+html"
    TEXT = "text/html"

    @property
    def is_json(self) -> bool:
        """Whether it is the JSON form; the two others are the same HTML."""
        return self is Form.JSON


#: What each media type may be asked for as. PEP 691: `latest` is answered with a concrete version.
_NAMES = {
    "application/vnd.pypi.simple.v1+json": Form.JSON,
    "application/vnd.pypi.simple.latest+json": Form.JSON,
    "application/vnd.pypi.simple.v1+html": Form.HTML,
    "application/vnd.pypi.simple.latest+html": Form.HTML,
    "text/html": Form.TEXT,
}
_WILDCARDS = {"text/*": (Form.TEXT,), "application/*": (Form.JSON, Form.HTML)}
_ANY = "*/*"


def form(accept: str | None, wanted: str | None = None) -> Form:
    """The form to answer in, from the Accept header and the `format` parameter, which wins.

    Raises `NotAcceptable` (406) when none of the three can be given.
    """
    if wanted is not None:
        # A '+' that was not escaped in a query arrives as a space.
        found = _NAMES.get(wanted.replace(" ", "+").lower())
        if found is None:
            raise _refusal(f"There is no format {wanted!r}.")
        return found
    if accept is None or not accept.strip():
        return Form.TEXT
    weights = _weights(accept)
    best = max(Form, key=lambda f: _rank(f, *weights.get(f, (0, 0.0))))
    if weights.get(best, (0, 0.0))[1] <= 0.0:
        raise _refusal("None of the formats your client accepts can be given.")
    return best


def _weights(accept: str) -> dict[Form, tuple[int, float]]:
    """How precisely each form is spoken of, and with which weight."""
    weights: dict[Form, tuple[int, float]] = {}
    for part in accept.split(","):
        kind, quality = _weighted(part)
        for meant, precision in _meant(kind):
            # RFC 9110: the most specific range decides; a named type is not raised by a wildcard.
            weights[meant] = max(weights.get(meant, (0, 0.0)), (precision, quality))
    return weights


def _meant(kind: str) -> list[tuple[Form, int]]:
    if kind in _NAMES:
        return [(_NAMES[kind], 2)]
    if kind == _ANY:
        return [(any_form, 0) for any_form in Form]
    return [(some, 1) for some in _WILDCARDS.get(kind, ())]


def _rank(form: Form, precision: int, quality: float) -> tuple[float, bool, int]:
    """At equal weight what was asked for goes first, the richest of it; where anything will do,
    what every client can read.
    """
    asked, place = precision > 0, list(Form).index(form)
    return quality, asked, -place if asked else place


def _weighted(part: str) -> tuple[str, float]:
    kind, *parameters = (piece.strip() for piece in part.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "q":
            try:
                return kind.lower(), min(1.0, max(0.0, float(value)))
            except ValueError:
                return kind.lower(), 0.0
    return kind.lower(), 1.0


def _refusal(message: str) -> NotAcceptable:
    return NotAcceptable(
        message,
        code="not-acceptable",
        hint="Accept one of: " + ", ".join(f.value for f in Form) + ".",
    )


def gzip_allowed(accept_encoding: str | None) -> bool:
    """Whether the client takes gzip."""
    if not accept_encoding:
        return False
    weights = dict(_weighted(part) for part in accept_encoding.split(","))
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0.0
