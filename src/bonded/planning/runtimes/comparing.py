"""What changes from one runtime to another."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.utils import NormalizedName

from bonded.model.runtimes import Installed, Nature, Runtime


@dataclass(frozen=True, slots=True)
class Change:
    """A package that is in only one of two runtimes, or in two versions."""

    name: NormalizedName
    nature: Nature
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """All there is between two runtimes. `settings` are Python and platform, where they differ."""

    settings: tuple[tuple[str, str, str], ...]
    added: tuple[Change, ...]
    removed: tuple[Change, ...]
    changed: tuple[Change, ...]


def compare(a: Runtime, b: Runtime) -> Difference:
    """The way from `a` to `b`. Native packages are left out: no wheel depends on them by name."""
    pairs = (
        ("python", str(a.python), str(b.python)),
        ("platform", str(a.platform), str(b.platform)),
    )
    before, after = _by_name(a), _by_name(b)
    both = [n for n in sorted(before.keys() & after.keys()) if _differ(before[n], after[n])]
    return Difference(
        settings=tuple(pair for pair in pairs if pair[1] != pair[2]),
        added=tuple(_change(None, after[n]) for n in sorted(after.keys() - before.keys())),
        removed=tuple(_change(before[n], None) for n in sorted(before.keys() - after.keys())),
        changed=tuple(_change(before[n], after[n]) for n in both),
    )


def _by_name(runtime: Runtime) -> dict[NormalizedName, Installed]:
    return {i.name: i for i in runtime.installed if i.nature is not Nature.NATIVE}


def _differ(one: Installed, other: Installed) -> bool:
    if one.version and other.version:
        return one.version != other.version
    return one.text != other.text


def _change(before: Installed | None, after: Installed | None) -> Change:
    known = after or before
    assert known is not None
    return Change(
        name=known.name,
        nature=known.nature,
        before=before.text if before else None,
        after=after.text if after else None,
    )
