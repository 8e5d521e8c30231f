"""Plans: what a runtime lacks of some requirements, and why."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.utils import NormalizedName
from packaging.version import Version

from bonded.model.files import File


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """A wheel to be added to a runtime, and the packages or requirements that want it."""

    name: NormalizedName
    version: Version
    file: File
    wanted_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """A preinstalled package that satisfies what wants it."""

    name: NormalizedName
    version: Version
    wanted_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """An extra that is older than it could be, and the pins of the runtime that hold it."""

    name: NormalizedName
    version: Version
    newest: Version
    pins: tuple[str, ...]
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """A requirement that a preinstalled package does not meet."""

    wanted_by: str
    requirement: str
    name: NormalizedName
    pinned: Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A preinstalled package that would have to be replaced."""

    name: NormalizedName
    pinned: Version
    version: Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The answer to: what must be added to this runtime to have these requirements?

    Where there is none (`solved` is False), `conflicts` says which pins stand in the way, and
    `overrides` which preinstalled packages would have to give way: the smallest such set, if
    `smallest`. `reasons` say what else stands in the way.
    """

    runtime: str
    requirements: tuple[str, ...]
    solved: bool
    extras: tuple[Extra, ...] = ()
    satisfied: tuple[Present, ...] = ()
    held_back: tuple[HeldBack, ...] = ()
    conflicts: tuple[Clash, ...] = ()
    overrides: tuple[Override, ...] = ()
    smallest: bool = True
    warnings: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
