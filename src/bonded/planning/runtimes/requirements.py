"""Requirements files and what `pip freeze` prints."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from bonded.model.names import distribution as of_filename
from bonded.model.problems import BadInput
from bonded.model.runtimes import Confidence, Origin
from bonded.planning.runtimes.gather import Gathering, distribution, valid_name

_COMMENT = re.compile(r"(^|\s)#.*$")
_OPTIONS = re.compile(r"\s--(?:hash|config-settings?|global-option)\b.*$")
#: What pip says of an editable install it cannot point to.
_EDITABLE = re.compile(r"# Editable .*\((?P<requirement>\S+==\S+)\)")
_EGG = re.compile(r"[#&]egg=(?P<name>[\w.-]+)")


def logical_lines(text: str) -> Iterator[str]:
    """The lines as pip reads them: continued, without comments and without options of one."""
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        if editable := _EDITABLE.match(line.strip()):
            yield editable["requirement"]
        plain = _OPTIONS.sub("", _COMMENT.sub("", line)).strip()
        if plain:
            yield plain


def read_requirements(
    lines: Iterable[str], environment: Mapping[str, str], into: Gathering, origin: Origin
) -> None:
    """Add what the lines name. What is not for this environment by its marker is left out."""
    passed: set[str] = set()
    for line in lines:
        if line.startswith(("-r", "-c", "--requirement", "--constraint")):
            passed.add(line)
        elif line.startswith(("-e", "--editable")):
            _editable(line, into, origin)
        elif not line.startswith("-"):
            _requirement(line, environment, into, origin)
    into.warn("Not followed: {}. Give those files in the same one.", passed)


def _editable(line: str, into: Gathering, origin: Origin) -> None:
    egg = _EGG.search(line)
    if egg and (name := valid_name(egg["name"])):
        into.add(distribution(name, "", origin))


def _requirement(
    line: str, environment: Mapping[str, str], into: Gathering, origin: Origin
) -> None:
    if "/" in line and "@" not in line.partition("/")[0] and ";" not in line.partition("/")[0]:
        _bare_url(line, into, origin)
        return
    try:
        wanted = Requirement(line)
    except InvalidRequirement:
        # A line of a file may hold a password, as may a URL: it is not said back in full.
        raise BadInput(
            f"{line.split('://')[0][:60]!r} is not a line of a requirements file.",
            code="bad-requirement",
        ) from None
    if not _applies(wanted, environment):
        return
    name, text = canonicalize_name(wanted.name), _pinned(wanted) or ""
    into.add(distribution(name, text, origin, _sureness(wanted)))


def _applies(wanted: Requirement, environment: Mapping[str, str]) -> bool:
    if wanted.marker is None:
        return True
    try:
        return wanted.marker.evaluate(dict(environment))
    except (UndefinedComparison, UndefinedEnvironmentName):
        return True


def _sureness(wanted: Requirement) -> Confidence:
    return Confidence.GUESSED if wanted.url else Confidence.LIKELY


def _pinned(wanted: Requirement) -> str | None:
    """The one version that is said, by `==`, `===` or the filename behind a URL."""
    if wanted.url:
        return _version_of(wanted.url)
    said = list(wanted.specifier)
    if len(said) == 1 and said[0].operator in {"==", "==="} and not said[0].version.endswith("*"):
        return said[0].version
    return None


def _version_of(url: str) -> str | None:
    try:
        return str(of_filename(_filename(url))[1])
    except BadInput:
        return None


def _filename(url: str) -> str:
    return PurePosixPath(unquote(urlsplit(url).path)).name


def _bare_url(line: str, into: Gathering, origin: Origin) -> None:
    try:
        name, version = of_filename(_filename(line.split()[0]))
    except BadInput:
        into.warnings.append("An address that names no distribution is left out.")
        return
    into.add(distribution(name, str(version), origin, Confidence.GUESSED))
