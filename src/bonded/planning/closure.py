"""Who wants what: requirements followed through metadata, as they hold on a runtime."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

from bonded.simple.archives import parse_metadata

#: What a kernel says of itself, which a runtime's specification does not.
UNKNOWN = ("platform_release", "platform_version")

About = Callable[[NormalizedName], Awaitable[bytes | None]]


@dataclass
class Wants:
    """Names that are wanted, by whom and how, and what could not be told."""

    by: dict[NormalizedName, dict[str, Requirement]] = field(default_factory=dict)
    warnings: dict[str, None] = field(default_factory=dict)

    def note(self, name: NormalizedName, wanter: str, requirement: Requirement) -> None:
        """Somebody wants `name`."""
        self.by.setdefault(name, {}).setdefault(f"{wanter}: {requirement}", requirement)

    def wanters(self, name: NormalizedName) -> tuple[str, ...]:
        """Who wants a name, each once."""
        return tuple(dict.fromkeys(key.partition(":")[0] for key in self.by.get(name, ())))


def applicable(
    about: bytes, extras: Iterable[str], environment: Mapping[str, str], wants: Wants | None = None
) -> list[Requirement]:
    """The requirements in METADATA that hold in an environment with some extras."""
    found = []
    for text in parse_metadata(about).get("requires_dist", []):
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if requirement.marker is None or holds(requirement.marker, extras, environment, wants):
            found.append(requirement)
    return found


def holds(
    marker: Marker,
    extras: Iterable[str],
    environment: Mapping[str, str],
    wants: Wants | None = None,
) -> bool:
    """Whether a marker holds with any of the extras, or with none."""
    if wants is not None and any(name in str(marker) for name in UNKNOWN):
        wants.warnings[f"The marker '{marker}' asks for what the runtime does not tell."] = None
    return any(marker.evaluate({**environment, "extra": extra}) for extra in ("", *extras))


async def follow(
    roots: Iterable[Requirement], about: About, environment: Mapping[str, str]
) -> Wants:
    """Follow requirements to a fixpoint; `about` gives METADATA, None where nothing is chosen."""
    wants = Wants()
    waiting: deque[tuple[str, Requirement]] = deque(("you", r) for r in roots)
    seen: set[tuple[NormalizedName, frozenset[str]]] = set()
    while waiting:
        wanter, requirement = waiting.popleft()
        if (
            requirement.marker
            and wanter == "you"
            and not holds(requirement.marker, (), environment)
        ):
            continue
        name = canonicalize_name(requirement.name)
        wants.note(name, wanter, requirement)
        key = (name, frozenset(requirement.extras))
        if key not in seen:
            seen.add(key)
            body = await about(name)
            for needed in applicable(body or b"", requirement.extras, environment, wants):
                waiting.append((name, needed))
    return wants
