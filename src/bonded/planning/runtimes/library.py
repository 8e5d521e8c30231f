"""The runtimes there are: those shipped, those imported into the data folder, plain targets."""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from bonded.model import disk
from bonded.model.problems import BadInput, Conflict, Problem
from bonded.model.runtimes import Runtime, is_target, target
from bonded.planning.runtimes import stored
from bonded.planning.runtimes.importing import check_name

#: Within the data folder.
FOLDER = "runtimes"


@cache
def built_in_names() -> tuple[str, ...]:
    """The names of the runtimes that are shipped."""
    return tuple(sorted(p.name.removesuffix(".json") for p in _shipped() if p.is_file()))


@cache
def built_in(name: str) -> Runtime:
    """A runtime that is shipped."""
    text = (files(__package__) / "data" / f"{name}.json").read_text("utf-8")
    return stored.read(text, f"The shipped runtime {name}")


def probe_script() -> str:
    """The script to run in a live session."""
    return (files(__package__) / "probe_script.py").read_text("utf-8")


def _shipped() -> Iterator[Path]:
    for entry in (files(__package__) / "data").iterdir():
        if entry.name.endswith(".json"):
            yield Path(str(entry))


@dataclass(frozen=True, slots=True)
class Library:
    """The runtimes that can be named, with those imported into a data folder."""

    data: Path

    def get(self, name: str) -> Runtime:
        """A runtime by its name, or the target that the text describes."""
        if is_target(name):
            return target(name)
        path = self._path(name) if name in self.imported() else None
        if path is not None:
            return self._read(path)
        if name in built_in_names():
            return built_in(name)
        raise self._unknown(name)

    def imported(self) -> tuple[str, ...]:
        """The names of those that were imported."""
        return tuple(sorted(p.stem for p in (self.data / FOLDER).glob("*.json")))

    def names(self) -> tuple[str, ...]:
        """All names; one that is imported stands before the shipped one of its name."""
        return tuple(sorted({*built_in_names(), *self.imported()}))

    def save(self, runtime: Runtime, *, force: bool = False) -> bool:
        """Keep it under its name; say whether one was replaced."""
        check_name(runtime.name)
        if runtime.name in built_in_names() and not force:
            raise Conflict(
                f"{runtime.name} is the name of a runtime that Bonded ships.",
                code="shipped-runtime",
                hint="Give it another one with --name, or use --force to have yours instead.",
            )
        path = self._path(runtime.name)
        replaced = path.exists()
        with disk.told(path):
            self._make()
            _write(path, stored.write(runtime))
        return replaced

    def _make(self) -> None:
        try:
            # As the rest of the data folder: for nobody but its user to read.
            self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self.data / FOLDER).mkdir(exist_ok=True)
        except (FileExistsError, FileNotFoundError, NotADirectoryError):
            raise BadInput(
                f"{self.data} cannot be the data folder: a file is in its way.",
                code="bad-data-folder",
                hint="Give another folder with --data or BONDED_DATA.",
            ) from None

    def _path(self, name: str) -> Path:
        return self.data / FOLDER / f"{name}.json"

    def _read(self, path: Path) -> Runtime:
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Problem(
                f"{path} cannot be read ({type(error).__name__}).", code="damaged-runtime"
            ) from None
        return stored.read(text, str(path))

    def _unknown(self, name: str) -> BadInput:
        near = difflib.get_close_matches(name, self.names(), 1)
        hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(self.names())}."
        return BadInput(
            f"No runtime is named {name!r}.",
            code="no-such-runtime",
            hint=f"{hint} A plain target is like python-3.12/manylinux_2_28/x86_64.",
        )


def _write(path: Path, text: str) -> None:
    """Whole or not at all, also if the machine stops."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.stem}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
