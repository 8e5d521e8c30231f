"""Makes the shipped runtimes out of the platforms' own lists.

`python -m bonded.planning.runtimes.making FOLDER` reads FOLDER/fabric-1.3.yml and the like.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.utils import NormalizedName
from packaging.version import Version

from bonded.model.runtimes import Confidence, Installed, Nature, Origin, Runtime
from bonded.planning.runtimes import stored
from bonded.planning.runtimes.importing import Given, read_file

_LISTED = (
    "The published list is nearly what a session has; `bonded runtime probe`, run in one, says it"
    " exactly."
)
_IMAGE = (
    "This is the list of the platform's container image; a cluster has more installed. What a"
    " session of yours has is said by `bonded runtime probe`."
)
_SPARK = (
    "pyspark is the platform's own and not on its list; its version here is that of the Spark"
    " of the release."
)


@dataclass(frozen=True, slots=True)
class Release:
    """What is known of a platform's release beside its list."""

    file: str
    title: str
    platform: str
    python: str | None = None
    spark: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name it is shipped under."""
        return self.file.rpartition(".")[0]


RELEASES = (
    Release("fabric-1.2.yml", "Microsoft Fabric 1.2: Spark 3.4, CBL-Mariner 2.0", "manylinux_2_35"),
    Release("fabric-1.3.yml", "Microsoft Fabric 1.3: Spark 3.5, CBL-Mariner 2.0", "manylinux_2_35"),
    Release("fabric-2.0.yml", "Microsoft Fabric 2.0: Spark 4.1, Azure Linux 3.0", "manylinux_2_38"),
    Release(
        "databricks-14.3.txt",
        "Databricks 14.3 LTS: Spark 3.5, Ubuntu 22.04",
        "manylinux_2_35",
        python="3.10.12",
        spark="3.5.0",
    ),
    Release(
        "databricks-15.4.txt",
        "Databricks 15.4 LTS: Spark 3.5, Ubuntu 22.04",
        "manylinux_2_35",
        python="3.11.11",
        spark="3.5.0",
        warnings=("Until 9 April 2025 its Python was 3.11.0rc1.",),
    ),
    Release(
        "databricks-16.4.txt",
        "Databricks 16.4 LTS: Spark 3.5, Ubuntu 24.04",
        "manylinux_2_39",
        python="3.12.3",
        spark="3.5.2",
    ),
    Release(
        "databricks-17.3.txt",
        "Databricks 17.3 LTS: Spark 4.0, Ubuntu 24.04",
        "manylinux_2_39",
        python="3.12.3",
        spark="4.0.0",
    ),
)


def make(folder: Path) -> Iterator[Runtime]:
    """Every shipped runtime, out of the lists in `folder`."""
    for release in RELEASES:
        runtime = read_file(folder / release.file, _given(release))
        yield _with_spark(runtime, release.spark) if release.spark else _noted(runtime, _LISTED)


def _given(release: Release) -> Given:
    return Given(
        name=release.name,
        source=f"published list {release.file}",
        title=release.title,
        python=release.python,
        platform=release.platform,
    )


def _noted(runtime: Runtime, *notes: str) -> Runtime:
    return replace(runtime, warnings=(*notes, *runtime.warnings))


def _with_spark(runtime: Runtime, version: str) -> Runtime:
    spark = Installed(
        name=NormalizedName("pyspark"),
        text=version,
        version=Version(version),
        origin=Origin.SYSTEM,
        nature=Nature.PRIVATE,
        confidence=Confidence.GUESSED,
        note="part of the platform, not on its list",
    )
    (own,) = (r.warnings for r in RELEASES if r.name == runtime.name)
    return _noted(replace(runtime, installed=(*runtime.installed, spark)), _IMAGE, _SPARK, *own)


def main(folder: Path, into: Path) -> None:
    """Write the files that are shipped."""
    for runtime in make(folder):
        (into / f"{runtime.name}.json").write_text(stored.write(runtime), "utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).parent / "data")
