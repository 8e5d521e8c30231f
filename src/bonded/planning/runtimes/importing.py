"""Whatever describes a runtime, read into one."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from bonded.model.problems import BadInput
from bonded.model.runtimes import (
    Installed,
    Nature,
    Origin,
    Platform,
    Runtime,
    python_version,
    unsaid_patch,
)
from bonded.planning.runtimes import conda, reports
from bonded.planning.runtimes.gather import Gathering, Told
from bonded.planning.runtimes.private_names import of_fabric
from bonded.planning.runtimes.requirements import logical_lines, read_requirements

LARGEST = 64 * 1024 * 1024
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}", re.ASCII)
#: Operating systems, as they name themselves, and the glibc they have.
_SYSTEMS = (
    (re.compile(r"(?:cbl-)?mariner\D*2\."), "manylinux_2_35"),
    (re.compile(r"azure ?linux\D*3\."), "manylinux_2_38"),
    (re.compile(r"ubuntu\D*20\.04"), "manylinux_2_31"),
    (re.compile(r"ubuntu\D*22\.04"), "manylinux_2_35"),
    (re.compile(r"ubuntu\D*24\.04"), "manylinux_2_39"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a file need not say, because it was said beside it."""

    name: str
    source: str
    title: str | None = None
    python: str | None = None
    platform: str | None = None


@dataclass(frozen=True, slots=True)
class _Markers:
    """The environment of markers in a file that says none itself."""

    given: Given

    def of(self, python: str | None, *, needed: bool = False) -> Mapping[str, str]:
        said = self.given.python or python
        if needed and not said:
            raise _needs("python", "which Python it is for", "--python 3.11.8")
        full = python_version(said or "3.11")
        platform = Platform.parse(self.given.platform or "manylinux_2_28")
        bare = Runtime(name="", title="", python=full, platform=platform, source="")
        return bare.environment()


def read_file(path: Path, given: Given) -> Runtime:
    """Read the file, whichever of the known formats it has."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.", code="no-file") from None
    return read(data, given)


def read(data: bytes, given: Given) -> Runtime:
    """Read the contents of a file."""
    check_name(given.name)
    text = _text(data)
    try:
        told = _told(text, _Markers(given))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadInput(
            f"The file looks like a known format and is none: {type(error).__name__}.",
            code="bad-runtime-file",
            hint=_FORMATS,
        ) from None
    return _runtime(told, given)


def check_name(name: str) -> str:
    """Check the name of a runtime."""
    if not _NAME.fullmatch(name) or name.endswith("."):
        raise BadInput(
            f"{name!r} cannot be the name of a runtime.",
            code="bad-runtime-name",
            hint="Use up to 63 lowercase letters, digits, dots and dashes, beginning with a letter"
            " or a digit.",
        )
    return name


def _text(data: bytes) -> str:
    if len(data) > LARGEST:
        raise BadInput("The file is too large to describe a runtime.", code="large-file")
    # Windows' redirections write UTF-16, and its editors a mark before UTF-8.
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        return data.decode("utf-16" if wide else "utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise BadInput("The file is not text.", code="not-text", hint=_FORMATS) from None


_FORMATS = (
    "Known are a conda environment (YAML), Components.json, requirements or pip freeze,"
    " pip inspect, pylock.toml, and the output of `bonded runtime probe`."
)


def _told(text: str, markers: _Markers) -> Told:
    """Recognise the format by what is in the file; its name may be anything."""
    start = text.lstrip()
    if not start:
        raise BadInput("The file is empty.", code="empty-file", hint=_FORMATS)
    if start[0] in "{[":
        return _json(_parsed(json.loads, start, "JSON"), markers)
    if re.search(r"^lock-version\s*=", text, re.MULTILINE):
        return _lock(_parsed(tomllib.loads, text, "TOML"), markers)
    if re.search(r"^[\"']?dependencies[\"']?\s*:", text, re.MULTILINE):
        # The base loader takes 3.10 for text and not for a number.
        document = _parsed(lambda t: yaml.load(t, yaml.BaseLoader), text, "YAML")  # noqa: S506
        return _conda(*conda.environment_specs(document), markers)
    return _lines(text, markers)


def _parsed(parse: Callable[[str], Any], text: str, kind: str) -> Any:
    try:
        return parse(text)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        where = re.search(r"line \d+", str(error))
        raise BadInput(
            f"The file is not whole {kind}{f', at {where[0]}' if where else ''}.",
            code="bad-runtime-file",
        ) from None


def _json(document: Any, markers: _Markers) -> Told:
    if isinstance(document, list):
        return _list(document, markers)
    if "bonded-probe" in document:
        return reports.read_probe(document)
    if "installed" in document and "pip_version" in document:
        return reports.read_inspect(document)
    if "components" in document:
        return _components(document)
    if "dependencies" in document:
        return _conda(*conda.environment_specs(document), markers)
    raise BadInput("This JSON describes no runtime.", code="bad-runtime-file", hint=_FORMATS)


def _list(items: list[Any], markers: _Markers) -> Told:
    if any("build_string" in item for item in items):
        return _conda(*conda.listed_specs(items), markers)
    into = Gathering()
    reports.read_names(items, into)
    return into.told()


def _conda(specs: list[conda.Spec], lines: list[str], markers: _Markers) -> Told:
    into = Gathering()
    python = conda.read_specs(specs, into)
    read_requirements(
        (line for text in lines for line in logical_lines(text)),
        markers.of(python),
        into,
        Origin.PIP,
    )
    return into.told(python=python)


def _components(document: Mapping[str, Any]) -> Told:
    into = Gathering()
    python = conda.read_specs(conda.component_specs(document), into, Origin.LIST)
    system = str(document.get("operatingSystem") or "")
    return into.told(
        python=python or str(document.get("python") or "").partition("/")[0] or None,
        platform=_of_system(system),
        title=", ".join(p for p in (str(document.get("product") or ""), system) if p),
    )


def _of_system(text: str) -> Platform | None:
    found = (level for pattern, level in _SYSTEMS if pattern.match(text.lower()))
    return next((Platform.parse(level) for level in found), None)


def _lock(document: Mapping[str, Any], markers: _Markers) -> Told:
    into = Gathering()
    reports.read_lock(document, markers.of(None, needed=True), into)
    return into.told()


_CONDA_LINE = re.compile(r"[\w.-]+=[^=<>\s]+(=[^=<>\s]+)?", re.ASCII)


def _lines(text: str, markers: _Markers) -> Told:
    lines = list(logical_lines(text))
    if lines and all(_CONDA_LINE.fullmatch(line) for line in lines):
        return _conda(*conda.text_specs(lines), markers)
    into = Gathering()
    read_requirements(lines, markers.of(None, needed=True), into, Origin.LIST)
    return into.told()


def _runtime(told: Told, given: Given) -> Runtime:
    if not told.installed:
        raise BadInput("The file names no package.", code="no-packages", hint=_FORMATS)
    said = given.python or told.python
    if not said:
        raise _needs("python", "which Python it is for", "--python 3.11.8")
    platform, assumed = _chosen(told, given)
    prefers, stale = _preferred(told.installed, platform)
    return Runtime(
        name=given.name,
        title=given.title or told.title or given.name,
        python=python_version(said),
        platform=platform,
        prefers=prefers,
        installed=told.installed,
        warnings=(*told.warnings, *_unknown(told), *unsaid_patch(said), *assumed, *stale),
        source=given.source,
    )


def _unknown(told: Told) -> list[str]:
    """What is said of the packages whose version cannot be given to a resolver."""
    into = Gathering()
    unknown = [i for i in told.installed if i.nature is not Nature.NATIVE and not i.version]
    into.warn(
        "No version is said for {}: installed, but what needs one of them cannot be planned."
        " `pip list --format=freeze` says versions, and so does the probe.",
        (i.name for i in unknown if not i.text),
    )
    into.warn(
        "The version of {} is none of PEP 440: installed, but what needs it cannot be planned.",
        (f"{i.name} ({i.text})" for i in unknown if i.text),
    )
    return into.warnings


def _chosen(told: Told, given: Given) -> tuple[Platform, tuple[str, ...]]:
    if given.platform:
        return Platform.parse(given.platform, told.machine or "x86_64"), ()
    if told.platform:
        return told.platform, ()
    platform = _of_fabric(told.installed)
    if platform is None:
        raise _needs("platform", "which platform it is for", "--platform manylinux_2_35_x86_64")
    return platform, (
        f"The file does not say its platform; taken as {platform}, which Microsoft Fabric has with"
        " this Spark.",
    )


def _of_fabric(installed: tuple[Installed, ...]) -> Platform | None:
    """Fabric with Spark 3 is on CBL-Mariner 2.0, with Spark 4 on Azure Linux 3.0."""
    spark = next((i.version for i in installed if i.name == "pyspark" and i.version), None)
    if spark is None or not any(of_fabric(i.name) for i in installed):
        return None
    return Platform.parse("manylinux_2_35" if spark.major < 4 else "manylinux_2_38")


def _preferred(
    installed: tuple[Installed, ...], platform: Platform
) -> tuple[Platform | None, tuple[str, ...]]:
    """Conda's Python loads conda's libstdc++ first, and wheels may ask more of it than it has."""
    natives = {str(i.name): i.text for i in installed if i.nature is Nature.NATIVE}
    text = natives.get("libstdcxx-ng") or natives.get("libstdcxx") or ""
    gcc = text.partition(".")[0]
    if not gcc.isdigit() or int(gcc) > 11 or not _asks_more(platform):
        return None, ()
    older = replace(platform, minor=28)
    return older, (
        f"Its libstdc++ is that of GCC {text}, and wheels for {platform.level} may ask for a newer"
        f" one: wheels for {older.level} or older are preferred.",
    )


def _asks_more(platform: Platform) -> bool:
    return platform.libc == "manylinux" and platform.minor >= 35


def _needs(option: str, what: str, example: str) -> BadInput:
    return BadInput(
        f"The file does not say {what}.",
        code=f"needs-{option}",
        hint=f"Say it: {example}",
    )
