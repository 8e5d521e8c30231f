"""Platform runtimes: a Python, a platform, and what is installed there already."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import NormalizedName
from packaging.version import InvalidVersion, Version

from bonded.model.problems import BadInput


class Origin(StrEnum):
    """What put a package there, or what told of it."""

    CONDA = "conda"
    PIP = "pip"
    SYSTEM = "system"  #: the operating system's packages, or the platform itself
    PROBE = "probe"  #: seen by the probe, which does not ask who installed it
    LIST = "list"  #: on a list that does not say


class Nature(StrEnum):
    """What a package is to a resolver."""

    PYTHON = "python"
    NATIVE = "native"  #: not a Python distribution; its name may be another project's on an index
    PRIVATE = "private"  #: the platform's own or its fork: this version is on no public index


class Confidence(StrEnum):
    """How well it is known."""

    SURE = "sure"  #: seen in a live session
    LIKELY = "likely"  #: on a published list, plainly
    GUESSED = "guessed"  #: its nature, name or version was inferred


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """One package of a runtime.

    `text` is its version as it was written, `version` None where that is not one of PEP 440, or is
    not known. A native package has the name that conda or the system gives it. `extras` are its
    Provides-Extra and `requires` its Requires-Dist, if `known_metadata`.
    """

    name: NormalizedName
    text: str
    version: Version | None
    origin: Origin
    nature: Nature
    confidence: Confidence
    extras: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    known_metadata: bool = False
    note: str | None = None


#: The libcs wheels are tagged for: their one major version, the lowest minor with a tag of its own.
_LIBCS = {"manylinux": 2, "musllinux": 1}
_ALIASES = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_ARCHES = "x86_64 aarch64 i686 armv7l ppc64le s390x riscv64 loongarch64".split()
_SAME_ARCH = {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64"}
_PLATFORM = re.compile(
    r"(?P<alias>manylinux(?:1|2010|2014))(?:[_/](?P<arch1>\w+))?"
    r"|(?P<libc>manylinux|musllinux)_(?P<major>\d{1,3})_(?P<minor>\d{1,3})(?:[_/](?P<arch2>\w+))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Platform:
    """A Linux as wheels see it: which libc, and which version of it, on which architecture."""

    libc: str
    major: int
    minor: int
    arch: str

    @classmethod
    def parse(cls, text: str, arch: str = "x86_64") -> Platform:
        """Read `manylinux_2_28_x86_64` or `manylinux_2_28/x86_64`; `arch` if none is named."""
        found = _PLATFORM.fullmatch(text.strip().lower())
        if found is None:
            raise _bad_platform(text)
        arch = found["arch1"] or found["arch2"] or arch.lower()
        arch = _SAME_ARCH.get(arch, arch)
        if found["alias"]:
            libc, (major, minor) = "manylinux", _ALIASES[found["alias"]]
        else:
            libc, major, minor = found["libc"], int(found["major"]), int(found["minor"])
        if arch not in _ARCHES or major != _LIBCS[libc]:
            raise _bad_platform(text)
        return cls(libc, major, minor, arch)

    def __str__(self) -> str:
        return f"{self.libc}_{self.major}_{self.minor}_{self.arch}"

    @property
    def level(self) -> str:
        """The tag without the architecture: `manylinux_2_28`."""
        return f"{self.libc}_{self.major}_{self.minor}"

    def tags(self) -> list[str]:
        """The platform tags of wheels that run here, the newest libc first."""
        return list(self._tags())

    def _tags(self) -> Iterator[str]:
        lowest = 0
        if self.libc == "manylinux":
            lowest = 5 if self.arch in {"x86_64", "i686"} else 17
        legacy = {pair: alias for alias, pair in _ALIASES.items()} if lowest else {}
        for minor in range(self.minor, lowest - 1, -1):
            yield f"{self.libc}_{self.major}_{minor}_{self.arch}"
            if alias := legacy.get((self.major, minor)):
                yield f"{alias}_{self.arch}"


def _bad_platform(text: str) -> BadInput:
    return BadInput(
        f"{text!r} is not a platform that wheels are made for.",
        code="bad-platform",
        hint="Say it like manylinux_2_28_x86_64, manylinux_2_35/aarch64 or musllinux_1_2;"
        f" architectures are {', '.join(_ARCHES)}.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """A platform runtime. `source` says where this was known from.

    `prefers` is a platform at most as new as `platform`: of several wheels of a release, one for it
    is taken first.
    """

    name: str
    title: str
    python: Version
    platform: Platform
    installed: tuple[Installed, ...] = ()
    warnings: tuple[str, ...] = ()
    source: str
    prefers: Platform | None = None

    def environment(self) -> dict[str, str]:
        """The markers' environment; what is not known of a kernel is empty."""
        return {
            "implementation_name": "cpython",
            "implementation_version": str(self.python),
            "os_name": "posix",
            "platform_machine": self.platform.arch,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": str(self.python),
            "python_version": f"{self.python.major}.{self.python.minor}",
            "sys_platform": "linux",
        }

    def tags(self) -> list[Tag]:
        """The tags of wheels that can be installed here, best first. A plain `linux_…` is not."""
        version = (self.python.major, self.python.minor)
        interpreter = f"cp{version[0]}{version[1]}"
        platforms = self._platform_tags()
        return [
            *cpython_tags(version, abis=[interpreter], platforms=platforms),
            *compatible_tags(version, interpreter, platforms),
        ]

    def _platform_tags(self) -> list[str]:
        first = self.prefers.tags() if self.prefers else []
        return [*first, *(t for t in self.platform.tags() if t not in first)]

    @property
    def python_packages(self) -> tuple[Installed, ...]:
        """What a resolver is to be told of: distributions whose version is known, one a name."""
        kept = (i for i in self.installed if i.nature is not Nature.NATIVE and i.version)
        return tuple({i.name: i for i in kept}.values())

    @property
    def owned_names(self) -> frozenset[NormalizedName]:
        """The names that are this runtime's, and never to be asked of an index."""
        return frozenset(i.name for i in self.installed if i.nature is not Nature.NATIVE)


_OLDEST = Version("3.6")


def python_version(text: str) -> Version:
    """Read the version of a CPython; a patch level that is not said is 0."""
    try:
        found = Version(text.strip())
    except InvalidVersion:
        raise _bad_python(text) from None
    release = (*found.release, 0)[:3]
    if len(found.release) not in (2, 3) or found < _OLDEST or found.major != 3 or found.local:
        raise _bad_python(text)
    tail = str(found).removeprefix(".".join(map(str, found.release)))
    return Version(".".join(map(str, release)) + tail)


def _bad_python(text: str) -> BadInput:
    return BadInput(
        f"{text!r} is not the version of a Python.",
        code="bad-python",
        hint="Say it in full, like 3.11.8.",
    )


_TARGET = re.compile(r"(?:python-|cpython-)(?P<python>[^/]+)/(?P<platform>.+)")


def is_target(text: str) -> bool:
    """Whether it is meant as a plain target and not as the name of a runtime."""
    return "/" in text


def target(text: str) -> Runtime:
    """A Python with nothing installed, out of `python-3.12/manylinux_2_28/x86_64`."""
    found = _TARGET.fullmatch(text.strip())
    if found is None:
        raise BadInput(
            f"{text!r} is neither a runtime nor a target.",
            code="bad-target",
            hint="A target is like python-3.12/manylinux_2_28/x86_64.",
        )
    python, platform = python_version(found["python"]), Platform.parse(found["platform"])
    return Runtime(
        name=f"python-{found['python']}/{platform.level}/{platform.arch}",
        title=f"Python {found['python']} on {platform}",
        python=python,
        platform=platform,
        warnings=unsaid_patch(found["python"]),
        source="target",
    )


def unsaid_patch(text: str) -> tuple[str, ...]:
    """The warning that is due for a Python said without its patch level."""
    if len(Version(text.strip()).release) > 2:
        return ()
    full = python_version(text)
    return (f"Python {text.strip()} is taken as {full}: its patch level was not said.",)
