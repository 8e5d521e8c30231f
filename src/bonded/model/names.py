"""Names of projects and feeds, patterns over project names, and filenames."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import NewType

from packaging.utils import (
    InvalidName,
    InvalidSdistFilename,
    InvalidWheelFilename,
    NormalizedName,
    canonicalize_name,
    canonicalize_version,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version

from bonded.model.problems import BadInput

FeedName = NewType("FeedName", str)

FEED_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
#: First path segments that mean something else on the same host, now or later.
RESERVED = frozenset(
    "admin api assets default docs files health healthz integrity legacy login logout metrics"
    " namespace namespaces oidc pypi readyz simple static ui wheels".split()
)

SAFE_FILENAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!~-]{0,254}", re.ASCII)
PATTERN = re.compile(r"[a-z0-9*?]([a-z0-9*?-]*[a-z0-9*?])?", re.ASCII)


def feed_name(text: str) -> FeedName:
    """Check the name of a feed: `[a-z0-9][a-z0-9-]{0,62}`, and none that is reserved."""
    if not FEED_NAME.fullmatch(text):
        raise BadInput(
            f"{text!r} cannot be the name of a feed.",
            code="bad-feed-name",
            hint="Use 1 to 63 lowercase letters, digits and dashes, beginning with a letter or"
            " a digit.",
        )
    if text in RESERVED:
        raise BadInput(
            f"The name {text!r} is reserved, because the path /{text} has another meaning.",
            code="reserved-feed-name",
            hint="Choose another name, such as the team's.",
        )
    return FeedName(text)


def project_name(text: str) -> NormalizedName:
    """Check and normalise the name of a project (PEP 503)."""
    try:
        return canonicalize_name(text, validate=True)
    except InvalidName:
        raise BadInput(
            f"{text!r} cannot be the name of a project.",
            code="bad-project-name",
            hint="A name has letters, digits, '.', '_' and '-', and begins and ends with a letter"
            " or a digit.",
        ) from None


@dataclass(frozen=True, slots=True)
class Pattern:
    """Project names to speak of together: a normalised name, or one with `*` and `?` in it."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Normalise as names are normalised, so that `Acme_*` and `acme-*` are one pattern."""
        plain = re.sub(r"[-_.]+", "-", text).lower()
        # No name begins or ends with a dash: such a claim would look like one and own nothing.
        if not PATTERN.fullmatch(plain):
            raise BadInput(
                f"{text!r} is neither the name of a project nor a pattern of names.",
                code="bad-pattern",
                hint="Give a name such as acme-core, or a pattern such as acme-*.",
            )
        return cls(plain)

    @property
    def exact(self) -> bool:
        """Whether it speaks of one name only."""
        return "*" not in self.text and "?" not in self.text

    def matches(self, name: NormalizedName) -> bool:
        """Whether `name` is one of those spoken of."""
        return self.text == name if self.exact else fnmatchcase(name, self.text)


@lru_cache(maxsize=65536)
def version(text: str) -> Version:
    """Parse a version (PEP 440), remembering it: pages name the same ones again and again."""
    return Version(text)


def identity(filename: str) -> str:
    """What a filename says, however it is spelt: `Foo-1.0.0-…` and `foo-1.0-…` are one file."""
    name, version = distribution(filename)
    number = canonicalize_version(version)
    if not filename.endswith(".whl"):
        return f"{name} {number} {'zip' if filename.endswith('.zip') else 'tar'}"
    _, _, build, tags = parse_wheel_filename(filename)
    return f"{name} {number} {build} {' '.join(sorted(map(str, tags)))}"


@lru_cache(maxsize=65536)
def distribution(filename: str) -> tuple[NormalizedName, Version]:
    """Read project and version off the filename of a wheel or an sdist.

    Raises `BadInput` with a sentence for anything else.
    """
    if not SAFE_FILENAME.fullmatch(filename):
        raise BadInput(
            f"{filename!r} cannot be the filename of a distribution.", code="bad-filename"
        )
    try:
        if filename.endswith(".whl"):
            name, number, _, _ = parse_wheel_filename(filename)
        else:
            name, number = parse_sdist_filename(filename)
    except (InvalidWheelFilename, InvalidSdistFilename) as error:
        raise BadInput(
            f"{filename!r} is not the filename of a wheel or an sdist: {error}.",
            code="bad-filename",
            hint="Upload wheels (.whl) and sdists (.tar.gz or .zip) as the build tools name them.",
        ) from None
    return name, number
