"""Which files of a project a runtime can use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag
from packaging.utils import parse_wheel_filename
from packaging.version import Version

from bonded.model.files import File, Project
from bonded.model.runtimes import Runtime


@dataclass(frozen=True)
class Fit:
    """What a runtime takes, as of a date. A file without an upload time is not as of any date."""

    runtime: Runtime
    before: datetime | None = None
    _ranks: Mapping[Tag, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ranks: dict[Tag, int] = {}
        for rank, tag in enumerate(self.runtime.tags()):
            ranks.setdefault(tag, rank)
        object.__setattr__(self, "_ranks", ranks)

    def usable(self, file: File) -> bool:
        """Whether it is a wheel that can be installed here, and was there by then."""
        return file.is_wheel and self.in_time(file) and self.tagged(file) and self.python(file)

    def in_time(self, file: File) -> bool:
        """Whether it was uploaded before the date."""
        return self.before is None or (file.uploaded is not None and file.uploaded < self.before)

    def tagged(self, file: File) -> bool:
        """Whether one of its tags is the runtime's."""
        return self._rank(file) is not None

    def python(self, file: File) -> bool:
        """Whether its Requires-Python holds; one that cannot be read is taken to."""
        try:
            return not file.requires_python or SpecifierSet(file.requires_python).contains(
                self.runtime.python, prereleases=True
            )
        except InvalidSpecifier:
            return True

    def best(self, files: Iterable[File], version: Version) -> File | None:
        """The wheel of a version that an installer takes."""
        usable = [f for f in files if f.version == version and self.usable(f)]
        return min(usable, key=lambda f: (self._rank(f) or 0, f.filename), default=None)

    def newest(
        self, project: Project, specifier: SpecifierSet | None = None, *, pre: bool = False
    ) -> Version | None:
        """The newest version with a usable wheel that is not yanked and meets the specifier."""
        usable = {f.version for f in project.files if f.yanked is None and self.usable(f)}
        met = (v for v in usable if specifier is None or specifier.contains(v, prereleases=True))
        return max((v for v in met if pre or not v.is_prerelease), default=None)

    def _rank(self, file: File) -> int | None:
        tags = parse_wheel_filename(file.filename)[3]
        return min((self._ranks[t] for t in tags if t in self._ranks), default=None)
