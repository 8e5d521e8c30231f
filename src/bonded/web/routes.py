"""Paths: the native ones, and those of Azure Artifacts by which existing clients come."""

from __future__ import annotations

from typing import NamedTuple

from bonded.model.problems import NotFound


class Route(NamedTuple):
    """A path taken apart: `kind` is `simple`, `files`, `legacy` or `home`."""

    feed: str
    kind: str
    rest: tuple[str, ...]


def parse(path: str) -> Route | None:
    """Take a path apart; None if it leads nowhere. Raises `NotFound` for a view."""
    segments = path.split("/")
    if "_packaging" in segments:
        return _azure(segments)
    if len(segments) < 3:
        return None
    _, feed, kind, *rest = segments
    if not kind and not rest:
        return Route(feed, "home", ())
    return Route(_plain(feed), kind, tuple(rest))


def _azure(segments: list[str]) -> Route | None:
    """`/{org}[/{project}]/_packaging/{feed}/pypi/{simple|upload|files}/…`; org and project are
    ignored, and so is the case of the feed's name, as there.
    """
    at = segments.index("_packaging")
    if at not in (2, 3) or len(segments) < at + 4 or segments[at + 2] != "pypi":
        return None
    kind = {"upload": "legacy"}.get(segments[at + 3], segments[at + 3])
    return Route(_plain(segments[at + 1].lower()), kind, tuple(segments[at + 4 :]))


def _plain(feed: str) -> str:
    if "@" in feed:
        name, _, view = feed.partition("@")
        raise NotFound(
            f"The feed {name} has no view {view!r}: this version of Bonded has no views.",
            code="no-views",
            hint=f"Use the feed itself: {name}",
        )
    return feed
