"""What live sessions and lock files report: the probe, `pip inspect`, `pip list`, pylock.toml."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from packaging.markers import InvalidMarker, Marker

from bonded.model.problems import BadInput
from bonded.model.runtimes import Confidence, Installed, Origin, Platform
from bonded.planning.runtimes.gather import Gathering, Told, distribution, valid_name

_INSTALLERS = {
    "pip": Origin.PIP,
    "uv": Origin.PIP,
    "conda": Origin.CONDA,
    "debian": Origin.SYSTEM,
    "dpkg": Origin.SYSTEM,
    "rpm": Origin.SYSTEM,
}


def read_probe(report: Mapping[str, Any]) -> Told:
    """What the probe has seen, which is the truth."""
    _linux_cpython(report.get("system"), report.get("implementation"))
    libc, libc_version = (*report.get("libc", ()), "", "")[:2]
    machine = str(report.get("machine") or "x86_64")
    return Told(
        installed=_seen(report["distributions"]),
        python=report["python"],
        platform=_platform(libc, libc_version, machine),
        machine=machine,
        title=report.get("os") or None,
    )


def _seen(items: Iterable[Mapping[str, Any]]) -> tuple[Installed, ...]:
    """The first of a name is the one that Python imports."""
    found: dict[str, Installed] = {}
    for item in items:
        package = _live(item, Origin.PROBE)
        if package is not None and package.name not in found:
            found[package.name] = package
    return tuple(found.values())


def _live(item: Mapping[str, Any], origin: Origin) -> Installed | None:
    name = valid_name(str(item.get("name") or ""))
    if name is None:
        return None
    package = distribution(name, str(item.get("version") or ""), origin, Confidence.SURE)
    return replace(
        package,
        confidence=Confidence.SURE,
        extras=tuple(item.get("extras") or ()),
        requires=tuple(item.get("requires") or ()),
        known_metadata=True,
    )


def _platform(libc: str, version: str, machine: str) -> Platform | None:
    kind = {"glibc": "manylinux", "musl": "musllinux"}.get(libc)
    if kind is None or not version:
        return None
    major, minor = version.split(".")[:2]
    return Platform.parse(f"{kind}_{major}_{minor}_{machine}")


def _linux_cpython(system: str | None, implementation: str | None) -> None:
    if system and system.lower() != "linux":
        raise BadInput(
            f"This is of a session on {system}; a runtime is on Linux.",
            code="not-linux",
            hint="Run it where the packages are to be used.",
        )
    if implementation and implementation.lower() != "cpython":
        raise BadInput(f"This is of {implementation}, not of CPython.", code="not-cpython")


def read_inspect(report: Mapping[str, Any]) -> Told:
    """What `pip inspect` has seen."""
    markers = report.get("environment") or {}
    _linux_cpython(markers.get("platform_system"), markers.get("implementation_name"))
    into = Gathering()
    for item in report["installed"]:
        metadata = item.get("metadata") or {}
        told = {
            "name": metadata.get("name"),
            "version": metadata.get("version"),
            "requires": metadata.get("requires_dist"),
            "extras": metadata.get("provides_extra"),
        }
        origin = _INSTALLERS.get(str(item.get("installer") or "").lower(), Origin.LIST)
        if package := _live(told, origin):
            into.add(package)
    return into.told(
        python=markers.get("python_full_version"), machine=markers.get("platform_machine")
    )


def read_names(items: Iterable[Mapping[str, Any]], into: Gathering) -> None:
    """Add what `pip list --format json` lists."""
    for item in items:
        name = valid_name(str(item.get("name") or ""))
        if name is not None:
            into.add(distribution(name, str(item.get("version") or ""), Origin.LIST))


def read_lock(document: Mapping[str, Any], environment: Mapping[str, str], into: Gathering) -> None:
    """Add the packages of a pylock.toml that are for this environment, without its extras."""
    for item in document.get("packages") or ():
        name = valid_name(str(item.get("name") or ""))
        if name is not None and _applies(item.get("marker"), environment):
            into.add(distribution(name, str(item.get("version") or ""), Origin.LIST))


def _applies(marker: str | None, environment: Mapping[str, str]) -> bool:
    if not marker:
        return True
    given: dict[str, Any] = {**environment, "extras": frozenset(), "dependency_groups": frozenset()}
    try:
        return Marker(marker).evaluate(given, context="lock_file")
    except InvalidMarker:
        raise BadInput(f"{marker[:80]!r} is not a marker.", code="bad-marker") from None
