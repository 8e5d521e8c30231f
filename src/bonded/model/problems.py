"""The one error family: a sentence for people, a code and a status for programs."""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "BadInput",
    "BadUpstream",
    "Conflict",
    "Forbidden",
    "NoRoom",
    "NotAcceptable",
    "NotFound",
    "Problem",
    "TooLarge",
    "Unauthorised",
    "Unavailable",
]


class Problem(Exception):
    """Something a person or a client must be told, said in a sentence.

    `code` is a stable word for programs, `status` the HTTP status, `hint` what to do about it,
    `retry_after` seconds after which asking again makes sense, and `exit_code` what a command
    ends with.
    """

    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        message: str,
        *,
        code: str = "problem",
        hint: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[object, ...]:
        state = {"code": self.code, "hint": self.hint, "retry_after": self.retry_after}
        return (_again, (type(self), self.message, state))


def _again(kind: type[Problem], message: str, state: dict[str, object]) -> Problem:
    return kind(message, **state)  # type: ignore[arg-type]


class BadInput(Problem):
    """What was given cannot be used as it is."""

    status = 400
    exit_code = 2


class Unauthorised(Problem):
    """No credentials, or ones that are wrong, expired or revoked."""

    status = 401


class Forbidden(Problem):
    """The caller is known and may not do this."""

    status = 403


class NotFound(Problem):
    """What was asked for is not there."""

    status = 404


class NotAcceptable(Problem):
    """None of the formats the client accepts can be given."""

    status = 406


class Conflict(Problem):
    """It contradicts what is there already."""

    status = 409


class TooLarge(Problem):
    """It is larger than this server takes."""

    status = 413


class BadUpstream(Problem):
    """What an upstream sent is not what it said it would send."""

    status = 502
    exit_code = 3


class Unavailable(Problem):
    """Something this answer depends on cannot be reached now."""

    status = 503
    exit_code = 3


class NoRoom(Problem):
    """The disk is full or cannot be written."""

    status = 507
