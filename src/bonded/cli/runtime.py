"""`bonded runtime`: what platforms have installed, read, compared and imported."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bonded.cli.common import Json, as_json, say, table, told

if TYPE_CHECKING:
    from bonded.model.runtimes import Installed, Runtime
    from bonded.planning.runtimes.comparing import Change
    from bonded.planning.runtimes.library import Library

app = typer.Typer(
    help="Platform runtimes: a Python, a platform, and what is installed there.",
    no_args_is_help=True,
)

RuntimeName = Annotated[
    str,
    typer.Argument(
        metavar="R", help="A runtime, or a target such as python-3.12/manylinux_2_28/x86_64."
    ),
]


@app.command("list")
def list_(json: Json = False) -> None:
    """List the runtimes that are shipped and those imported."""
    with told():
        library = _library()
        imported = library.imported()
        rows = [
            _summary(library.get(name)) | {"imported": name in imported} for name in library.names()
        ]
    table(rows, json, "No runtimes.")


@app.command("show")
def show(runtime: RuntimeName, json: Json = False) -> None:
    """Show a runtime: its Python, its platform, what is installed, what to beware of."""
    with told():
        found = _library().get(runtime)
    if json:
        as_json(_whole(found))
        return
    for key, value in _head(found).items():
        typer.echo(f"{key + ':':<10} {value}")
    for warning in found.warnings:
        typer.echo(f"warning:   {warning}")
    if found.installed:
        typer.echo("")
        table([_row(i) for i in found.installed], json=False, empty="")


@app.command("diff")
def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="From this runtime.")],
    b: Annotated[str, typer.Argument(metavar="B", help="To this one.")],
    json: Json = False,
) -> None:
    """Say what changes from one runtime to another, native packages left out."""
    from bonded.planning.runtimes.comparing import compare

    with told():
        library = _library()
        found = compare(library.get(a), library.get(b))
    kinds = {"added": found.added, "removed": found.removed, "changed": found.changed}
    if json:
        settings = {key: {"before": x, "after": y} for key, x, y in found.settings}
        lists = {kind: [_change(c) for c in changes] for kind, changes in kinds.items()}
        as_json(settings | lists)
        return
    for key, before, after in found.settings:
        typer.echo(f"{key}: {before} -> {after}")
    rows = [{"": kind} | _change(c) for kind, changes in kinds.items() for c in changes]
    table(rows, json=False, empty="The same packages are installed.")
    counts = ", ".join(f"{len(changes)} {kind}" for kind, changes in kinds.items())
    say(f"{counts}.")


@app.command("import")
def import_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A conda environment, Components.json, requirements, pip inspect, pylock.toml, or"
            " what the probe printed. - is standard input.",
        ),
    ],
    name: Annotated[
        str | None, typer.Option("--name", metavar="N", help="Its name. [default: the file's]")
    ] = None,
    python: Annotated[
        str | None,
        typer.Option("--python", metavar="V", help="Its Python, such as 3.11.8, if unsaid."),
    ] = None,
    platform: Annotated[
        str | None,
        typer.Option(
            "--platform",
            metavar="P",
            help="Its platform, such as manylinux_2_35_x86_64, if unsaid.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Even under the name of a runtime that is shipped.")
    ] = False,
    json: Json = False,
) -> None:
    """Read a runtime out of a file that describes it, and keep it in the data folder."""
    with told():
        found = _imported(file, name, python, platform)
        replaced = _library().save(found, force=force)
    if json:
        as_json(_summary(found) | {"replaced": replaced, "warnings": found.warnings})
        return
    for warning in found.warnings:
        say(f"warning: {warning}")
    counts = _counts(found)
    say(
        f"{found.name} {'replaced' if replaced else 'imported'}: Python {found.python} on"
        f" {found.platform}, {counts['packages']} packages, {counts['private']} of them private,"
        f" and {counts['native']} native ones."
    )


@app.command("probe")
def probe() -> None:
    """Print a script to run in a live session. Import what that prints."""
    from bonded.planning.runtimes.library import probe_script

    typer.echo(probe_script(), nl=False)


def _imported(file: Path, name: str | None, python: str | None, platform: str | None) -> Runtime:
    from bonded.planning.runtimes.importing import Given, read, read_file

    if str(file) == "-":
        data = typer.get_binary_stream("stdin").read()
        return read(
            data,
            Given(name=name or "stdin", source="standard input", python=python, platform=platform),
        )
    given = Given(name=name or _slug(file), source=file.name, python=python, platform=platform)
    return read_file(file, given)


def _slug(file: Path) -> str:
    """The name of a file as one of a runtime."""
    import re

    return re.sub(r"[^a-z0-9.]+", "-", file.stem.lower()).strip("-.")[:63] or "runtime"


def _library() -> Library:
    from bonded.planning.runtimes.library import Library
    from bonded.settings import data_folder

    return Library(data_folder())


def _counts(runtime: Runtime) -> dict[str, int]:
    natures = Counter(i.nature.value for i in runtime.installed)
    native, private = natures["native"], natures["private"]
    return {"packages": natures["python"] + private, "private": private, "native": native}


def _summary(runtime: Runtime) -> dict[str, Any]:
    return {
        "name": runtime.name,
        "python": str(runtime.python),
        "platform": str(runtime.platform),
        **_counts(runtime),
        "title": runtime.title,
    }


def _head(runtime: Runtime) -> dict[str, str]:
    counts = _counts(runtime)
    prefers = f", preferring wheels for {runtime.prefers.level}" if runtime.prefers else ""
    return {
        "name": runtime.name,
        "title": runtime.title,
        "source": runtime.source,
        "python": str(runtime.python),
        "platform": f"{runtime.platform}{prefers}",
        "installed": f"{counts['packages']} packages, {counts['private']} of them private;"
        f" {counts['native']} native ones",
    }


def _row(package: Installed) -> dict[str, Any]:
    return {
        "name": package.name,
        "version": package.text or None,
        "origin": package.origin.value,
        "nature": package.nature.value,
        "confidence": package.confidence.value,
        "note": package.note,
    }


def _whole(runtime: Runtime) -> dict[str, Any]:
    return {
        **_summary(runtime),
        "prefers": str(runtime.prefers) if runtime.prefers else None,
        "source": runtime.source,
        "environment": runtime.environment(),
        "warnings": runtime.warnings,
        "installed": [
            _row(i)
            | {
                "extras": i.extras,
                "requires": i.requires,
                "known_metadata": i.known_metadata,
            }
            for i in runtime.installed
        ],
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "name": change.name,
        "nature": change.nature.value,
        "before": change.before,
        "after": change.after,
    }
