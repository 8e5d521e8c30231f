"""What a file tells, put together: one package a name, and a warning for what does not agree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from packaging.utils import InvalidName, NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from bonded.model.runtimes import Confidence, Installed, Nature, Origin, Platform
from bonded.planning.runtimes.private_names import of_system, private


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a file tells of a runtime. `python` is as written, `machine` the architecture."""

    installed: tuple[Installed, ...]
    python: str | None = None
    platform: Platform | None = None
    machine: str | None = None
    title: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class Gathering:
    """Packages as they are read, and what there is to warn of."""

    found: list[Installed] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _seen: dict[NormalizedName, int] = field(default_factory=dict)

    def add(self, package: Installed) -> None:
        """Add one. Of two of a name pip's is the one that is imported, else the later one."""
        if package.nature is Nature.NATIVE:
            self.found.append(package)
            return
        at = self._seen.setdefault(package.name, len(self.found))
        if at == len(self.found):
            self.found.append(package)
        else:
            self.found[at] = self._of_two(self.found[at], package)

    def _of_two(self, first: Installed, second: Installed) -> Installed:
        if first.version == second.version:
            # Bundles beside the real package; the one whose name needed no mapping is plainer.
            return second if _rank(second) > _rank(first) else first
        kept = first if _rank(first)[:2] > _rank(second)[:2] else second
        gone = second if kept is first else first
        self.warnings.append(
            f"{kept.name} is listed as {_told(gone)} and as {_told(kept)}; taken as {kept.text}."
        )
        if _by_pip(first) == _by_pip(second):
            return replace(kept, confidence=Confidence.GUESSED)
        return kept

    def told(self, **more: Any) -> Told:
        """All of it."""
        return Told(installed=tuple(self.found), warnings=tuple(self.warnings), **more)

    def warn(self, sentence: str, names: Iterable[str]) -> None:
        """Note one warning for all the names, and none if there are none."""
        if listed := sorted(set(names)):
            self.warnings.append(sentence.replace("{}", few(listed)))


def few(names: list[str]) -> str:
    """As many of the names as are read with patience."""
    shown = names if len(names) <= 12 else [*names[:10], f"{len(names) - 10} more"]
    return ", ".join(shown)


def _rank(package: Installed) -> tuple[bool, bool, bool]:
    return package.version is not None, _by_pip(package), package.note is None


def _by_pip(package: Installed) -> bool:
    return package.origin is Origin.PIP


def _told(package: Installed) -> str:
    by = f" by {package.origin}" if package.origin in {Origin.PIP, Origin.CONDA} else ""
    return f"{package.text or 'no version'}{by}"


def pep440(text: str) -> Version | None:
    """The version, if it is one."""
    try:
        return Version(text)
    except InvalidVersion:
        return None


def valid_name(text: str) -> NormalizedName | None:
    """The normalised name, if it is one that a distribution can have."""
    try:
        return canonicalize_name(text.strip(), validate=True)
    except InvalidName:
        return None


def distribution(
    name: NormalizedName,
    text: str,
    origin: Origin,
    confidence: Confidence = Confidence.LIKELY,
    note: str | None = None,
) -> Installed:
    """A Python distribution, told from the platform's own and from the system's."""
    version = pep440(text)
    return Installed(
        name=name,
        text=text,
        version=version,
        origin=Origin.SYSTEM if origin is Origin.LIST and of_system(name) else origin,
        nature=Nature.PRIVATE if private(name, version) else Nature.PYTHON,
        confidence=confidence if version else Confidence.GUESSED,
        note=note,
    )
