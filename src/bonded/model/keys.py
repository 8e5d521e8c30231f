"""The keys of revisions: what a change bumps, and what an answer depends on."""

from __future__ import annotations

from packaging.utils import NormalizedName

TOKENS = "tokens"
FEEDS = "feeds"  #: the list of feeds, their settings and their upstreams
CLAIMS = "claims"  #: claims on names in all feeds


def settings(feed: int) -> str:
    """What a feed falls back to."""
    return f"settings:{feed}"


def patterns(feed: int) -> str:
    """The claims of one feed on names by pattern; one on a single name bumps its project."""
    return f"patterns:{feed}"


def project(feed: int, name: NormalizedName) -> str:
    """The files and the status of a project in a feed."""
    return f"project:{feed}:{name}"


def names(feed: int) -> str:
    """Which projects a feed has."""
    return f"names:{feed}"


def listing(upstream: int, name: NormalizedName) -> str:
    """An upstream's page of a project, and what was found out about its files."""
    return f"listing:{upstream}:{name}"
