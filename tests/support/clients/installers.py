"""pip and uv, two generations of each, asked for the same things."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from support.clients.machine import Done, Machine

INSTALLERS = ("pip23", "pip", "uv-old", "uv")
PIPS = ("pip23", "pip")
UVS = ("uv-old", "uv")


@dataclass(frozen=True)
class Installer:
    """A client that installs, on a machine."""

    client: str
    machine: Machine

    @property
    def is_uv(self) -> bool:
        return self.client in UVS

    def install(self, index: str, *what: str | Path, target: Path | None = None) -> Done:
        """Install wheels into a folder."""
        command = [self.client, *(("pip", "install") if self.is_uv else ("install",))]
        place = str(target or self.machine.home / "target")
        return self.machine.run(
            *command, "--index-url", index, "--only-binary", ":all:", "--target", place, *what
        )


def installed(target: Path) -> set[str]:
    """The distributions in a folder, as `name-version`."""
    return {p.name.removesuffix(".dist-info") for p in target.glob("*.dist-info")}
