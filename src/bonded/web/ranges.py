"""Range requests (RFC 9110, section 14)."""

from __future__ import annotations

import re

from bonded.model.problems import Problem

_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*", re.ASCII | re.I)


class Unsatisfiable(Problem):
    """The range lies outside of the file."""

    status = 416

    def __init__(self, size: int) -> None:
        super().__init__(f"The file has {size} bytes.", code="range-not-satisfiable")
        self.size = size


def parse(header: str | None, size: int) -> tuple[int, int] | None:
    """First byte and end (exclusive) of the one range asked for; None to send the whole.

    Several ranges, and what is no range at all, get the whole, as the RFC allows. Raises
    `Unsatisfiable`.
    """
    found = _RANGE.fullmatch(header) if header is not None else None
    if found is None or found.group(1, 2) == ("", ""):
        return None
    first, last = found.group(1, 2)
    if not first:
        if int(last) == 0 or size == 0:
            raise Unsatisfiable(size)
        return max(0, size - int(last)), size
    start, end = int(first), min(int(last), size - 1) + 1 if last else size
    if last and int(last) < start:
        return None
    if start >= size:
        raise Unsatisfiable(size)
    return start, end


def unsized(header: str | None) -> tuple[int | None, int] | None:
    """First byte (None: count from the end) and length asked of a file of unknown size.

    None for what can only be told with the size.
    """
    found = _RANGE.fullmatch(header) if header is not None else None
    if found is None or not found[2]:
        return None
    start, last = int(found[1]) if found[1] else None, int(found[2])
    length = last if start is None else last - start + 1
    return (start, length) if length > 0 else None
