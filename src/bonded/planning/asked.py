"""Requirements as people give them: on the command line, and in files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from bonded.model.problems import BadInput

_COMMENT = re.compile(r"(^|\s)#.*$")
_HASH = re.compile(r"\s--hash[= ]\S+")


def parse(text: str, where: str = "the command line") -> Requirement:
    """One requirement (PEP 508); raises `BadInput` saying which and where."""
    try:
        found = Requirement(text)
    except InvalidRequirement as error:
        reason = str(error).splitlines()[0]
        raise BadInput(
            f"{text!r} in {where} is not a requirement: {reason}.",
            code="bad-requirement",
            hint="Write it like pandas>=2 or 'requests[socks]==2.32.3'.",
        ) from None
    if found.url:
        raise BadInput(
            f"{text!r} in {where} points at a file or a repository; a plan takes packages of an"
            " index.",
            code="direct-reference",
            hint="Upload the package to a feed and plan with --feed.",
        )
    return found


def read(path: Path, seen: tuple[Path, ...] = ()) -> list[Requirement]:
    """The requirements of a file, and of the files it includes with `-r`."""
    if path.resolve() in seen:
        raise BadInput(f"{path} includes itself.", code="requirements-loop")
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}.", code="no-file") from None
    found: list[Requirement] = []
    for line in _lines(text):
        found += _line(line, path, (*seen, path.resolve()))
    return found


def _lines(text: str) -> Iterator[str]:
    for line in text.replace("\\\n", " ").replace("\\\r\n", " ").splitlines():
        plain = _HASH.sub("", _COMMENT.sub("", line)).strip()
        if plain:
            yield plain


def _line(line: str, path: Path, seen: tuple[Path, ...]) -> Iterable[Requirement]:
    option, _, value = line.replace("=", " ", 1).partition(" ") if line[0] == "-" else ("", "", "")
    if option in ("-r", "--requirement"):
        return read(path.parent / value.strip(), seen)
    if option:
        raise BadInput(
            f"{path} has the option {option}, which a plan does not take from a file.",
            code="requirements-option",
            hint="Give the index with --index or --feed, and leave the option out of the file.",
        )
    return [parse(line, str(path))]
