"""Says as JSON which Python this is and what is installed. Run it in the live session.

Part of Bonded (Apache-2.0). It needs Python 3.8 or newer and nothing else, changes nothing, and
reaches no network. Give what it prints to `bonded runtime import`.
"""

from __future__ import annotations

import json
import platform
import sys


def _version() -> str:
    v = sys.version_info
    short = {"alpha": "a", "beta": "b", "candidate": "rc"}
    tail = short[v.releaselevel] + str(v.serial) if v.releaselevel in short else ""
    return f"{v[0]}.{v[1]}.{v[2]}{tail}"


def _libc() -> list[str]:
    name, version = platform.libc_ver()
    if name:
        return [name, version]
    try:
        from packaging import tags  # without glibc: what pip would say
    except ImportError:
        return ["", ""]
    musl = [t for t in tags.platform_tags() if t.startswith("musllinux_")]
    return ["musl", ".".join(musl[0].split("_")[1:3])] if musl else ["", ""]


def _system() -> str:
    try:
        with open("/etc/os-release", encoding="utf-8") as file:  # noqa: PTH123
            lines = dict(line.rstrip().split("=", 1) for line in file if "=" in line)
    except OSError:
        return ""
    return lines.get("PRETTY_NAME", "").strip("\"'")


def _distribution(found: object) -> dict[str, object]:
    metadata = found.metadata  # type: ignore[attr-defined]
    try:
        installer = (found.read_text("INSTALLER") or "").strip()  # type: ignore[attr-defined]
    except OSError:
        installer = ""
    return {
        "name": metadata["Name"],
        "version": metadata["Version"],
        "requires": metadata.get_all("Requires-Dist") or [],
        "extras": metadata.get_all("Provides-Extra") or [],
        "installer": installer,
    }


def report() -> dict[str, object]:
    """Everything `bonded runtime import` takes for the truth."""
    from importlib.metadata import distributions

    return {
        "bonded-probe": 1,
        "python": _version(),
        "implementation": platform.python_implementation(),
        "system": platform.system(),
        "machine": platform.machine(),
        "libc": _libc(),
        "os": _system(),
        "distributions": [_distribution(d) for d in distributions() if d.metadata is not None],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(report(), indent=1) + "\n")
