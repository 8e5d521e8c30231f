"""Conda's environments: environment YAML, `conda list` as text or JSON, and Components.json."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from packaging.utils import NormalizedName, canonicalize_name

from bonded.model.problems import BadInput
from bonded.model.runtimes import Confidence, Installed, Nature, Origin
from bonded.planning.runtimes import conda_names
from bonded.planning.runtimes.gather import Gathering, distribution, pep440, valid_name
from bonded.planning.runtimes.private_names import private

_SPEC = re.compile(
    r"(?:(?P<channel>\S+?)::)?(?P<name>[\w.-]+)\s*(?:\[.*\])?"
    r"(?P<rest>(?:[\s=<>!~].*)?)",
    re.ASCII,
)
_EXACT = re.compile(r"={0,2}\s*(?P<version>[^\s=<>!~,|*]+)(?:[\s=]+(?P<build>[^\s=<>,|*]+))?")


@dataclass(frozen=True, slots=True)
class Spec:
    """A package as conda names it; `version` None where a range or nothing is said."""

    name: str
    version: str | None
    build: str | None

    @classmethod
    def parse(cls, text: str) -> Spec:
        """Read `name=version=build`, also with spaces, a channel, or less of it."""
        found = _SPEC.fullmatch(text.strip())
        if found is None:
            raise BadInput(
                f"{text[:80]!r} is not a package as conda names it.", code="bad-conda-package"
            )
        exact = _EXACT.fullmatch(re.sub(r"\[.*\]$", "", found["rest"]).strip())
        version, build = (exact["version"], exact["build"]) if exact else (None, None)
        return cls(found["name"].lower(), version, build)


def read_specs(specs: Iterable[Spec], into: Gathering, origin: Origin = Origin.CONDA) -> str | None:
    """Add the packages, and say which Python is among them."""
    python = None
    unmapped, dated = set(), set()
    for spec in specs:
        if spec.name == "python":
            python = spec.version
        package = _package(spec, origin)
        into.add(package)
        if package.nature is Nature.PYTHON and conda_names.unmapped(spec.name):
            unmapped.add(spec.name)
        if _dated(spec):
            dated.add(package.name)
    into.warn("Not known by which name an index has {}; taken as conda names them.", unmapped)
    into.warn(
        "The versions of {} are dates of conda's bundles; what is installed is not known.", dated
    )
    return python


def _package(spec: Spec, origin: Origin) -> Installed:
    text = spec.version or ""
    name = valid_name(conda_names.on_index(spec.name, text))
    # A platform's own packages are known by name, whatever they look like.
    own = name is not None and private(name, None)
    known = False if own else conda_names.native(spec.name, spec.build)
    if known or name is None or (known is None and text and pep440(text) is None):
        listed = spec.build or spec.name in conda_names.NATIVE
        sure = Confidence.LIKELY if listed else Confidence.GUESSED
        return _native(spec.name, text, origin, sure)
    note = None if name == canonicalize_name(spec.name) else f"conda calls it {spec.name}"
    # Of a name that no list tells of and that has no build string, only its looks speak.
    guessed = (known is None and origin is Origin.CONDA) or _dated(spec)
    guessed = guessed or conda_names.unmapped(spec.name)
    confidence = Confidence.GUESSED if guessed else Confidence.LIKELY
    return distribution(name, text, origin, confidence, note)


def _native(name: str, text: str, origin: Origin, confidence: Confidence) -> Installed:
    return Installed(
        name=NormalizedName(name),
        text=text,
        version=None,
        origin=origin,
        nature=Nature.NATIVE,
        confidence=confidence,
    )


def _dated(spec: Spec) -> bool:
    return spec.name in conda_names.DATED and bool(re.match(r"20\d\d\.", spec.version or ""))


def environment_specs(document: Mapping[str, Any]) -> tuple[list[Spec], list[str]]:
    """The conda packages and the lines for pip of an environment file."""
    specs: list[Spec] = []
    lines: list[str] = []
    listed = document.get("dependencies") or []
    if not isinstance(listed, list):
        raise TypeError("dependencies are a list")
    for item in listed:
        if isinstance(item, str):
            specs.append(Spec.parse(item))
        elif isinstance(item, dict):
            lines += [line for line in item.get("pip") or () if isinstance(line, str)]
    return specs, lines


def listed_specs(items: Iterable[Mapping[str, Any]]) -> tuple[list[Spec], list[str]]:
    """The same of `conda list --json`, which names what pip installed beside the rest."""
    specs: list[Spec] = []
    lines: list[str] = []
    for item in items:
        name, version = str(item.get("name", "")), str(item.get("version", ""))
        if item.get("channel") == "pypi":
            lines.append(f"{name}=={version}")
        else:
            specs.append(Spec(name.lower(), version, item.get("build_string")))
    return specs, lines


def text_specs(lines: Iterable[str]) -> tuple[list[Spec], list[str]]:
    """The same of `conda list --export`: `name=version=build`, pip's with the build `pypi_0`."""
    specs = [Spec.parse(line) for line in lines]
    pip = [f"{s.name}=={s.version}" for s in specs if s.build == "pypi_0"]
    return [s for s in specs if s.build != "pypi_0"], pip


def component_specs(document: Mapping[str, Any]) -> list[Spec]:
    """The Python components of a Components.json, which says neither builds nor origins."""
    found = [
        Spec(str(item["Name"]).lower(), str(item.get("Current") or "") or None, None)
        for kind, items in document["components"].items()
        if "python" in kind.lower() and isinstance(items, list)
        for item in items
        if isinstance(item, dict) and item.get("Name")
    ]
    if not found:
        raise BadInput(
            "No Python packages are among the components of this file.", code="no-python-components"
        )
    return found
